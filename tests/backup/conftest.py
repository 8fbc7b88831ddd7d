"""A checkout with captures, a registry and faces that wait."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pandas as pd
import pytest

from fer import params
from fer.data import inbox, version
from fer.data.ingest import ingest
from fer.files import write_json
from fer.paths import Paths
from fer.registry import adopt, retire
from tests.standins import pin_champion, track

Faces = Callable[..., pd.DataFrame]


@pytest.fixture
def kept(paths: Paths, faces: Faces, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Data version 1 of ana and bob, one face of each in quarantine, one of cleo in the inbox."""
    monkeypatch.chdir(paths.root)
    monkeypatch.setattr(version, "track", track)
    monkeypatch.setattr(retire, "retire", lambda *_: retire.Retired([], None))
    monkeypatch.setattr(adopt, "pin_champion", pin_champion)
    take_in(paths, faces(8, subject=["ana", "bob"] * 4))
    take_in(paths, faces(2, first=20, subject=["ana", "bob"], label=None))
    inbox.put(paths.inbox, faces(1, first=30, subject="cleo"))
    (paths.mlruns / "artifacts").mkdir(parents=True)
    (paths.mlruns / "artifacts" / "model.onnx").write_bytes(b"a model")
    write_json(paths.decisions / "one.json", {"verdict": "promoted"})
    with closing(sqlite3.connect(paths.registry)) as database, database:
        database.execute("create table aliases (name text, version int)")
        database.execute("insert into aliases values ('champion', 1)")
    return paths


def take_in(paths: Paths, faces: pd.DataFrame) -> None:
    """Ingest `faces` alone."""
    inbox.put(paths.inbox, faces)
    ingest(params.load(paths.params).ingest, paths, pin_champion)
