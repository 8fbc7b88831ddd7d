"""What happens between epochs."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from fer.files import replacing
from fer.training.batches import Batches, Monitor


class StartEpoch(keras.callbacks.Callback):
    """Tell the batches which epoch it is, also after a resumed training."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Draw the faces of `epoch`."""
        self._batches.start(epoch)


class JudgeEpoch(keras.callbacks.Callback):
    """Add loss and accuracy of the answers to the monitor faces to what is logged.

    Keras' own validation would judge what is taught, trunk by trunk and votes too, and not what
    will be asked. Comes before the callbacks that read it.

    Args:
        model: What answers; shares its layers with the one that is fitted.
        monitor: Faces that judge it.
    """

    def __init__(self, model: keras.Model, monitor: Monitor) -> None:
        super().__init__()
        self._answering, self._monitor = model, monitor

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Ask, and add."""
        if logs is not None:
            told = self._monitor.told_by(self._answering)
            logs["monitor_loss"] = float(self._monitor.losses(told).mean())
            logs["monitor_accuracy"] = float((told.argmax(axis=1) == self._monitor.truth).mean())


class TellEpoch(keras.callbacks.Callback):
    """Add the learning rate to what is logged, and print a line short enough for a flow's log.

    Comes before the callbacks that log.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add and print."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
            reached = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
            print(f"epoch {epoch + 1:3d}  {reached}", flush=True)  # noqa: T201  progress


class KeepBest(keras.callbacks.Callback):
    """Keep the weights of the best epoch, whole or not at all.

    Comes before the log: killed in between, the epoch runs again, and beats what is logged again.

    Args:
        path: File to replace; ends in `.weights.h5`.
        measure: What is logged, such as "monitor_loss".
        mode: "min" or "max", which is better.
        logged: What earlier epochs reached.
    """

    def __init__(self, path: Path, measure: str, mode: str, logged: Iterable[float]) -> None:
        super().__init__()
        self._path = path
        self._measure = measure
        self._sign = -1 if mode == "max" else 1
        self._lowest = min((self._sign * one for one in logged), default=math.inf)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Write them if this epoch is better."""
        if logs is not None and self._sign * logs[self._measure] < self._lowest:
            with replacing(self._path) as temporary:
                self.model.save_weights(temporary)
            self._lowest = self._sign * logs[self._measure]


class StopEarly(keras.callbacks.EarlyStopping):
    """Stop after so many epochs without a better one, those before a kill counted in.

    Args:
        measure: What is logged, such as "monitor_loss".
        mode: "min" or "max", which is better.
        patience: How many.
        logged: What earlier epochs reached, in their order.
    """

    def __init__(self, measure: str, mode: str, patience: int, logged: Sequence[float]) -> None:
        super().__init__(measure, patience=patience, mode=mode)
        self._reached = (min if mode == "min" else max)(logged, default=None)
        self._since = len(logged) - 1 - logged.index(self._reached) if logged else 0

    @property
    def spent(self) -> bool:
        """Whether the training had ended when it was killed."""
        return bool(self._since >= self.patience)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Count on from what is logged; Keras counts from nought."""
        super().on_train_begin(logs)
        self.best, self.wait = self._reached, self._since


class KeepLog(keras.callbacks.Callback):
    """Keep what every epoch reached as CSV, whole or not at all.

    Keras' own CSVLogger appends in place: where the disk is full half a line is left, which ends
    every training after it.

    Args:
        path: File to replace.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add a row."""
        row = {"epoch": epoch, **dict(sorted((logs or {}).items()))}
        before = [pd.read_csv(self._path)] if self._path.is_file() else []
        with replacing(self._path) as temporary:
            pd.concat([*before, pd.DataFrame([row])]).to_csv(temporary, index=False)


class KeepLast(keras.callbacks.Callback):
    """Keep the weights and the optimizer's state of every epoch, whole or not at all.

    Keras' own BackupAndRestore writes in place: killed while writing, it never starts again.
    Comes last: an epoch counts as done only when the other callbacks have written theirs.

    Args:
        path: File to replace; ends in `.weights.h5`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras' signature
        """Write them."""
        with replacing(self._path) as temporary:
            self.model.save_weights(temporary)
