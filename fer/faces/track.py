"""Faces from frame to frame: each keeps its number, its box and its answer become steady."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer.faces.detect import Box

# Two boxes that share less are two faces. On a film of 464 frames Haar's square jumped once so
# far on the same face that 0.28 was shared; YuNet's never shared less than 0.85.
_MIN_OVERLAP: Final = 0.2

_FORGET_SECONDS: Final = 1.0
"""A face that was away for longer gets a new number."""

# After this time a change shows to 63 %. Boxes must not trail behind a moving face; answers may
# take a quarter of a second, as an expression does.
_BOX_SECONDS: Final = 0.06
_ANSWER_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Track:
    """A face as it is followed.

    Args:
        number: The same as long as the face stays in view; from 1.
        box: Smoothed over time, in pixels.
        probabilities: Smoothed over time, one for each class; None without a model.
    """

    number: int
    box: Box
    probabilities: NDArray[np.float32] | None


@dataclass(frozen=True)
class _Face:
    number: int
    corner_and_side: NDArray[np.float64]  # x, y, width, height
    probabilities: NDArray[np.float32] | None
    seen_seconds: float

    def track(self) -> Track:
        x, y, width, height = (round(value) for value in self.corner_and_side.tolist())
        return Track(self.number, Box(x, y, width, height), self.probabilities)


class Tracker:
    """Follows the faces of one camera or film; for one thread."""

    def __init__(self) -> None:
        """Start with no face and number 1."""
        self._faces: list[_Face] = []
        self._next = 1

    def update(
        self,
        boxes: Sequence[Box],
        probabilities: NDArray[np.float32] | None,
        *,
        seconds: float,
    ) -> list[Track]:
        """Return the track of each box, in the same order.

        Args:
            boxes: Faces found in the present frame.
            probabilities: Of each, shape `(len(boxes), classes)`; None: no model.
            seconds: Time of the frame, from any start; never less than before.
        """
        known = [one for one in self._faces if seconds - one.seen_seconds <= _FORGET_SECONDS]
        followed = _paired(boxes, known)
        present = []
        for number, box in enumerate(boxes):
            answer = None if probabilities is None else probabilities[number]
            corners = np.array([box.x, box.y, box.width, box.height], float)
            if number in followed:
                present.append(_moved(known[followed[number]], corners, answer, seconds))
            else:
                present.append(_Face(self._next, corners, answer, seconds))
                self._next += 1
        away = [one for place, one in enumerate(known) if place not in followed.values()]
        self._faces = present + away
        return [one.track() for one in present]


def overlap(first: Box, second: Box) -> float:
    """Return the area that two boxes share, as a fraction of what they cover together."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.area + second.area - shared)


def _paired(boxes: Sequence[Box], known: Sequence[_Face]) -> dict[int, int]:
    """Return which known face each box is: the pairs that share most come first."""
    pairs = sorted(
        (
            (overlap(box, one.track().box), number, place)
            for number, box in enumerate(boxes)
            for place, one in enumerate(known)
        ),
        reverse=True,
    )
    found: dict[int, int] = {}
    for share, number, place in pairs:
        if share >= _MIN_OVERLAP and number not in found and place not in found.values():
            found[number] = place
    return found


def _moved(
    face: _Face,
    corners: NDArray[np.float64],
    answer: NDArray[np.float32] | None,
    seconds: float,
) -> _Face:
    passed = seconds - face.seen_seconds
    kept = math.exp(-passed / _BOX_SECONDS)
    smooth = kept * face.corner_and_side + (1 - kept) * corners
    if answer is not None and face.probabilities is not None:
        kept = math.exp(-passed / _ANSWER_SECONDS)
        answer = (kept * face.probabilities + (1 - kept) * answer).astype(np.float32)
    return replace(face, corner_and_side=smooth, probabilities=answer, seen_seconds=seconds)
