"""What was recorded of a model's answers is what it answered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.emotions import EMOTIONS
from fer.evaluation import answers
from fer.files import sha256
from fer.model.classifier import Classifier


def test_truth_and_domains_follow_the_rows(faces: Callable[..., pd.DataFrame]) -> None:
    rows = faces(3, label=["sad", "angry", "neutral"], domain=["office", "base", "office"])

    assert list(answers.truth(rows)) == [4, 0, 6]
    assert answers.truth(rows).dtype == np.int64
    assert list(answers.domains(rows)) == ["office", "base", "office"]


def test_recorded_answers_come_back_to_the_last_bit(
    faces: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    told = np.random.default_rng(1).dirichlet(np.ones(7), 50).astype(np.float32)

    answers.record(faces(50), told, tmp_path / "predictions.csv")

    again = answers.recorded(tmp_path / "predictions.csv")
    assert again.dtype == np.float32
    assert np.array_equal(again, told)


def test_the_record_names_face_truth_and_answer(
    faces: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    rows = faces(7)
    told = np.eye(7, dtype=np.float32)[[6, 5, 4, 3, 2, 1, 0]]

    answers.record(rows, told, tmp_path / "predictions.csv")

    record = pd.read_csv(tmp_path / "predictions.csv")
    assert list(record["id"]) == list(rows["id"])
    assert list(record["actual"]) == list(rows["label"])
    assert list(record["predicted"]) == list(reversed(EMOTIONS))
    assert (record["confidence"] == 1).all()


# -- what a model is on record with ----------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path, model_file: Callable[..., Path]) -> Path:
    return model_file(tmp_path / "champion.onnx")


@pytest.fixture
def shown(
    faces: Callable[..., pd.DataFrame], written: Callable[..., pd.DataFrame]
) -> pd.DataFrame:
    """200 faces, of which the model reads each as another emotion than the next."""
    return written(faces(200), np.arange(200) % 7)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces models were asked about, call by call."""
    counts: list[int] = []
    answer = Classifier.probabilities

    def counted(self: Classifier, faces: table.Pixels) -> answers.Probabilities:
        counts.append(len(faces))
        return answer(self, faces)

    monkeypatch.setattr(Classifier, "probabilities", counted)
    return counts


def _own(model: Path, faces: pd.DataFrame) -> answers.Probabilities:
    return Classifier(model).probabilities(table.decode(faces["image"]))


def test_what_a_model_answered_it_is_not_asked_again_but_for_a_few(
    model: Path, shown: pd.DataFrame, asked: list[int], tmp_path: Path
) -> None:
    folder, own = tmp_path / "answers", _own(model, shown)
    answers.of(model, shown.head(150), folder)
    asked.clear()

    # In another order, with faces that are new.
    told = answers.of(model, shown[::-1], folder)

    assert np.abs(told - own[::-1]).max() < 1e-6
    assert 50 <= sum(asked) < 150
    asked.clear()
    assert np.array_equal(answers.of(model, shown, folder), told[::-1])
    assert sum(asked) < 100


@pytest.mark.parametrize("damage", ["other answers", "no table", "no number"])
def test_a_record_that_its_model_does_not_stand_by_counts_for_nothing(
    model: Path, shown: pd.DataFrame, tmp_path: Path, damage: str
) -> None:
    folder, own = tmp_path / "answers", _own(model, shown)
    answers.of(model, shown, folder)
    (file,) = folder.iterdir()
    record = pd.read_csv(file)
    if damage == "other answers":
        record[[f"p_{emotion}" for emotion in EMOTIONS]] = np.eye(7)[0]
        record.to_csv(file, index=False)
    elif damage == "no number":
        record["p_sad"] = None
        record.to_csv(file, index=False)
    else:
        file.write_bytes(b"\xff\x00half a")

    assert np.abs(answers.of(model, shown, folder) - own).max() < 1e-6
    assert np.abs(answers.recorded(file) - own).max() < 1e-6


def test_of_two_models_the_last_one_asked_is_on_record(
    model: Path, model_file: Callable[..., Path], shown: pd.DataFrame, tmp_path: Path
) -> None:
    other = model_file(tmp_path / "other.onnx", seed=2)
    folder, own = tmp_path / "answers", _own(other, shown)
    answers.of(model, shown, folder)

    assert np.array_equal(answers.of(other, shown, folder), own)
    assert [file.stem for file in folder.iterdir()] == [sha256(other)]
