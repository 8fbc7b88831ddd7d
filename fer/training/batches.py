"""From the training table to the batches of each epoch."""

import math
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import table
from fer.emotions import EMOTIONS, INDEX
from fer.model.augment import augment

LABELS, VOTES = slice(None, len(EMOTIONS)), slice(len(EMOTIONS), None)
"""Columns of the targets, and of what `networks.taught` answers."""


@dataclass(frozen=True)
class Parent:
    """What an update learns from beside the labels.

    Args:
        model: Answers `(n, 7)` to what the learner is shown, and is not trained.
        share: Part of a rehearsed face's target that is its answer, 0-1; the rest is the label.
            Answers keep what the parent knows better than labels do (Li & Hoiem 2016, "Learning
            without Forgetting"; with both, on rehearsed faces: Buzzega et al. 2020, "Dark
            Experience for General Continual Learning").
    """

    model: keras.Model
    share: float


@dataclass(frozen=True, eq=False)
class Monitor:
    """Faces that judge a training.

    Args:
        shown: Faces, shape `(n, 48, 48, 1)`, 0-255.
        truth: Place of each label in `EMOTIONS`, shape `(n,)`.
    """

    shown: NDArray[np.float32]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, faces: pd.DataFrame) -> "Monitor":
        """Return the faces of a face table."""
        shown = table.decode(faces["image"])[..., None].astype(np.float32)
        return cls(shown, np.asarray(faces["label"].map(INDEX), np.int64))

    def told_by(self, model: keras.Model) -> NDArray[np.float32]:
        """Return what `model` answers, shape `(n, 7)`."""
        told: NDArray[np.float32] = model.predict(self.shown, batch_size=256, verbose=0)
        return told

    def losses(self, told: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cross-entropy of each answer of `told_by`, in nats, shape `(n,)`."""
        given = told[np.arange(len(told)), self.truth]
        return -np.log(np.maximum(given, np.finfo(np.float32).tiny))


def targets(faces: pd.DataFrame) -> NDArray[np.float32]:
    """Return the label of each face, one-hot, shape `(n, 7)`."""
    wanted = np.zeros((len(faces), len(EMOTIONS)), np.float32)
    wanted[np.arange(len(faces)), faces["label"].map(INDEX)] = 1
    return wanted


def shares(faces: pd.DataFrame) -> NDArray[np.float32]:
    """Return the votes on each face, shape `(n, 7)`; a face without votes has zeros."""
    none = np.zeros(len(EMOTIONS), np.float32)
    return np.array(
        [none if votes is None else votes for votes in faces["votes"]], np.float32
    ).reshape(-1, len(EMOTIONS))


class Batches(keras.utils.PyDataset):
    """Augmented batches, drawn anew each epoch; the same ones for the same seed and epoch.

    Args:
        faces: Training table.
        batch_size: Faces a batch; the last one may hold fewer.
        votes: Whether `shares` follow the label in the targets.
        seed: Of everything that chance decides.
        parent: What rehearsed faces are told beside their labels; None: nothing.
    """

    def __init__(
        self,
        faces: pd.DataFrame,
        *,
        batch_size: int,
        votes: bool,
        seed: int,
        parent: Parent | None = None,
    ) -> None:
        super().__init__()
        self._pixels = table.decode(faces["image"])
        self._targets = targets(faces)
        if votes:
            self._targets = np.hstack([self._targets, shares(faces)])
        self._weights = faces["weight"].to_numpy(np.float32)
        self._draw = faces["draw"].to_numpy(np.float64)
        # A learner that follows the parent keeps what labels alone, already learnt, do not hold.
        self._follows = np.where(faces["new"], 0.0, parent.share if parent else 0.0)[:, None]
        self._parent = parent
        self._batch_size = batch_size
        self._seed = seed
        self.start(0)

    def start(self, epoch: int) -> None:
        """Draw the faces of `epoch`."""
        self._epoch = epoch
        self._rows = draw(self._draw, np.random.default_rng([self._seed, epoch]))

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return math.ceil(len(self._rows) / self._batch_size)

    def __getitem__(
        self, index: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return batch `index`: faces `(b, 48, 48, 1)`, targets `(b, 7 or 14)`, weights `(b,)`.

        Faces are 0-255, changed at random; the parent sees them as the learner does.
        """
        rows = self._rows[index * self._batch_size : (index + 1) * self._batch_size]
        rng = np.random.default_rng([self._seed, self._epoch, index])
        faces, wanted = augment(self._pixels[rows], rng)[..., None], self._targets[rows]
        if self._parent is not None:
            told, part = self._parent.model.predict_on_batch(faces), self._follows[rows]
            wanted[:, LABELS] = (1 - part) * wanted[:, LABELS] + part * told
        return faces, wanted, self._weights[rows]


def draw(times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return row numbers, shuffled; row i comes up `times[i]` times on average.

    Systematic sampling: that is floor or ceil of the number, so ones give each row exactly once.
    As many come up as the sum, rounded, and at least one.
    """
    n = max(1, round(times.sum()))
    edges = np.cumsum(times) / times.sum() * n
    # A hair off the edges, so that rounding of equal shares cannot skip or double a row; no more
    # than that, else a small share that lies between two marks would never come up.
    marks = np.arange(n) + rng.uniform(1e-5, 1 - 1e-5)
    return rng.permutation(np.minimum(np.searchsorted(edges, marks), len(times) - 1))
