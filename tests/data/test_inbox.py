"""What is handed in lies there whole, in order, until it is removed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer.data import inbox, table
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.paths import Paths
from fer.records import FACES, Decision

Faces = Callable[..., pd.DataFrame]

FACE = "ab" * 32


def test_an_inbox_that_nobody_used_is_empty(paths: Paths) -> None:
    items = inbox.read(paths.inbox)
    assert (items.files, items.decisions, items.unreadable) == ([], [], {})
    assert (len(items.faces), list(items.faces.columns)) == (0, FACES.names)
    assert inbox.count(paths.inbox) == 0


def test_items_come_back_in_the_order_of_arrival(paths: Paths, faces: Faces) -> None:
    for first in range(5):
        inbox.put(paths.inbox, faces(2, first=2 * first))
        inbox.put_decision(paths.inbox, Decision(FACE, "accept", EMOTIONS[first]))
    items = inbox.read(paths.inbox)
    assert list(items.faces["id"]) == list(faces(10)["id"])
    assert [said.label for said in items.decisions] == list(EMOTIONS[:5])
    assert len(items.files) == 10
    assert inbox.count(paths.inbox) == 10


def test_many_may_hand_in_at_once(paths: Paths, faces: Faces) -> None:
    hands = [
        threading.Thread(target=inbox.put, args=(paths.inbox, faces(1, first=number)))
        for number in range(20)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert set(inbox.read(paths.inbox).faces["id"]) == set(faces(20)["id"])


def test_faces_of_wrong_columns_are_refused_at_the_door(paths: Paths, faces: Faces) -> None:
    with pytest.raises(DataError, match="label"):
        inbox.put(paths.inbox, faces(1).drop(columns="label"))
    assert inbox.read(paths.inbox).files == []


def test_a_half_written_item_is_not_seen(paths: Paths, faces: Faces) -> None:
    whole = inbox.put(paths.inbox, faces(1))
    (paths.inbox / ".4711-half.parquet").write_bytes(whole.read_bytes()[:100])
    items = inbox.read(paths.inbox)
    assert items.files == [whole]
    assert items.unreadable == {}
    assert inbox.count(paths.inbox) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"no parquet"), ("a.parquet", b""), ("a.json", b"{"), ("a.json", b"[1]"),
        ("a.json", b"null"), ("a.json", b"\xff"), ("a.png", b"\x89PNG\r\n"),
        ("a.json", b'{"face": "abc"}'),
        ("a.json", b"[" * 200_000),
        ("a.json", json.dumps({"face": "../captures/a", "verdict": "reject"}).encode()),
        ("a.json", json.dumps({"face": "a\0b", "verdict": "reject"}).encode()),
        ("a.json", json.dumps({"face": "/etc/hosts", "verdict": "reject"}).encode()),
        ("a.json", json.dumps({"face": FACE, "verdict": "perhaps"}).encode()),
        ("a.json", json.dumps({"face": [FACE], "verdict": "accept"}).encode()),
        ("a.json", json.dumps({"face": FACE, "verdict": "accept", "label": "smug"}).encode()),
        ("a.json", json.dumps({"face": FACE, "verdict": "accept", "mood": 1}).encode()),
    ],
)  # fmt: skip
def test_an_unreadable_item_is_told_with_its_reason_and_stops_no_other(
    paths: Paths, faces: Faces, name: str, content: bytes
) -> None:
    inbox.put(paths.inbox, faces(1))
    (paths.inbox / name).write_bytes(content)
    items = inbox.read(paths.inbox)
    assert list(items.unreadable) == [paths.inbox / name]
    assert items.unreadable[paths.inbox / name]
    assert len(items.faces) == 1
    assert items.decisions == []
    assert inbox.count(paths.inbox) == 1


def test_a_table_with_more_columns_gives_its_faces(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(1))
    mood = pa.schema([("mood", pa.string())])
    table.write(paths.inbox / "z.parquet", faces(1, first=1).assign(mood="x"), extra=mood)
    items = inbox.read(paths.inbox)
    assert list(items.faces.columns) == FACES.names
    assert list(items.faces["id"]) == list(faces(2)["id"])


@pytest.mark.parametrize("column", ["image", "label", "consent"])
def test_a_small_table_that_would_fill_the_memory_is_unreadable(
    paths: Paths, faces: Faces, column: str
) -> None:
    item = inbox.put(paths.inbox, faces(1))
    large = "x" * 100_000
    value = {"image": large.encode(), "label": large, "consent": {"purpose": large}}[column]
    one = pq.read_table(item)
    place = one.column_names.index(column)
    one = one.set_column(place, FACES.field(column), pa.array([value], FACES.field(column).type))
    with pq.ParquetWriter(item, FACES) as writer:
        for _ in range(20):
            writer.write_table(one.take([0] * 300))
    assert item.stat().st_size < 1_000_000
    items = inbox.read(paths.inbox)
    assert "MB in memory" in items.unreadable[item]
    assert len(items.faces) == 0


def test_many_faces_in_one_table_are_taken(paths: Paths, faces: Faces) -> None:
    many = faces(400)
    # As incompressible as pictures get: what is stored says little of what it takes.
    rng = np.random.default_rng(1)
    many["image"] = [rng.bytes(8_000) for _ in range(len(many))]
    inbox.put(paths.inbox, many)
    assert len(inbox.read(paths.inbox).faces) == len(many)


def test_only_what_was_read_is_removed(paths: Paths, faces: Faces) -> None:
    inbox.put(paths.inbox, faces(1))
    items = inbox.read(paths.inbox)
    later = inbox.put(paths.inbox, faces(1, first=1))
    inbox.remove(items.files)
    inbox.remove(items.files)  # Removed already: fine, a killed run may have got there.
    assert inbox.read(paths.inbox).files == [later]


def test_folders_in_the_inbox_are_left_alone(paths: Paths) -> None:
    folder: Path = paths.inbox / "holiday"
    folder.mkdir(parents=True)
    assert inbox.read(paths.inbox).files == []
