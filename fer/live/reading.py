"""A frame to its faces and their emotions: what the page, the API and `fer predict` all tell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fer.emotions import EMOTIONS, intensity
from fer.faces.align import canonical
from fer.faces.detect import Box, Detection, Detector
from fer.faces.quality import Flaw, flaws
from fer.faces.track import Tracker

Doubt = Flaw | Literal["unsure"]

_UNSURE_BELOW: Final = 0.5
"""Confidence is calibrated: below one half, an answer is more often wrong than right."""

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Canonical faces `(n, 48, 48)` to probabilities `(n, 7)`."""


@dataclass(frozen=True)
class Face:
    """A face and what is read in it.

    Args:
        box: x, y, width and height in pixels.
        emotion: The most probable of `EMOTIONS`; None, like all that follows: no model yet.
        confidence: Its probability.
        score: Intensity, 0-5; see `emotions.intensity`.
        probabilities: Of each emotion.
        track: Number of the face in a film or before a camera; None in a picture.
        quality: What makes the answer doubtful: the flaws of `faces.quality.flaws`, and "unsure"
            where it is more likely wrong than right.
    """

    box: tuple[int, int, int, int]
    emotion: str | None
    confidence: float | None
    score: float | None
    probabilities: dict[str, float] | None
    track: int | None
    quality: tuple[Doubt, ...]


@dataclass(frozen=True)
class Reading:
    """A picture, or one frame of a film, with its faces.

    Args:
        path: File that it is from.
        width: Of the picture, in pixels.
        height: Likewise.
        faces: Largest first.
        frame: Number of the frame in a film, from 0; None: a picture.
    """

    path: str
    width: int
    height: int
    faces: list[Face]
    frame: int | None = None


def read(frame: NDArray[np.uint8], detector: Detector, answer: Answer | None) -> list[Face]:
    """Return the faces in one picture, largest first.

    Args:
        frame: BGR, shape `(height, width, 3)`.
        detector: Finds the faces.
        answer: Tells their emotions; None: no model yet.
    """
    found, answers = _looked_at(frame, detector, answer)
    return [
        _face(one.box, None if answers is None else answers[number], None, flaws(one, frame))
        for number, one in enumerate(found)
    ]


def follow(
    frame: NDArray[np.uint8],
    detector: Detector,
    answer: Answer | None,
    tracker: Tracker,
    *,
    seconds: float,
) -> list[Face]:
    """Return the faces in one frame of a film or camera, numbered and steadied by `tracker`.

    Args:
        frame: BGR, shape `(height, width, 3)`.
        detector: Finds the faces.
        answer: Tells their emotions; None: no model yet.
        tracker: Of this film or camera.
        seconds: Time of the frame.
    """
    found, answers = _looked_at(frame, detector, answer)
    tracks = tracker.update([one.box for one in found], answers, seconds=seconds)
    return [
        _face(track.box, track.probabilities, track.number, flaws(one, frame))
        for track, one in zip(tracks, found, strict=True)
    ]


def _looked_at(
    frame: NDArray[np.uint8], detector: Detector, answer: Answer | None
) -> tuple[list[Detection], NDArray[np.float32] | None]:
    found = detector.detect(frame)
    if not found or answer is None:
        return found, None
    return found, answer(np.stack([canonical(frame, one.box) for one in found]))


def _face(
    box: Box,
    probabilities: NDArray[np.float32] | None,
    track: int | None,
    quality: tuple[Doubt, ...],
) -> Face:
    where = (box.x, box.y, box.width, box.height)
    if probabilities is None:
        return Face(where, None, None, None, None, track, quality)
    values = [round(value, 4) for value in probabilities.tolist()]
    best = int(np.argmax(probabilities))
    if values[best] < _UNSURE_BELOW:
        quality = (*quality, "unsure")
    return Face(
        box=where,
        emotion=EMOTIONS[best],
        confidence=values[best],
        score=round(intensity(values), 2),
        probabilities=dict(zip(EMOTIONS, values, strict=True)),
        track=track,
        quality=quality,
    )
