"""Fit: one network on one table, stopped early, resumable at every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import pandas as pd

from fer.errors import ModelError
from fer.model import networks
from fer.params import TrainParams
from fer.training.batches import LABELS, VOTES, Batches, Monitor, Parent
from fer.training.callbacks import (
    JudgeEpoch,
    KeepBest,
    KeepLast,
    KeepLog,
    StartEpoch,
    StopEarly,
    TellEpoch,
)
from fer.training.schedules import warm_cosine

_MODES: Final = {"loss": "min", "accuracy": "max"}


@dataclass(frozen=True)
class Plan:
    """How long, and how boldly.

    Args:
        epochs: At most.
        learning_rate: At its peak.
        callbacks: More than `fit` has, called last.
        update: The model is a parent: rehearsed faces keep its answers, its layers their
            statistics, and the last epoch is kept, when the learning rate has come to rest: the
            parent may know the monitor faces too well to say which is best.
    """

    epochs: int
    learning_rate: float
    callbacks: Sequence[keras.callbacks.Callback] = ()
    update: bool = False


def fit(
    model: keras.Model,
    faces: pd.DataFrame,
    monitor: Monitor,
    params: TrainParams,
    plan: Plan,
    checkpoint: Path,
) -> pd.DataFrame:
    """Fit `model` in place to the epoch to keep, going on where a killed run stopped.

    Args:
        model: A `learner`; of an update, with the parent's weights, also where
            a killed run goes on.
        faces: Training table.
        monitor: Faces that decide which epoch is best.
        params: Batch size, decay, the parent's share, what is best, patience, seed.
        plan: Epochs and learning rate.
        checkpoint: Folder for what a second run needs.

    Returns:
        One row an epoch: `epoch` from 1, `loss`, `accuracy`, `monitor_loss`,
        `monitor_accuracy`, `learning_rate`. On the monitor the network's answer is judged; in
        training a loss is the mean of what is taught, trunk by trunk and with the votes, an
        accuracy that of the trunks' common answer.

    Raises:
        ModelError: The training diverged.
    """
    votes = params.votes > 0 and bool(faces["votes"].notna().any())
    # Its layers are those of `model`, which learns with it.
    taught = networks.taught(model, votes=votes)
    parent = None
    if plan.update:
        parent = Parent(networks.copy(model), params.parent_share)
        networks.freeze_statistics(model)
    batches = Batches(
        faces, batch_size=params.batch_size, votes=votes, seed=params.seed, parent=parent
    )
    taught.compile(
        keras.optimizers.AdamW(
            warm_cosine(plan.learning_rate, plan.epochs * len(batches)),
            weight_decay=params.weight_decay,
        ),
        _loss(params.votes if votes else 0.0),
        metrics=[keras.metrics.MeanMetricWrapper(_accuracy, name="accuracy")],
        # Measured on two cores: compiling with XLA makes a step slower.
        jit_compile=False,
    )
    log, best = checkpoint / "history.csv", checkpoint / "best.weights.h5"
    last = checkpoint / "last.weights.h5"
    measure, mode = f"monitor_{params.best_by}", _MODES[params.best_by]
    done = _go_on(taught, last) // len(batches)
    logged = _logged(log, measure)
    patience = plan.epochs if plan.update else params.patience
    stop = StopEarly(measure, mode, patience, logged[logged.index < done].tolist())
    taught.fit(
        batches,
        initial_epoch=done,
        epochs=done if stop.spent else plan.epochs,
        verbose=0,
        # They are mixed already, for the epoch's number; Keras would mix them by what chance had
        # done before, and a training that goes on would see another order.
        shuffle=False,
        callbacks=[
            StartEpoch(batches),
            JudgeEpoch(model, monitor),
            TellEpoch(),
            KeepBest(best, measure, mode, logged),
            KeepLog(log),
            stop,
            KeepLast(last),
            *plan.callbacks,
        ],
    )
    history = pd.read_csv(log)
    # Killed between log and backup, an epoch runs and is logged again.
    history = history.drop_duplicates("epoch", keep="last").reset_index(drop=True)
    history["epoch"] += 1
    if not best.is_file() or (plan.update and history["monitor_loss"].isna().iloc[-1]):
        raise ModelError(
            "Expected a loss on the monitor faces, received none that is a number: the training "
            "diverged. Lower train.learning_rate or train.update_learning_rate."
        )
    if not plan.update:
        taught.load_weights(best)
    return history


def _loss(weight: float) -> Any:
    """Cross-entropy of the labels, and `weight` times that of the votes behind them.

    The mean over the trunks.
    """
    ops, of = keras.ops, keras.losses.categorical_crossentropy

    def loss(wanted: Any, told: Any) -> Any:
        each = ops.broadcast_to(wanted[:, None], ops.shape(told))
        lost = of(each[..., LABELS], told[..., LABELS])
        if weight:
            lost += weight * of(each[..., VOTES], told[..., VOTES])
        return ops.mean(lost, axis=-1)

    return loss


def _accuracy(wanted: Any, told: Any) -> Any:
    """Of the trunks' common answer: the mean of their logits, but for a constant a face."""
    ops = keras.ops
    together = ops.mean(ops.log(ops.maximum(told[..., LABELS], keras.config.epsilon())), axis=1)
    return keras.metrics.categorical_accuracy(wanted[:, LABELS], together)


def _go_on(model: keras.Model, last: Path) -> int:
    """Restore what a killed run reached, and return its optimizer's steps."""
    # Built within the first step, as Keras does it, TensorFlow would trace that step twice.
    model.optimizer.build(model.trainable_variables)
    if last.is_file():
        model.load_weights(last)
    return int(model.optimizer.iterations)


def _logged(log: Path, measure: str) -> "pd.Series[float]":
    """Return what each epoch reached, by its number from 0."""
    if not log.is_file():
        return pd.Series(dtype=float)
    # Killed between log and backup, an epoch runs and is logged again.
    history = pd.read_csv(log).drop_duplicates("epoch", keep="last")
    return history.set_index("epoch")[measure].dropna()


def best_epoch(history: pd.DataFrame, best_by: str) -> pd.Series:
    """Return the row of `fit`'s history that was best; its weights were kept but by an update.

    Args:
        history: What `fit` returned.
        best_by: `train.best_by`.
    """
    measured = history[f"monitor_{best_by}"]
    return history.iloc[measured.argmax() if _MODES[best_by] == "max" else measured.argmin()]
