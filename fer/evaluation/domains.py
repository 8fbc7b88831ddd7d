"""What a camera or data set counts among others."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FULL_WEIGHT_ROWS: Final = 50
"""Validation faces from which a domain counts in full, and can be said to have fallen."""


def domain_weights(rows: Sequence[int]) -> NDArray[np.float64]:
    """Return what each domain weighs in a mean, summing to 1, shape `(domains,)`.

    Domains weigh the same, however many rows they have, from `FULL_WEIGHT_ROWS` on; below, in
    proportion to their rows. One imported photo would otherwise count as much as 3,500 faces.
    """
    weights: NDArray[np.float64] = np.minimum(np.asarray(rows, np.float64), FULL_WEIGHT_ROWS)
    return np.asarray(weights / weights.sum(), np.float64)
