"""Fit: one network on one table, stopped early, resumable at every epoch."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np
import pandas as pd

from fer.data import table
from fer.errors import ModelError
from fer.params import TrainParams
from fer.training.batches import Batches, targets
from fer.training.callbacks import KeepBest, KeepLast, StartEpoch, TellEpoch
from fer.training.schedules import warm_cosine

_HISTORY_NAMES: Final = {"val_accuracy": "monitor_accuracy", "val_loss": "monitor_loss"}


@dataclass(frozen=True)
class Plan:
    """How long, and how boldly.

    Args:
        epochs: At most.
        learning_rate: At its peak.
    """

    epochs: int
    learning_rate: float


def fit(
    model: keras.Model,
    faces: pd.DataFrame,
    monitor: pd.DataFrame,
    params: TrainParams,
    plan: Plan,
    checkpoint: Path,
) -> pd.DataFrame:
    """Fit `model` in place to its best epoch, going on where a killed run stopped.

    Args:
        model: Network of `networks.build`.
        faces: Training table.
        monitor: Face table that decides which epoch is best.
        params: Batch size, decay, patience, seed.
        plan: Epochs and learning rate.
        checkpoint: Folder for what a second run needs.

    Returns:
        One row an epoch: `epoch` from 1, `loss`, `accuracy`, `monitor_loss`,
        `monitor_accuracy`, `learning_rate`.

    Raises:
        ModelError: The training diverged.
    """
    batches = Batches(
        faces, batch_size=params.batch_size, votes_share=params.votes, seed=params.seed
    )
    model.compile(
        keras.optimizers.AdamW(
            warm_cosine(plan.learning_rate, plan.epochs * len(batches)),
            weight_decay=params.weight_decay,
        ),
        "categorical_crossentropy",
        metrics=["accuracy"],
        # Measured on two cores: compiling with XLA makes a step slower.
        jit_compile=False,
    )
    log, best = checkpoint / "history.csv", checkpoint / "best.weights.h5"
    last = checkpoint / "last.weights.h5"
    model.fit(
        batches,
        initial_epoch=_go_on(model, last) // len(batches),
        epochs=plan.epochs,
        validation_data=(
            table.decode(monitor["image"])[..., None].astype(np.float32),
            targets(monitor, params.votes),
        ),
        validation_batch_size=256,
        verbose=0,
        callbacks=[
            StartEpoch(batches),
            TellEpoch(),
            KeepBest(best, _lowest_loss(log)),
            keras.callbacks.CSVLogger(str(log), append=True),
            keras.callbacks.EarlyStopping("val_loss", patience=params.patience),
            KeepLast(last),
        ],
    )
    if not best.is_file():
        raise ModelError(
            "Expected a loss on the monitor faces, received none that is a number: the training "
            "diverged. Lower train.learning_rate or train.update_learning_rate."
        )
    model.load_weights(best)
    history = pd.read_csv(log).rename(columns=_HISTORY_NAMES)
    # Killed between log and backup, an epoch runs and is logged again.
    history = history.drop_duplicates("epoch", keep="last").reset_index(drop=True)
    history["epoch"] += 1
    return history


def _go_on(model: keras.Model, last: Path) -> int:
    """Restore what a killed run reached, and return its optimizer's steps."""
    if last.is_file():
        model.optimizer.build(model.trainable_variables)
        model.load_weights(last)
    return int(model.optimizer.iterations)


def _lowest_loss(log: Path) -> float:
    # Keras opens the log before it has anything to write.
    logged = log.is_file() and log.stat().st_size > 0
    return float(pd.read_csv(log)["val_loss"].min()) if logged else math.inf
