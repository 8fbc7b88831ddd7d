"""A temperature makes a model as sure as it is right, and changes no answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.evaluation.metrics import calibration_error
from fer.model.calibration import fit, tempered


def calibrated(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return answers, and the truth drawn just as often as they say."""
    generator = np.random.default_rng(5)
    told = generator.dirichlet(np.full(7, 0.3), rows)
    truth = (told.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1).clip(0, 6)
    return told.astype(np.float32), truth


@pytest.mark.parametrize("spoilt", [0.4, 1.0, 2.5])
def test_it_finds_by_how_much_a_model_is_too_sure(spoilt: float) -> None:
    told, truth = calibrated(4000)
    wrong = tempered(told, 1 / spoilt)

    found = fit(wrong, truth)

    assert found == pytest.approx(spoilt, rel=0.05)
    assert calibration_error(truth, tempered(wrong, found)) < 0.03


def test_what_it_learnt_on_some_faces_helps_on_others() -> None:
    told, truth = calibrated(4000)
    sure = tempered(told, 0.4)

    found = fit(sure[:1000], truth[:1000])

    before = calibration_error(truth[1000:], sure[1000:])
    assert calibration_error(truth[1000:], tempered(sure[1000:], found)) < before / 3


@given(st.floats(0.1, 10))
def test_the_answers_stay_and_the_inverse_undoes_it(temperature: float) -> None:
    told, _ = calibrated(50)
    # Far from what float32 can no longer hold.
    told = tempered(told, 3.0)

    after = tempered(told, temperature)

    assert np.array_equal(after.argmax(axis=1), told.argmax(axis=1))
    assert np.allclose(after.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(tempered(after, 1 / temperature), told, atol=1e-3)


def test_a_model_that_errs_nowhere_is_not_sure_without_limit() -> None:
    truth = np.arange(40) % 7
    told = np.full((40, 7), 0.05, np.float32)
    told[np.arange(40), truth] = 0.7

    sure = tempered(told, fit(told, truth))

    assert 0.9 < sure.max() < 0.999


def test_a_model_that_is_sure_to_the_last_bit_gets_finite_answers() -> None:
    told = np.eye(7, dtype=np.float32)

    softer = tempered(told, fit(told, np.array([1, 1, 2, 3, 4, 5, 6])))

    assert np.isfinite(softer).all()
    assert softer.max() < 1
