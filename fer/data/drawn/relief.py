"""The form of a head: how far each point of it stands out towards the viewer."""

import numpy as np

from fer.data.drawn.canvas import Floats, axes
from fer.data.drawn.expressions import Action
from fer.data.drawn.outline import chin_of, half_width, smoothstep
from fer.data.drawn.subjects import Subject


class Bumps:
    """Gaussian hills; as products of a row and a column they cost next to nothing."""

    def __init__(self, side: int) -> None:
        self.x, self.y = axes(side)

    def at(self, x: float, y: float, width: float, height: float) -> Floats:
        """Return one hill."""
        across = np.exp(-(((self.x - x) / width) ** 2))
        return np.outer(np.exp(-(((self.y - y) / height) ** 2)), across)

    def pair(self, x: float, y: float, width: float, height: float) -> Floats:
        """Return a hill on either side of the nose."""
        across = np.exp(-(((np.abs(self.x) - x) / width) ** 2))
        return np.outer(np.exp(-(((self.y - y) / height) ** 2)), across)


def relief_of(subject: Subject, action: Action, side: int) -> Floats:
    """Return the height of the face towards the viewer, `(side, side)`, in units."""
    bumps = Bumps(side)
    x, y = bumps.x, bumps.y
    reach = np.where(y > 0, chin_of(subject, action), subject.head_height).astype(np.float32)
    power = np.float32(subject.squareness)
    radius = np.outer(half_width(subject, y) ** -power, np.abs(x) ** power)
    radius += (np.abs(y / reach) ** 2.2)[:, None]
    relief = 0.62 * np.sqrt(np.maximum(1 - radius, 0) + np.float32(0.004))
    relief -= 0.075 * bumps.pair(subject.eye_x, 0, 0.19, 0.12)
    relief += 0.05 * bumps.pair(subject.eye_x * 0.8, -subject.brow_y, 0.24, 0.07)
    cheek = 0.035 + 0.05 * (action[6] + action[12]) / 2
    relief += cheek * bumps.pair(0.41, 0.33, 0.17, 0.15)
    relief += 0.06 * bumps.at(0, subject.head_height - 0.14, 0.16, 0.10)
    relief += 0.045 * bumps.at(0, subject.mouth_y, 0.26, 0.14)
    relief += _nose(bumps, subject, subject.nose_y - 0.03 * action[9])
    # Hair, ears and neck hang on a rounder, lower form, so that light and turning treat them.
    behind = np.maximum(1 - (x[None, :] / 1.15) ** 2 - (y[:, None] / 1.7) ** 2, 0)
    return np.asarray(np.maximum(relief, 0.62 * np.sqrt(behind) - 0.35), np.float32)


def _nose(bumps: Bumps, subject: Subject, tip: float) -> Floats:
    profile = smoothstep(-0.16, tip - 0.06, bumps.y)
    profile *= 1 - smoothstep(tip - 0.02, tip + 0.09, bumps.y)
    width = np.interp(bumps.y, (-0.16, tip), (0.055, 0.62 * subject.nose_width))
    across = (bumps.x[None, :] / (1.25 * width[:, None].astype(np.float32))) ** 2
    ridge = subject.nose_height * profile[:, None] * np.exp(-across)
    wings = bumps.pair(0.75 * subject.nose_width, tip - 0.01, 0.045, 0.05)
    return np.asarray(ridge + 0.07 * wings, np.float32)
