"""The square that holds a head, and painting in it.

Lengths are in units of about half a head: eyes at y = 0, chin near y = 1, x to the right and y
down.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer.data.drawn.colours import Colour

Floats = NDArray[np.float32]

LEFT: Final = -1.45
TOP: Final = -1.40
WIDE: Final = 2.9
"""Left and upper edge and the side of the square that holds a head, in units."""


def axes(side: int) -> tuple[Floats, Floats]:
    """Return the columns' x and the rows' y, in units, of a square of `side` pixels."""
    steps = (np.arange(side, dtype=np.float32) + 0.5) * (WIDE / side)
    return steps + LEFT, steps + TOP


class Canvas:
    """A square picture that is painted in units.

    Args:
        side: Pixels.
        ground: Colour where nothing is painted, transparent. The edges of what is painted
            blend with it.
    """

    def __init__(self, side: int, ground: Colour) -> None:
        self.image = np.full((side, side, 4), (*ground, 0), np.uint8)
        self._scale = side / WIDE

    def fill(self, points: ArrayLike, colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.image, [self._pixels(points)], (*colour, 255), cv2.LINE_AA, 4)

    def line(self, points: ArrayLike, colour: Colour, *, width: float) -> None:
        """Draw a line that is `width` units wide, but no less than a pixel."""
        thick = max(1, round(width * self._scale))
        pixels = [self._pixels(points)]
        cv2.polylines(
            self.image,
            pixels,
            isClosed=False,
            color=(*colour, 255),
            thickness=thick,
            lineType=cv2.LINE_AA,
            shift=4,
        )

    def _pixels(self, points: ArrayLike) -> NDArray[np.int32]:
        """Return `points`, units, in sixteenths of a pixel."""
        places = (np.asarray(points) - (LEFT, TOP)) * self._scale - 0.5
        return np.rint(places * 16).astype(np.int32)
