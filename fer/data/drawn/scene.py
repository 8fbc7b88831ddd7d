"""A head in its place: the room behind it, its shirt, where it is and how it is turned."""

import functools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.data.drawn.canvas import LEFT, TOP, WIDE, Floats
from fer.data.drawn.colours import Colour
from fer.data.drawn.head import Head
from fer.data.drawn.light import Light
from fer.data.drawn.seeds import generator

Picture = NDArray[np.uint8]
"""BGR, shape `(height, width, 3)`, 0-255."""

FRAME_WIDTH: Final = 640
FRAME_HEIGHT: Final = 480
"""Pixels of a frame, the largest picture of a scene."""

_BACKDROPS: Final = 12
_BACKDROP_MARGIN: Final = 80  # pixels by which a view may move on its backdrop

_PIVOT: Final = 0.35
"""Height of the axes that a head turns about, in units: halfway into it."""


@dataclass(frozen=True)
class View:
    """Where a head is in a picture: pixels of the point between the eyes, pixels a unit."""

    width: int
    height: int
    x: float
    y: float
    unit: float


@dataclass(frozen=True)
class Pose:
    """Turn of a head in radians: to the right, downwards, and clockwise in the picture."""

    yaw: float
    pitch: float
    roll: float


def backdrop(seed: int, view: View, rng: np.random.Generator) -> Picture:
    """Return the part of a room that `view` shows."""
    whole = _painted_backdrop(seed, int(rng.integers(_BACKDROPS)))
    top = rng.integers(whole.shape[0] - view.height + 1)
    left = rng.integers(whole.shape[1] - view.width + 1)
    part = whole[top : top + view.height, left : left + view.width]
    return np.ascontiguousarray(part[:, :: int(rng.choice((-1, 1)))])


@functools.lru_cache(maxsize=2 * _BACKDROPS)
def _painted_backdrop(seed: int, number: int) -> Picture:
    """Return a room out of focus; kept, because painting one for every face would be slow."""
    rng = generator("backdrop", seed, number)
    size = FRAME_WIDTH + _BACKDROP_MARGIN, FRAME_HEIGHT + _BACKDROP_MARGIN
    wall = rng.uniform(50, 200) + rng.normal(0, 15, 3)
    across, down = rng.integers(3, 9, 2)
    brightness, tint = rng.normal(0, 30, (down, across, 1)), rng.normal(0, 12, (down, across, 3))
    blotches = (wall + brightness + tint).clip(0, 255).astype(np.uint8)
    picture = cv2.resize(blotches, size, interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(2, 6)):
        corner = rng.integers((-60, -60), size)
        far = corner + rng.integers(60, 260, 2)
        colour = (rng.uniform(30, 210) + rng.normal(0, 25, 3)).clip(0, 255).tolist()
        cv2.rectangle(picture, corner.tolist(), far.tolist(), colour, cv2.FILLED)
    return picture.astype(np.uint8)


def wear(scene: Picture, view: View, shirt: Colour, light: Light) -> None:
    """Paint shoulders below the head."""
    right = np.array(((0.35, 1.30), (0.8, 1.42), (1.35, 1.65), (1.6, 2.3), (1.8, 9.0)))
    points = np.concatenate([right, right[::-1] * (-1, 1)]) * view.unit + (view.x, view.y)
    level = light.ambient + 0.7 * light.diffuse
    colour = tuple(level * value for value in shirt)
    cv2.fillPoly(scene, [np.rint(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def place(scene: Picture, head: Head, pose: Pose, view: View) -> None:
    """Turn `head` and paint it over `scene`, in place."""
    reach = 1.5 * WIDE / 2 * view.unit  # the square's half diagonal
    left, right = max(int(view.x - reach), 0), min(int(view.x + reach), view.width)
    top, bottom = max(int(view.y - reach), 0), min(int(view.y + reach), view.height)
    x = ((np.arange(left, right) - view.x) / view.unit).astype(np.float32)[None, :]
    y = ((np.arange(top, bottom) - view.y) / view.unit).astype(np.float32)[:, None]
    cos, sin = np.float32(np.cos(pose.roll)), np.float32(np.sin(pose.roll))
    source = _unturned(head.height, x * cos + y * sin, y * cos - x * sin, pose)
    turned = cv2.remap(head.image, *source, cv2.INTER_LINEAR)
    part = scene[top:bottom, left:right]
    opacity = turned[..., 3:] * np.float32(1 / 255)
    part[:] = np.rint(part + (turned[..., :3] - part.astype(np.float32)) * opacity)


def _unturned(height: Floats, x: Floats, y: Floats, pose: Pose) -> tuple[Floats, Floats]:
    """Return the pixels of the frontal head that a turned head shows at `x`, `y` (units)."""
    scale = np.float32(height.shape[0] / WIDE)
    sin_yaw, cos_yaw = np.float32(np.sin(pose.yaw)), np.float32(np.cos(pose.yaw))
    sin_pitch, cos_pitch = np.float32(np.sin(pose.pitch)), np.float32(np.cos(pose.pitch))
    column, row = (x - LEFT) * scale - 0.5, (y - TOP) * scale - 0.5
    for _ in range(2):  # where a point comes from depends on its height there
        depth = cv2.remap(height, column, row, cv2.INTER_LINEAR) - np.float32(_PIVOT)
        column = ((x - depth * sin_yaw) / cos_yaw - LEFT) * scale - 0.5
        row = ((y - depth * sin_pitch) / cos_pitch - TOP) * scale - 0.5
    return column, row
