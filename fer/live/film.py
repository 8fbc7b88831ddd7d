"""A film to what is read in its frames; only faces that stay are told."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from fer.faces import camera
from fer.faces.detect import Detector
from fer.faces.track import Tracker
from fer.live.reading import Answer, Reading, follow

FRAMES_PER_SECOND: Final = 25.0
"""Of films: near enough to what cameras make for steadying answers."""

# In 464 frames of one face, Haar saw ten others that are none: for 1 to 8 frames without a break.
# The face itself was never missed. YuNet saw the one face in every frame and no other.
STAYING: Final = 10
"""Frames without a break (0.4 s) that make a face one that stays."""


def of_film(
    path: Path, detector: Detector, answer: Answer | None
) -> Generator[Reading, None, None]:
    """Yield what is read in every frame; faces are numbered from 1 in the order they came.

    Ten frames are looked ahead, of which only the readings are in memory.

    Args:
        path: Film.
        detector: Finds the faces.
        answer: Tells their emotions; None: no model yet.

    Raises:
        CameraError: It is no film.
    """
    return staying(_looked_at(path, detector, answer))


def _looked_at(
    path: Path, detector: Detector, answer: Answer | None
) -> Generator[Reading, None, None]:
    tracker = Tracker()
    with closing(camera.frames(str(path))) as film:
        for number, frame in enumerate(film):
            seconds = number / FRAMES_PER_SECOND
            faces = follow(frame, detector, answer, tracker, seconds=seconds)
            height, width = frame.shape[:2]
            yield Reading(str(path), width, height, faces, number)


def staying(
    readings: Iterator[Reading], *, frames: int = STAYING
) -> Generator[Reading, None, None]:
    """Yield `readings` without the faces that only flicker up, and number the others anew.

    Args:
        readings: Of each frame of a film, with the numbers that its tracker gave.
        frames: For how many without a break a face must be seen once. In a shorter film, in all.
    """
    held: deque[Reading] = deque()
    runs: dict[int | None, int] = {}
    numbers: dict[int | None, int] = {}
    for reading in readings:
        held.append(reading)
        runs = {face.track: runs.get(face.track, 0) + 1 for face in reading.faces}
        _welcome(numbers, runs, frames)
        if len(held) == frames:
            yield _told(held.popleft(), numbers)
    if len(held) and held[0].frame == 0:
        _welcome(numbers, runs, len(held))
    for reading in held:
        yield _told(reading, numbers)


def _welcome(numbers: dict[int | None, int], runs: dict[int | None, int], frames: int) -> None:
    """Give the next number to each face that has been seen in `frames` without a break."""
    for track, run in runs.items():
        if run >= frames:
            numbers.setdefault(track, len(numbers) + 1)


def _told(reading: Reading, numbers: dict[int | None, int]) -> Reading:
    faces = [
        replace(face, track=numbers[face.track]) for face in reading.faces if face.track in numbers
    ]
    return replace(reading, faces=faces)
