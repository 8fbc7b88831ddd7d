"""What was recorded of a model's answers is what it answered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from fer.emotions import EMOTIONS
from fer.evaluation import answers


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
