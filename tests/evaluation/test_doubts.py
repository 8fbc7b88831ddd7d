"""Likely label errors are found, where it can be by a model that has not learnt them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.data import quarantine, table, version
from fer.emotions import EMOTIONS
from fer.errors import MissingData
from fer.evaluation.doubts import Judge, contradiction, doubted, thresholds
from fer.files import sha256
from fer.model.classifier import Classifier
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent, Shard

Faces = Callable[..., pd.DataFrame]
Written = Callable[..., pd.DataFrame]

RIGHT = [number % 7 for number in range(14)]
WRONG = [(place + 1) % 7 for place in RIGHT]


@pytest.fixture
def checkout(
    paths: Paths, faces: Faces, model_file: Callable[..., Path], written: Written
) -> Callable[..., pd.DataFrame]:
    """Return a maker of a data version: `checkout(labels, *decisions, version=1, **columns)`.

    The champion reads line 0 of a face and the pinned parent, of data version 1, line 1. Both
    are right on the validation faces; on the 14 captures the parent is, and the champion too.
    """
    judged = written(faces(70, first=100), [n % 7 for n in range(70)], [n % 7 for n in range(70)])
    table.write(paths.validation, judged.assign(label=[EMOTIONS[n % 7] for n in range(70)]))
    model_file(paths.root / "champion.onnx", reads=0)
    model_file(paths.parent, reads=1, data_version=1)

    def make(
        label: list[int], *said: Decision, number: int = 1, first: list[int] = RIGHT,
        **columns: object,
    ) -> pd.DataFrame:  # fmt: skip
        held = written(faces(14, **{"split": "train", **columns}), first, RIGHT)
        held["label"] = [EMOTIONS[place] for place in label]
        table.write(paths.captures / "1.parquet", held)
        shard = Shard("1.parquet", sha256(paths.captures / "1.parquet"), 14, number)
        parent = Parent(1, 1, "", sha256(paths.parent))
        version.write(paths.version, DataVersion(number, (shard,), said, parent))
        return held

    return make


def found(paths: Paths, data_version: int = 0) -> pd.DataFrame:
    """What is doubted by a champion that learnt from `data_version`."""
    champion = Classifier(paths.root / "champion.onnx")
    return doubted(paths, Judge(champion.probabilities, data_version))


def test_wrong_labels_are_doubted_and_right_ones_are_not(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    held = checkout([*WRONG[:3], *RIGHT[3:]])
    doubts = found(paths).set_index("id")
    assert set(doubts.index) == set(held["id"][:3])
    suggested = doubts["suggested"].reindex(held["id"][:3])
    assert list(suggested) == [EMOTIONS[place] for place in RIGHT[:3]]
    assert (doubts["sure"] > doubts["given"]).all()
    assert not doubts["learnt"].any()
    assert doubts["reason"].str.startswith("doubt: ").all()


def test_where_the_champion_has_learnt_a_face_the_parent_is_asked_that_has_not(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    # The champion answers as it was taught, wrongly.
    checkout(WRONG, number=2, first=WRONG)
    assert len(found(paths, data_version=1)) == 0
    doubts = found(paths, data_version=2)
    assert len(doubts) == 14
    assert not doubts["learnt"].any()


def test_what_both_have_learnt_is_said_to_be_learnt(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    checkout(WRONG, split=["train"] * 7 + ["validation"] * 7)
    doubts = found(paths, data_version=2)
    assert (doubts["learnt"] == (doubts["split"] == "train")).all()
    assert doubts["reason"].str.contains("has learnt under").sum() == 7
    paths.parent.unlink()
    assert len(found(paths, data_version=2)) == 14


def test_what_a_person_decided_or_a_model_labelled_is_not_asked_again(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    source = ["model"] * 4 + ["human"] * 10
    held = checkout(WRONG, label_source=source)
    said = (Decision(held["id"][4], "accept"), Decision(held["id"][5], "reject"))
    held = checkout(WRONG, *said, label_source=source)
    assert set(found(paths)["id"]) == set(held["id"][6:])


def test_faces_set_apart_are_looked_at_where_a_person_may_let_them_in(
    paths: Paths, checkout: Callable[..., pd.DataFrame], faces: Faces, written: Written
) -> None:
    checkout(RIGHT)
    apart = written(faces(4, first=50), [0] * 4, [0] * 4)
    apart = apart.assign(
        label=["happy", "happy", None, "angry"],
        reason=["a reason", "consent: none", "label: none", "a reason"],
    )
    quarantine.put(paths.quarantine, apart)
    assert list(found(paths)["id"]) == [apart["id"][0]]


def test_with_nothing_captured_nothing_is_doubted(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    checkout(RIGHT)
    version.write(paths.version, DataVersion())
    assert len(found(paths)) == 0


def test_without_validation_faces_it_says_what_to_do(
    paths: Paths, checkout: Callable[..., pd.DataFrame]
) -> None:
    checkout(RIGHT)
    paths.validation.unlink()
    with pytest.raises(MissingData, match="dvc repro"):
        found(paths)


# -- the rule --------------------------------------------------------------------------------


def test_an_emotion_the_model_is_never_sure_of_needs_no_more_than_it_gets() -> None:
    # Fear gets 0.3 at best, happy 0.9.
    truth = np.array([2, 2, 3, 3])
    shares = np.full((4, 7), 0.0, np.float32)
    shares[:2, 2], shares[2:, 3] = [0.2, 0.3], [0.9, 0.9]
    enough = thresholds(truth, shares)
    np.testing.assert_allclose(enough[[2, 3]], [0.25, 0.9])
    assert np.isinf(np.delete(enough, [2, 3])).all()
    asked = np.zeros((3, 7), np.float32)
    asked[0, [2, 3]], asked[1, [2, 3]], asked[2, 0] = [0.3, 0.7], [0.2, 0.8], 1
    # Seen as fear though happy is likelier; as nothing; and an emotion without a threshold.
    assert list(contradiction(asked, np.array([3, 3, 3]), enough)) == [2, -1, -1]
    assert list(contradiction(asked, np.array([2, 2, 2]), enough)) == [-1, -1, -1]
