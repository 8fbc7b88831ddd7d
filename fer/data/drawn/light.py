"""Light on a head: its form, the shadows of the eye sockets and the folds of the skin."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike

from fer.data.drawn.canvas import WIDE, Canvas, Floats
from fer.data.drawn.expressions import Action
from fer.data.drawn.relief import Bumps
from fer.data.drawn.subjects import Subject

_FOLD_SHOWS: Final = 0.08  # depth, 0-1; a lesser fold is left smooth


@dataclass(frozen=True)
class Light:
    """Light on a head.

    Args:
        towards: Direction to the lamp, unit length; x right, y down, z to the viewer.
        ambient: Share of light from everywhere.
        diffuse: Share of light from the lamp.
    """

    towards: tuple[float, float, float]
    ambient: float
    diffuse: float


def lit(relief: Floats, subject: Subject, action: Action, light: Light) -> tuple[Floats, Floats]:
    """Return brightness (about 0-1.2) and gloss (0-255), each `(side, side)`."""
    side = relief.shape[0]
    shade, gloss = _on_form(relief, light)
    shade *= _sockets(subject, side) * _wrinkles(subject, action, side)
    return shade, gloss


def _on_form(relief: Floats, light: Light) -> tuple[Floats, Floats]:
    """Return brightness and gloss without the dark of sockets and folds."""
    scale = relief.shape[0] / WIDE / 8  # a 3 x 3 Sobel sums 8 times the slope per pixel
    right = cv2.Sobel(relief, cv2.CV_32F, 1, 0, scale=scale)
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, scale=scale)
    facing = 1 / np.sqrt(1 + right * right + down * down)
    x, y, z = light.towards
    lamp = np.maximum((z - x * right - y * down) * facing, 0)
    shade = light.ambient * (0.75 + 0.25 * facing) + light.diffuse * lamp
    square = lamp * lamp
    gloss = square**4
    gloss *= gloss * square * (18 * light.diffuse)  # lamp to the 18th
    return shade.astype(np.float32), gloss.astype(np.float32)


def _sockets(subject: Subject, side: int) -> Floats:
    return 1 - np.float32(0.30) * Bumps(side).pair(subject.eye_x, -0.045, 0.20, 0.10)


def _wrinkles(subject: Subject, action: Action, side: int) -> Floats:
    """Return the share of light that skin folds let back, `(side, side)`."""
    canvas = Canvas(side, (0, 0, 0))
    for points, depth in _folds(subject, action):
        if depth > _FOLD_SHOWS:
            strength = 255 * min(depth, 1.0)
            canvas.line(points, (strength, strength, strength), width=0.03)
    depths = np.ascontiguousarray(canvas.image[..., 0])
    soft = cv2.GaussianBlur(depths, (0, 0), 0.022 * side / WIDE).astype(np.float32)
    return 1 - soft * np.float32(0.6 / 255)


def _folds(subject: Subject, action: Action) -> Iterator[tuple[ArrayLike, float]]:
    """Yield each skin fold and its depth, 0-1."""
    nose, mouth, brow = subject.nose_y, subject.mouth_y, -subject.brow_y
    smile = max(action[12], 0.8 * action[10], 0.7 * action[9])
    yield ((-0.10, brow + 0.16), (0.10, brow + 0.16)), action[9]
    yield ((-0.08, brow + 0.24), (0.08, brow + 0.24)), action[9]
    for height in (0.20, 0.30):
        rise = ((x, brow - height - 0.05 * action[1] + 0.12 * x * x) for x in (-0.4, 0, 0.4))
        yield list(rise), 0.7 * min(action[1], action[2] + 0.35)
    for eye in (-1, 1):
        wing = eye * (subject.nose_width + 0.06)
        yield ((wing, nose - 0.04), (wing + eye * 0.13, nose + 0.12),
               (wing + eye * 0.16, mouth)), smile  # fmt: skip
        yield ((eye * 0.05, brow - 0.07), (eye * 0.045, brow + 0.10)), action[4]
        corner = eye * (subject.eye_x + subject.eye_width + 0.03)
        for tilt in (-0.05, 0.05):
            yield ((corner, tilt / 2), (corner + eye * 0.1, tilt * 1.5)), 0.8 * action[6]
