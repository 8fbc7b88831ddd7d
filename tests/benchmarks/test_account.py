"""The soak's account finds each capture wherever it may be, and misses none that is nowhere."""

from collections.abc import Callable

import pandas as pd

from benchmarks.soaking.account import account
from fer.data import inbox, quarantine, table, version
from fer.files import sha256
from fer.paths import Paths
from fer.records import DataVersion, Shard

Faces = Callable[..., pd.DataFrame]


def _shard(paths: Paths, faces: pd.DataFrame) -> None:
    place = paths.captures / "00001-a.parquet"
    table.write(place, faces)
    named = Shard(place.name, sha256(place), len(faces), 1)
    version.write(paths.version, DataVersion(number=1, captures=(named,)))


def test_every_capture_is_accounted_for(paths: Paths, faces: Faces) -> None:
    people = [f"person {number}" for number in range(6)]
    shown = faces(6).assign(subject=people)
    _shard(paths, shown[:2])
    inbox.put(paths.inbox, shown[2:3])
    quarantine.put(paths.quarantine, shown[3:4].assign(reason="x"))
    inbox.put(paths.inbox, shown[1:2])
    keys = list(zip(shown["subject"], shown["label"], strict=True))
    found = account(paths, keys[:5])
    assert found.places == {"shards": 2, "inbox": 2, "quarantine": 1}
    assert found.lost == [keys[4]]
    assert found.doubled == [keys[1]]
