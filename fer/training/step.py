"""Step: how far an update goes from its parent towards what was fitted.

Between two sets of weights that one training joins lie models that keep more of the first than
they lose of the second (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
import pandas as pd

from fer.data import table
from fer.emotions import INDEX

STEPS: Final = (1.0, 0.8, 0.6)
"""Tried in this order. Below the last nearly as much is given up as is kept."""
ALLOWED: Final = 0.01
"""Nats by which the loss on what the parent knows may rise: about half a point of accuracy."""


def settle(model: keras.Model, begun: Sequence[Any], monitor: pd.DataFrame) -> float:
    """Take `model` back towards the parent until what the parent knows is kept; return the step.

    Args:
        model: The fitted network; changed in place.
        begun: The parent's weights, as `model.get_weights()` gives them.
        monitor: Monitor faces of the domains that the parent knows; with none, 1.0 is the step.
    """
    if monitor.empty:
        return STEPS[0]
    ended = model.get_weights()
    faces = table.decode(monitor["image"])[..., None].astype(np.float32)
    truth = monitor["label"].map(INDEX).to_numpy(np.int64)

    def loss(step: float) -> float:
        pairs = zip(begun, ended, strict=True)
        model.set_weights([first + step * (last - first) for first, last in pairs])
        told = model.predict(faces, batch_size=256, verbose=0)[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(told, np.finfo(np.float32).tiny)).mean())

    limit = loss(0.0) + ALLOWED
    # Where none keeps enough, the last, shortest one stays: the gate judges it.
    return next((step for step in STEPS if loss(step) <= limit), STEPS[-1])
