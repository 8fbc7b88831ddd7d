"""The line around a head, which its relief and its paint share."""

import numpy as np
from numpy.typing import NDArray

from fer.data.drawn.canvas import Floats
from fer.data.drawn.expressions import Action
from fer.data.drawn.subjects import Subject


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high` and a soft rise between them."""
    share = ((value - low) / (high - low)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def half_width(subject: Subject, y: Floats) -> Floats:
    """Return half the head's width before it rounds off at crown and chin."""
    narrowing = smoothstep(0.15, subject.head_height + 0.1, y)
    return subject.head_width * (1 - subject.jaw * narrowing)


def chin_of(subject: Subject, action: Action) -> float:
    """Return how far below the eyes the chin is."""
    return subject.head_height + 0.17 * max(action[26], 0.0)


def right_edge(subject: Subject, chin: float, *, top: float, bottom: float) -> NDArray[np.float64]:
    """Return the head's right edge from `top` to `bottom` (units), as points `(24, 2)`."""
    turn = np.linspace(-1, 1, 24)
    y = top + (bottom - top) * (1 + np.sin(turn * np.pi / 2)) / 2
    reach = np.where(y > 0, chin, subject.head_height)
    rounding = np.maximum(1 - np.abs(y / reach) ** 2.2, 0) ** (1 / subject.squareness)
    wide = half_width(subject, y.astype(np.float32))
    return np.stack([wide * rounding, y], axis=1)


def mirrored(right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Close a right edge, top to bottom, with its mirror image."""
    return np.concatenate([right, right[::-1] * (-1, 1)])
