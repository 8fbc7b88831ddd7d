"""One drawn head: a subject's features, moved by an emotion, painted and lit."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.data.drawn.canvas import WIDE, Canvas, Floats
from fer.data.drawn.expressions import Expression
from fer.data.drawn.light import Light, lit
from fer.data.drawn.paint import paint
from fer.data.drawn.relief import relief_of
from fer.data.drawn.subjects import Subject


@dataclass(frozen=True)
class Head:
    """A frontal head, ready to be turned.

    Args:
        image: Lit colours and opacity, BGRA, uint8 `(side, side, 4)`, 0-255.
        height: Smoothed relief towards the viewer in units, `(side, side)`.
    """

    image: NDArray[np.uint8]
    height: Floats


def draw_head(subject: Subject, expression: Expression, light: Light, *, side: int) -> Head:
    """Draw one head from the front in a square of `side` pixels, 2.9 units wide."""
    relief = relief_of(subject, expression.actions, side)
    canvas = Canvas(side, subject.skin)
    paint(canvas, subject, expression)
    shade, gloss = lit(relief, subject, expression.actions, light)
    shown = canvas.image[..., :3] * shade[..., None] + gloss[..., None]
    canvas.image[..., :3] = np.minimum(shown, 255)
    # Unsmoothed, the steep rim tears the silhouette of a turned head into dots.
    height = cv2.GaussianBlur(relief, (0, 0), 0.045 * side / WIDE)
    return Head(canvas.image, height.astype(np.float32))
