"""What waits is listed with its reason, and what a person says of it is handed in."""

from collections.abc import Callable

import pandas as pd
import pytest

from fer.data import inbox, quarantine, review, table, version
from fer.data.validate import RULES
from fer.errors import DataError, MissingData
from fer.files import sha256
from fer.paths import Paths
from fer.records import DataVersion, Decision, Shard

Faces = Callable[..., pd.DataFrame]


@pytest.fixture
def waiting(paths: Paths, faces: Faces) -> pd.DataFrame:
    """Three faces: the first two set apart by `ingest`, the third by `validate`."""
    quarantine.put(paths.quarantine, faces(2, label=[None, "sad"]).assign(reason="a reason"))
    table.write(paths.refused, faces(1, first=2).assign(rules="a rule"), extra=RULES)
    return faces(3)


def said(paths: Paths) -> list[Decision]:
    return inbox.read(paths.inbox).decisions


def test_with_nothing_set_apart_nothing_waits(paths: Paths) -> None:
    assert len(review.waiting(paths)) == 0


def test_faces_of_both_kinds_wait(paths: Paths, waiting: pd.DataFrame) -> None:
    listed = review.waiting(paths).set_index("id")["reason"]
    assert set(listed.index) == set(waiting["id"])
    assert [listed[face] for face in waiting["id"]] == ["a reason", "a reason", "a rule"]


def test_a_face_goes_by_its_first_digits(paths: Paths, waiting: pd.DataFrame) -> None:
    for face in waiting["id"]:
        review.decide(paths, face[:12], "reject", None)
    assert [one.face for one in said(paths)] == list(waiting["id"])


def test_a_label_goes_by_any_of_its_names(paths: Paths, waiting: pd.DataFrame) -> None:
    decision = review.decide(paths, waiting["id"][0], "accept", "Happiness")
    assert decision == Decision(waiting["id"][0], "accept", "happy")
    assert said(paths) == [decision]


def test_without_a_label_the_face_keeps_the_one_it_waits_with(
    paths: Paths, waiting: pd.DataFrame
) -> None:
    # Recorded, because where two captures of a picture disagree it says which one is right.
    assert review.decide(paths, waiting["id"][1], "accept", None).label == "sad"
    assert review.decide(paths, waiting["id"][0], "accept", None).label is None


@pytest.mark.parametrize("face", ["", "zz", "0" * 64])
def test_no_face_is_decided_that_was_not_named(paths: Paths, faces: Faces, face: str) -> None:
    quarantine.put(paths.quarantine, faces(1).assign(reason="a reason"))
    with pytest.raises(DataError, match="first digits"):
        review.decide(paths, face, "reject", None)
    assert said(paths) == []


def test_an_ambiguous_name_is_refused_with_the_number_it_fits(paths: Paths, faces: Faces) -> None:
    # Of 17 hexadecimal names two begin alike.
    quarantine.put(paths.quarantine, faces(17).assign(reason="a reason"))
    first = faces(17)["id"].str[0]
    digit = first[first.duplicated()].iloc[0]
    with pytest.raises(DataError, match=f"{(first == digit).sum()} begin so"):
        review.decide(paths, digit, "reject", None)


def test_a_face_that_waits_twice_is_one(paths: Paths, faces: Faces, waiting: pd.DataFrame) -> None:
    quarantine.put(paths.quarantine, faces(1, first=2).assign(reason="another reason"))
    review.decide(paths, waiting["id"][2], "reject", None)
    assert said(paths) == [Decision(waiting["id"][2], "reject")]


def test_an_unknown_label_is_refused(paths: Paths, waiting: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"surprise.*'smug'"):
        review.decide(paths, waiting["id"][0], "accept", "smug")
    assert said(paths) == []


def test_an_unknown_verdict_is_refused(paths: Paths, waiting: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'maybe'"):
        review.decide(paths, waiting["id"][0], "maybe", None)
    assert said(paths) == []


def test_nothing_waits_where_nothing_is_and_that_is_said(paths: Paths) -> None:
    with pytest.raises(DataError, match="0 begin so"):
        review.decide(paths, "ab", "accept", None)


# -- faces of the data version ---------------------------------------------------------------


@pytest.fixture
def taken_in(paths: Paths, faces: Faces) -> pd.DataFrame:
    """Two faces of the data version."""
    held = faces(2, first=5, label=["happy", "sad"], split="train")
    table.write(paths.captures / "1.parquet", held)
    shard = Shard("1.parquet", sha256(paths.captures / "1.parquet"), 2, 1)
    version.write(paths.version, DataVersion(1, (shard,)))
    return held


def test_a_face_that_was_taken_in_can_be_decided_too(
    paths: Paths, waiting: pd.DataFrame, taken_in: pd.DataFrame
) -> None:
    first, second = taken_in["id"]
    assert review.decide(paths, first, "accept", None).label == "happy"
    review.decide(paths, second[:12], "accept", "fear")
    review.decide(paths, first, "reject", None)
    wanted = [("accept", "happy"), ("accept", "fear"), ("reject", None)]
    assert [(one.verdict, one.label) for one in said(paths)] == wanted


def test_captures_that_are_not_here_do_not_hinder_those_that_wait(
    paths: Paths, waiting: pd.DataFrame, taken_in: pd.DataFrame
) -> None:
    (paths.captures / "1.parquet").unlink()
    assert review.decide(paths, waiting["id"][1], "reject", None).verdict == "reject"
    with pytest.raises(MissingData, match="dvc pull"):
        review.decide(paths, taken_in["id"][0], "reject", None)


def test_a_session_that_was_held_back_is_decided_as_a_whole(paths: Paths, faces: Faces) -> None:
    apart = faces(4, session=["a", "a", "b", "a"]).assign(
        reason=["guard: why", "guard: why", "guard: why", "label: none"]
    )
    quarantine.put(paths.quarantine, apart)
    decided = review.decide_session(paths, "a", "accept")
    assert {one.face for one in decided} == set(apart["id"][:2])
    assert {one.face: one.label for one in said(paths)} == dict(
        zip(apart["id"][:2], apart["label"][:2], strict=True)
    )
    with pytest.raises(DataError, match="'c'"):
        review.decide_session(paths, "c", "accept")
