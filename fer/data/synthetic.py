"""Faces of people who do not exist, before cameras that can be changed.

They stand in for real faces while the machinery is tried, and are always called synthetic: no
result on them speaks for real ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import cv2
import numpy as np
import pandas as pd

from fer.data import table
from fer.data.drawn.cameras import CAMERAS, Camera
from fer.data.drawn.photograph import Shot, photograph
from fer.data.drawn.scene import FRAME_HEIGHT, FRAME_WIDTH, Picture, View
from fer.data.drawn.seeds import generator
from fer.data.drawn.subjects import random_subject
from fer.emotions import EMOTIONS
from fer.errors import ParamsError
from fer.records import SIZE

__all__ = [
    "CAMERAS",
    "FRAME_HEIGHT",
    "FRAME_WIDTH",
    "Camera",
    "LabelledFrame",
    "draw_faces",
    "draw_frames",
]

_FIRST_CAPTURE: Final = datetime(2026, 1, 1, tzinfo=UTC)

# What OpenCV's frontalface_alt2 boxes cover on drawn frames, in units, and how they scatter.
_BOX_SIDE: Final = 1.75
_BOX_Y: Final = 0.14
_BOX_SHIFT: Final = 0.04
_BOX_STRETCH: Final = 0.07

# A crop is drawn a third larger and shrunk, as the pixels of a detected face are.
_DRAWN_SIDE: Final = SIZE * 4 // 3


@dataclass(frozen=True)
class LabelledFrame:
    """One frame of a synthetic camera.

    Args:
        image: BGR, uint8 `(480, 640, 3)`, 0-255, with one face.
        label: One of `EMOTIONS`.
        subject: Pseudonym of who is in it.
    """

    image: Picture
    label: str
    subject: str


def draw_faces(
    *, camera: str, subjects: Sequence[str], per_subject: int, seed: int
) -> pd.DataFrame:
    """Return a face table of canonical crops, such as a detector would cut from the frames.

    The same arguments give the same bytes, and a face depends on its subject, its number, the
    camera and the seed alone.

    Args:
        camera: One of `CAMERAS`.
        subjects: Pseudonyms. A name and a seed make an appearance.
        per_subject: Faces of each; with a multiple of 7 every emotion comes equally often.
        seed: Of everything random.

    Returns:
        Columns of `records.FACES`, ordered by subject; `consent` and `split` are null.

    Raises:
        ParamsError: There is no such camera.
    """
    shots = _shots(camera, subjects, per_subject, seed, "face")
    return table.frame(_row(shot, _crop(shot), camera) for shot in shots)


def draw_frames(
    *, camera: str, subjects: Sequence[str], per_subject: int, seed: int
) -> Iterator[LabelledFrame]:
    """Return frames of a synthetic camera, one face in each. Arguments as in `draw_faces`.

    Raises:
        ParamsError: There is no such camera.
    """
    shots = _shots(camera, subjects, per_subject, seed, "frame")
    return (LabelledFrame(_frame(shot), shot.label, shot.name) for shot in shots)


# -- one picture ---------------------------------------------------------------------------


def _shots(
    camera: str, subjects: Sequence[str], per_subject: int, seed: int, kind: str
) -> Iterator[Shot]:
    if camera not in CAMERAS:
        raise ParamsError(f"Expected a camera of {', '.join(CAMERAS)}, received: {camera!r}.")
    return (shot for name in subjects for shot in _shots_of(name, camera, per_subject, seed, kind))


def _shots_of(name: str, camera: str, count: int, seed: int, kind: str) -> Iterator[Shot]:
    person = generator("subject", seed, name)
    subject = random_subject(person)
    first = int(person.integers(len(EMOTIONS)))
    for number in range(count):
        label = EMOTIONS[(first + number) % len(EMOTIONS)]
        rng = generator(kind, seed, camera, name, number)
        yield Shot(CAMERAS[camera], name, subject, label, number, seed, rng)


def _row(shot: Shot, face: table.Pixels, camera: str) -> dict[str, object]:
    return {
        "id": table.face_id(face),
        "image": table.encode(face[None])[0],
        "label": shot.label,
        "source": "synthetic",
        "domain": f"synthetic-{camera}",
        "subject": shot.name,
        "session": f"{shot.name}@{camera}",
        "captured_at": _FIRST_CAPTURE + timedelta(seconds=shot.number),
        "label_source": "human",
    }


def _crop(shot: Shot) -> table.Pixels:
    """Return the canonical face of `shot`: grey, `(48, 48)`, 0-255."""
    rng = shot.rng
    # Without an end, a rare crop would cut off the mouth, which no detector's box does.
    stretch, right, down = rng.normal(size=3).clip(-2, 2)
    unit = _DRAWN_SIDE / (_BOX_SIDE * (1 + _BOX_STRETCH * stretch))
    middle = _DRAWN_SIDE / 2
    view = View(_DRAWN_SIDE, _DRAWN_SIDE, middle - _BOX_SHIFT * right * unit,
                 middle - (_BOX_Y + _BOX_SHIFT * down) * unit, unit)  # fmt: skip
    # 96 pixels are 33 a unit: finer than the crop, and a good deal faster than more.
    picture = photograph(shot, view, head_side=96)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _frame(shot: Shot) -> Picture:
    unit = shot.rng.uniform(42, 95)
    x = shot.rng.uniform(1.4 * unit, FRAME_WIDTH - 1.4 * unit)
    y = shot.rng.uniform(1.4 * unit, FRAME_HEIGHT - 1.4 * unit)
    return photograph(shot, View(FRAME_WIDTH, FRAME_HEIGHT, x, y, unit), head_side=128)
