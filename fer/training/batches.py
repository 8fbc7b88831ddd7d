"""From the training table to the batches of each epoch."""

import math

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import table
from fer.emotions import EMOTIONS, INDEX
from fer.model.augment import augment


def targets(faces: pd.DataFrame, votes_share: float) -> NDArray[np.float32]:
    """Return what the network should answer, shape `(n, 7)`, each row sums to 1.

    Args:
        faces: Face table.
        votes_share: Part that votes make, 0-1, where a face has them; the label makes the rest.
    """
    wanted = np.zeros((len(faces), len(EMOTIONS)), np.float32)
    wanted[np.arange(len(faces)), faces["label"].map(INDEX)] = 1
    for row, votes in enumerate(faces["votes"]):
        if votes is not None:
            wanted[row] = (1 - votes_share) * wanted[row] + votes_share * np.asarray(votes)
    return wanted


class Batches(keras.utils.PyDataset):
    """Augmented batches, drawn anew each epoch; the same ones for the same seed and epoch.

    Args:
        faces: Training table.
        batch_size: Faces a batch; the last one may hold fewer.
        votes_share: Part of votes in the target, 0-1.
        seed: Of everything that chance decides.
    """

    def __init__(
        self, faces: pd.DataFrame, *, batch_size: int, votes_share: float, seed: int
    ) -> None:
        super().__init__()
        self._pixels = table.decode(faces["image"])
        self._targets = targets(faces, votes_share)
        self._weights = faces["weight"].to_numpy(np.float32)
        self._draw = faces["draw"].to_numpy(np.float64)
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
        """Return batch `index`: faces `(b, 48, 48, 1)`, targets `(b, 7)`, loss weights `(b,)`."""
        rows = self._rows[index * self._batch_size : (index + 1) * self._batch_size]
        rng = np.random.default_rng([self._seed, self._epoch, index])
        faces = augment(self._pixels[rows], rng)
        return faces[..., None], self._targets[rows], self._weights[rows]


def draw(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return `len(shares)` row numbers, shuffled; row i comes up in proportion to its share.

    Systematic sampling: row i comes up floor or ceil of its expected number of times, so equal
    shares give each row exactly once.
    """
    n = len(shares)
    edges = np.cumsum(shares) / shares.sum() * n
    # A hair off the edges, so that rounding of equal shares cannot skip or double a row; no more
    # than that, else a small share that lies between two marks would never come up.
    marks = np.arange(n) + rng.uniform(1e-5, 1 - 1e-5)
    return rng.permutation(np.minimum(np.searchsorted(edges, marks), n - 1))
