"""Step: how far an update goes from its parent towards what was fitted.

Between two sets of weights that one training joins lie models that keep more of the first than
they lose of the second (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from bisect import bisect
from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from fer.training.batches import Monitor

STEPS: Final = (0.6, 0.7, 0.8, 0.9, 1.0)
"""Below the first nearly as much is given up as is kept."""
ALLOWED: Final = 0.02
"""Nats by which the loss on what the parent knows may rise. It has cost the forked champion a
quarter point of accuracy at most, the residual one up to 0.7 (docs/experiments.md)."""


def settle(
    model: keras.Model,
    begun: Sequence[Any],
    monitor: Monitor,
    known: NDArray[np.bool_],
) -> tuple[float, NDArray[np.float32]]:
    """Take `model` back towards the parent until what the parent knows is kept.

    Args:
        model: The fitted network; changed in place.
        begun: The parent's weights, as `model.get_weights()` gives them.
        monitor: Faces that judge it.
        known: Which of them are of domains that the parent knows; with none, 1.0 is the step.

    Returns:
        The step, and what `model` then answers to the monitor faces, shape `(n, 7)`.
    """
    ended = model.get_weights()
    told: dict[float, NDArray[np.float32]] = {}

    def go(step: float) -> None:
        pairs = zip(begun, ended, strict=True)
        model.set_weights([first + step * (last - first) for first, last in pairs])

    def loss_at(step: float) -> float:
        go(step)
        told[step] = monitor.told_by(model)
        return float(monitor.losses(told[step])[known].mean())

    if not known.any():
        return STEPS[-1], monitor.told_by(model)
    limit = loss_at(0.0) + ALLOWED
    # The farther, the more is lost; where none keeps enough, the first stays: the gate judges it.
    step = STEPS[max(1, bisect(STEPS, limit, key=loss_at)) - 1]
    go(step)
    return step, told[step]
