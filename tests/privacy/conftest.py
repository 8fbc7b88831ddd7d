"""A checkout in which "ana" is everywhere: waiting, set apart, learnt from, drawn, sent away."""

import base64
import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from matplotlib import pyplot as plt

from fer import params
from fer.data import inbox, quarantine, table, version
from fer.data.balance import DRAW
from fer.data.ingest import ingest
from fer.data.validate import RULES
from fer.data.validation_page import render
from fer.paths import Paths
from fer.records import DataVersion, Decision
from fer.registry import adopt, retire
from fer.registry.retire import Retired
from tests.standins import pin_champion, track

ANA: Final = "ana"
REMOTE: Final = "[core]\n    remote = away\n['remote \"away\"']\n    url = ../../away\n"

Faces = Callable[..., pd.DataFrame]
ModelFile = Callable[..., Path]


@dataclass(frozen=True)
class House:
    """A checkout with a DVC remote.

    Args:
        paths: The checkout.
        away: The remote's folder.
        hers: Every face of ana, wherever it is.
        others: Every face of anybody else that was captured.
    """

    paths: Paths
    away: Path
    hers: pd.DataFrame
    others: pd.DataFrame

    def at(self, root: Path) -> "House":
        """Return the same house, copied to `root`, the remote beside it."""
        return House(Paths(root), root.parent / "away", self.hers, self.others)

    def traces(self) -> list[str]:
        """Return each file with a byte of ana's faces, found without the code under test.

        Looks for pixels, for PNGs and for ids; into tables, zip files and base64.
        """
        pictures = list(self.hers["image"])
        raw = [face.tobytes() for face in table.decode(pictures)]
        coded = [base64.b64encode(one)[:400] for one in pictures]
        named = [one.encode() for one in self.hers["id"]]
        folders = (self.paths.root, self.away)
        found = (one for folder in folders for one in sorted(folder.rglob("*")) if one.is_file())
        return [
            str(file)
            for file in found
            if self.paths.receipts not in file.parents
            and any(each in data for data in unpacked(file.read_bytes()) for each in
                    [*pictures, *raw, *coded, *named, b"ana@"])
        ]  # fmt: skip


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield `data`, what is in it if it is a zip file, and its columns if it is a table."""
    yield data
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield from unpacked(packed.read(name))
    if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        for column in pq.read_table(io.BytesIO(data)).columns:
            for value in column.to_pylist():
                if isinstance(value, str | bytes):
                    yield value if isinstance(value, bytes) else value.encode()


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, faces: Faces, model_file: ModelFile
) -> House:
    """The house as it is before anything is erased; to be copied."""
    root = tmp_path_factory.mktemp("house") / "a checkout"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(version, "track", track)
        return furnish(Paths(root), faces, model_file)


@pytest.fixture
def house(furnished: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A copy of the furnished house that the process stands in, without a registry."""
    shutil.copytree(furnished.paths.root.parent, tmp_path / "copy")
    copy = furnished.at(tmp_path / "copy" / "a checkout")
    monkeypatch.chdir(copy.paths.root)
    monkeypatch.setattr(version, "track", track)
    monkeypatch.setattr(adopt, "pin_champion", pin_champion)
    monkeypatch.setattr(retire, "retire", lambda *_: Retired([], 1))
    return copy


def furnish(paths: Paths, faces: Faces, model_file: ModelFile) -> House:
    """Ingest, and write what stages write of it, as DVC keeps it."""
    (paths.root / ".dvc").mkdir(parents=True)
    config = "[core]\n    no_scm = True\n    analytics = false\n    site_cache_dir = ../../.site\n"
    (paths.root / ".dvc" / "config").write_text(config + REMOTE.replace("[core]\n", ""))
    here = Path(__file__).parents[2]
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(here / name, paths.root)
    (paths.root / "data").mkdir()
    version.write(paths.version, DataVersion())
    table.write(paths.base, faces(8, first=90, subject=None, split="train", source="fer2013"))

    people = [ANA, "bob", "cleo", "dan"]
    first = named(faces(8, label="happy"), people * 2, "monday")
    second = named(faces(6, first=8, label="sad"), ["bob", ANA, "eve"] * 2, "tuesday")
    for batch in (first, second):
        inbox.put(paths.inbox, batch)
        take_in(paths)
    said = [Decision(first["id"][0], "accept", "sad"), Decision(first["id"][1], "accept", "fear")]
    for one in said:
        inbox.put_decision(paths.inbox, one)
    apart = named(faces(2, first=20, label=None), [ANA, "bob"], "apart")
    inbox.put(paths.inbox, apart)
    take_in(paths)
    current = version.captured(paths, version.read(paths.version))
    make_stages(paths, current, model_file)
    # Waiting: a table of two people, and what a person said of a face of hers.
    waiting = named(faces(3, first=30), ["bob", ANA, ANA], "wednesday")
    inbox.put(paths.inbox, waiting)
    inbox.put_decision(paths.inbox, Decision(second["id"][1], "reject"))
    quarantine.keep_file(paths.quarantine, cut_short(paths, waiting))

    every = pd.concat([first, second, apart, waiting], ignore_index=True)
    theirs = every["subject"] == ANA
    return House(paths, paths.root.parent / "away", every[theirs], every[~theirs])


def named(faces: pd.DataFrame, subjects: list[str], day: str) -> pd.DataFrame:
    """Return the faces as of these people on that day."""
    return faces.assign(subject=subjects, session=[f"{one}@{day}" for one in subjects])


def take_in(paths: Paths) -> None:
    """Ingest."""
    ingest(params.load(paths.params).ingest, paths, lambda _, pinned: pinned)


def cut_short(paths: Paths, faces: pd.DataFrame) -> Path:
    """A table of which the end is missing, so that no reader takes it."""
    whole = paths.inbox / "whole.parquet"
    table.write(whole, faces)
    item = paths.inbox / "cut.parquet"
    item.write_bytes(whole.read_bytes()[:-100])
    whole.unlink()
    return item


def make_stages(paths: Paths, current: pd.DataFrame, model_file: ModelFile) -> None:
    """Write what stages write, and let DVC's cache, run cache, lock file and remote know it."""
    rows = current.drop(columns="new").assign(split="train")
    table.write(paths.train, rows.assign(new=True, draw=1.0, weight=1.0), extra=DRAW)
    table.write(paths.monitor, rows.head(0))
    table.write(paths.validation, rows)
    refused = rows.head(3).assign(rules="min_contrast")
    table.write(paths.refused, refused, extra=RULES)
    paths.report("x").parent.mkdir()
    page = render({"data_version": 3, "accepted": True, "faces": 1, "refused": 3, "rules": [],
                   "counts": {}}, refused)  # fmt: skip
    paths.report("validation.html").write_text(page)
    rows[["id", "domain"]].to_csv(paths.report("predictions.csv"))
    paths.answers.mkdir(parents=True)
    rows[["id", "domain"]].to_csv(paths.answers / f"{'a' * 64}.csv")
    draw(table.decode(rows["image"]), paths.report("mistakes.png"))
    plt.imsave(paths.report("confusion.png"), np.eye(9))
    model_file(paths.candidate, data_version=3)
    keras_file(paths.candidate_weights, b"weights that learnt from ana")
    made = {
        "balance": ([], [paths.train, paths.monitor, paths.validation]),
        "train": ([paths.train, paths.monitor], [paths.candidate, paths.candidate_weights]),
        "evaluate": (
            [paths.candidate, paths.validation],
            [paths.report("mistakes.png"), paths.report("confusion.png"),
             paths.report("predictions.csv")],
        ),
    }  # fmt: skip
    stages = {
        name: {"cmd": name, "deps": told(paths, read), "outs": told(paths, wrote)}
        for name, (read, wrote) in made.items()
    }
    (paths.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    for name, stage in stages.items():
        kept = paths.root / ".dvc" / "cache" / "runs" / name[:2] / name / "run"
        kept.parent.mkdir(parents=True)
        kept.write_text(yaml.safe_dump(stage))
    for file in (paths.refused, paths.report("validation.html")):
        told(paths, [file])
    # Another machine sent these; nothing here says what they were made of.
    draw(table.decode(rows["image"].tail(1)), paths.root / "foreign.png")
    keras_file(paths.root / "foreign.keras", b"weights of another machine")
    for name in ("foreign.png", "foreign.keras"):
        told(paths, [paths.root / name])
        (paths.root / name).unlink()
    shutil.copytree(paths.root / ".dvc" / "cache", paths.root.parent / "away")
    shutil.rmtree(paths.root.parent / "away" / "runs")


def told(paths: Paths, files: Iterable[Path]) -> list[dict[str, str]]:
    """Put files into DVC's cache, and return what dvc.lock says of them."""
    lines = []
    for file in files:
        md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        kept = paths.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, kept)
        lines.append({"path": str(file.relative_to(paths.root)), "hash": "md5", "md5": md5})
    return lines


def draw(pixels: np.ndarray, path: Path) -> None:
    """Draw faces side by side, each larger than it is."""
    plt.imsave(path, np.kron(np.hstack(list(pixels)), np.ones((2, 2))), cmap="grey")


def keras_file(path: Path, weights: bytes) -> None:
    """Write what is found in every Keras model."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("config.json", "{}")
        packed.writestr("model.weights.h5", weights)
