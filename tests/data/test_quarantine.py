"""A refused face is kept with its reason until someone decides."""

from collections.abc import Callable

import pandas as pd

from fer.data import inbox, quarantine
from fer.paths import Paths
from fer.records import FACES, Decision

Faces = Callable[..., pd.DataFrame]


def test_a_quarantine_that_nobody_used_is_empty(paths: Paths) -> None:
    kept = quarantine.read(paths.quarantine)
    assert (len(kept), list(kept.columns)) == (0, [*FACES.names, "reason"])


def test_faces_come_back_with_their_reasons(paths: Paths, faces: Faces) -> None:
    refused = faces(3).assign(reason=["too dark", "no label", "no consent"])
    quarantine.put(paths.quarantine, refused)
    kept = quarantine.read(paths.quarantine)
    columns = ["id", "image", "label", "subject", "reason"]
    pd.testing.assert_frame_equal(
        kept[columns].sort_values("id", ignore_index=True),
        refused[columns].sort_values("id", ignore_index=True),
    )


def test_refusing_the_same_face_again_keeps_one(paths: Paths, faces: Faces) -> None:
    for reason in ("too dark", "no label"):
        quarantine.put(paths.quarantine, faces(1).assign(reason=reason))
    assert list(quarantine.read(paths.quarantine)["reason"]) == ["no label"]


def test_a_face_that_was_decided_is_let_go_and_the_others_stay(paths: Paths, faces: Faces) -> None:
    first, second = faces(2)["id"]
    quarantine.put(paths.quarantine, faces(2).assign(reason="too dark"))
    quarantine.remove(paths.quarantine, first)
    quarantine.remove(paths.quarantine, first)  # A killed run may have got there.
    assert list(quarantine.read(paths.quarantine)["id"]) == [second]


def test_an_unreadable_item_is_kept_byte_for_byte_and_read_by_nothing(paths: Paths) -> None:
    paths.inbox.mkdir(parents=True)
    item = paths.inbox / "a.parquet"
    item.write_bytes(b"no parquet")
    quarantine.keep_file(paths.quarantine, item)
    assert not item.exists()
    assert [path.read_bytes() for path in paths.quarantine.iterdir()] == [b"no parquet"]
    assert len(quarantine.read(paths.quarantine)) == 0


def test_an_unreadable_item_does_not_take_the_place_of_another(paths: Paths) -> None:
    for content in (b"one", b"other"):
        item = inbox.put_decision(paths.inbox, Decision("ab", "accept"))
        same = item.rename(item.with_name("photo.jpg"))
        same.write_bytes(content)
        quarantine.keep_file(paths.quarantine, same)
    kept = {path.read_bytes() for path in paths.quarantine.iterdir()}
    assert kept == {b"one", b"other"}
