"""Properties of the scores."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer.emotions import EMOTIONS, INDEX
from fer.errors import DataError, ModelError
from fer.evaluation.answers import Probabilities, Truth
from fer.evaluation.metrics import (
    reliability,
    scores,
    scores_by_domain,
)
from fer.evaluation.scores import mean_over_domains

LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=40)


def answers(labels: list[int] | Truth, *, sure: float = 1.0) -> Probabilities:
    """Return probabilities with `sure` on each label and the rest spread evenly."""
    spread = np.full((len(labels), len(EMOTIONS)), (1 - sure) / 6, np.float32)
    spread[np.arange(len(labels)), labels] = sure
    return spread


def random_answers(rows: int) -> tuple[Truth, Probabilities]:
    generator = np.random.default_rng(4)
    probabilities = generator.dirichlet(np.full(7, 0.4), rows).astype(np.float32)
    return generator.integers(0, 7, rows), probabilities


@given(LABELS)
def test_perfect_answers_score_one_whichever_classes_are_there(labels: list[int]) -> None:
    found = scores(np.array(labels), answers(labels))

    assert (found.accuracy, found.balanced_accuracy, found.macro_f1) == (1, 1, 1)
    assert found.calibration_error == pytest.approx(0)


def test_always_happy_scores_the_share_of_happy() -> None:
    truth = np.array([INDEX["happy"]] * 6 + [INDEX["sad"]] * 3 + [INDEX["fear"]])

    found = scores(truth, answers([INDEX["happy"]] * 10))

    assert found.accuracy == pytest.approx(0.6)
    # One of the three classes that are there is always found, the others never.
    assert found.balanced_accuracy == pytest.approx(1 / 3)
    assert found.per_class["happy"].precision == pytest.approx(0.6)
    assert found.per_class["sad"] == dataclasses.replace(
        found.per_class["sad"], precision=0, recall=0, f1=0, support=3
    )
    assert found.macro_f1 == pytest.approx(0.75 / 3)


def test_confusion_has_truth_in_rows() -> None:
    found = scores(np.array([INDEX["angry"]]), answers([INDEX["neutral"]]))

    assert found.confusion[INDEX["angry"]][INDEX["neutral"]] == 1
    assert np.sum(found.confusion) == 1


def test_order_of_rows_does_not_matter() -> None:
    truth, probabilities = random_answers(50)
    order = np.random.default_rng(0).permutation(50)

    shuffled = scores(truth[order], probabilities[order])

    assert shuffled.confusion == scores(truth, probabilities).confusion
    assert shuffled.calibration_error == pytest.approx(
        scores(truth, probabilities).calibration_error
    )


def test_calibration_error_of_a_case_made_by_hand() -> None:
    # Ten rows 90 % sure and 7 right: off by 0.2. Thirty rows 50 % sure and 18 right: off by 0.1.
    truth = np.array([0] * 7 + [1] * 3 + [0] * 18 + [1] * 12)
    probabilities = np.concatenate([answers([0] * 10, sure=0.9), answers([0] * 30, sure=0.5)])

    assert scores(truth, probabilities).calibration_error == pytest.approx(
        (10 * 0.2 + 30 * 0.1) / 40, abs=1e-6
    )


def test_every_row_is_in_one_reliability_bin() -> None:
    bins = reliability(*random_answers(200))

    assert bins.count.sum() == 200
    middles = (np.arange(15) + 0.5) / 15
    assert np.all(np.abs(bins.confidence - middles)[bins.count > 0] <= 1 / 30 + 1e-6)


def test_scores_are_plain_numbers_for_json() -> None:
    found = scores(*random_answers(30))

    assert json.loads(json.dumps(dataclasses.asdict(found)))["rows"] == 30


def test_each_domain_weighs_the_same() -> None:
    truth = np.zeros(1060, np.int64)
    predicted = np.array([0] * 1000 + [1] * 60)
    domains = np.array(["old"] * 1000 + ["new"] * 60)

    found = scores_by_domain(truth, answers(predicted), domains)

    assert {name: each.accuracy for name, each in found.items()} == {"old": 1, "new": 0}
    assert mean_over_domains(found) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rows", "shape"), [(0, (0, 7)), (3, (2, 7)), (3, (3, 8))], ids=["none", "fewer", "classes"]
)
def test_answers_for_other_rows_are_refused(rows: int, shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="Received"):
        scores(np.zeros(rows, np.int64), np.full(shape, 1 / 7, np.float32))


@pytest.mark.parametrize(
    "row",
    [[np.nan] * 7, [5, -1, 2, 0, 0, 0, 1], [2, -1, 0, 0, 0, 0, 0]],
    ids=["diverged", "logits", "negative"],
)
def test_answers_that_are_no_probabilities_are_refused(row: NDArray[np.float32]) -> None:
    with pytest.raises(ModelError, match="softmax"):
        scores(np.array([0]), np.array([row], np.float32))
