"""The learning rate leaves gently, peaks, and comes to rest."""

import numpy as np
import pytest

from fer.training.schedules import warm_cosine


def rates(peak: float, steps: int) -> np.ndarray:
    schedule = warm_cosine(peak, steps)
    return np.array([float(schedule(step)) for step in range(steps + 1)])


def test_it_rises_to_the_peak_then_falls() -> None:
    told = rates(0.003, 200)
    top = int(told.argmax())

    assert top == 16
    assert told[top] == pytest.approx(0.003)
    assert np.all(np.diff(told[: top + 1]) > 0)
    assert np.all(np.diff(told[top:]) < 0)


def test_it_starts_and_ends_at_a_fiftieth_of_the_peak() -> None:
    told = rates(0.01, 120)

    assert told[0] == pytest.approx(0.0002)
    assert told[-1] == pytest.approx(0.0002)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_training_of_few_steps_has_a_rate_too(steps: int) -> None:
    told = rates(0.01, steps)

    assert np.isfinite(told).all()
    assert told.max() <= 0.01 + 1e-9
    assert told.min() > 0
