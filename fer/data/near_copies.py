"""Which faces are (almost) the same picture."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer.data.table import Pixels

_BLOCK = 5_000_000
"""Pairs compared at a time: as float32 20 MB, and as many indices where all are copies 80 MB."""


def fingerprints(faces: Pixels) -> NDArray[np.float32]:
    """Return one unit vector a face, shape `(n, 576)`; their product is a correlation.

    A face is averaged over 2 x 2 pixels, then freed of its mean and contrast, so that
    recompression, light and a pixel's shift change it little.
    """
    n = len(faces)
    small = faces.reshape(n, 24, 2, 24, 2).mean(axis=(2, 4), dtype=np.float32).reshape(n, 24 * 24)
    small -= small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    prints: NDArray[np.float32] = small / np.maximum(length, 1e-6)
    return prints


def nearest(
    left: NDArray[np.float32], right: NDArray[np.float32], threshold: float
) -> NDArray[np.intp]:
    """Return for each row of `left` the row of `right` that it is a near-copy of, or -1.

    Of several it is the one that correlates most.
    """
    found = np.full(len(left), -1, np.intp)
    if not len(right):
        return found
    for rows, likeness in _blocks(left, right):
        best = likeness.argmax(axis=1)
        above = likeness[np.arange(len(best)), best] > threshold
        found[rows] = np.where(above, best, -1)
    return found


def clusters(prints: NDArray[np.float32], threshold: float) -> NDArray[np.int32]:
    """Return a cluster number per face, shape `(n,)`; near-copies, also by a chain, share one."""
    n = len(prints)
    numbers = np.arange(n, dtype=np.int32)
    # A block at a time: a film of one person has n x n / 2 pairs, too many to keep.
    for rows, likeness in _blocks(prints, prints):
        left, right = np.nonzero(likeness > threshold)
        ends = np.stack([numbers[rows][left], numbers[right]])
        graph = coo_array((np.ones(ends.shape[1], bool), ends), shape=(n, n))
        numbers = connected_components(graph, directed=False)[1][numbers]
    return numbers


def copied(faces: Pixels, known: Pixels, threshold: float) -> NDArray[np.bool_]:
    """Return which of `faces` are near-copies of one that is known, shape `(n,)`.

    Args:
        faces: Shape `(n, 48, 48)`.
        known: Shape `(m, 48, 48)`.
        threshold: Correlation above which two count as the same picture.
    """
    return nearest(fingerprints(faces), fingerprints(known), threshold) >= 0


def _blocks(
    left: NDArray[np.float32], right: NDArray[np.float32]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Return rows of `left` and their correlations with all of `right`, some rows at a time."""
    step = max(1, _BLOCK // max(1, len(right)))
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        yield rows, left[rows] @ right.T
