"""Update: a parent learns new faces, and keeps what it knows."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.params import TrainParams
from fer.training.batches import Monitor
from fer.training.fit import Plan, fit
from fer.training.step import settle


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a training came to.

    Args:
        history: What `fit` returned.
        step: How far it went from its parent, 0-1.
        told: What the network answers to the monitor faces now, shape `(n, 7)`.
        truth: Place of their labels in `EMOTIONS`, shape `(n,)`.
    """

    history: pd.DataFrame
    step: float
    told: NDArray[np.float32]
    truth: NDArray[np.int64]


def update(
    model: keras.Model,
    faces: pd.DataFrame,
    held_out: pd.DataFrame,
    params: TrainParams,
    plan: Plan,
    checkpoint: Path,
) -> Fitted:
    """Fit `model`, which has its parent's weights, in place, and settle how far it goes.

    Args:
        model: A `learner`.
        faces: Training table.
        held_out: Face table of the monitor faces.
        params: As for `fit`.
        plan: Of an update.
        checkpoint: As for `fit`.

    Raises:
        ModelError: The training diverged.
    """
    monitor, begun = Monitor.of(held_out), model.get_weights()
    history = fit(model, faces, monitor, params, plan, checkpoint)
    known = held_out["domain"].isin(faces.loc[~faces["new"], "domain"]).to_numpy(bool)
    return Fitted(history, *settle(model, begun, monitor, known), monitor.truth)
