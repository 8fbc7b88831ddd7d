"""Frame and box to the canonical face: the one preprocessing, in training and serving alike."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.errors import DataError
from fer.faces.detect import Box
from fer.records import SIZE

# A face is not twice as high as it is wide; and the square around a line of pixels would not
# fit in memory.
_MAX_ASPECT = 2


def canonical(frame: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the face in `box`: grey, square, of FER2013's size, and not standardised.

    Args:
        frame: BGR, shape `(height, width, 3)`, values 0-255.
        box: Square in pixels. Where it leaves the frame, the frame's rim is repeated.

    Returns:
        Grey, shape `(48, 48)`, values 0-255.
    """
    rows = frame.take(np.arange(box.y, box.y + box.height), axis=0, mode="clip")
    crop = rows.take(np.arange(box.x, box.x + box.width), axis=1, mode="clip")
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    # Area averages all pixels, where linear skips some and adds grain. Enlarging, area would
    # repeat pixels in blocks, and cubic would overshoot at edges.
    shrinking = box.width > SIZE
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIZE, SIZE), interpolation=interpolation), np.uint8)


def canonical_crop(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the canonical face of a picture that is a face and nothing else.

    A picture that is not square keeps its proportions: it is widened to a square by repeating
    its rim. A grey picture of 48 x 48 stays as it is, bit for bit.

    Args:
        picture: BGR, shape `(height, width, 3)`, values 0-255.

    Returns:
        Grey, shape `(48, 48)`, values 0-255.

    Raises:
        DataError: The picture is more than twice as long one way as the other.
    """
    height, width = picture.shape[:2]
    side = max(height, width)
    if side > _MAX_ASPECT * min(height, width):
        raise DataError(
            f"Expected a face about as wide as high, received a picture of {width} x {height}. "
            "Cut the face out, or import it with detection."
        )
    return canonical(picture, Box((width - side) // 2, (height - side) // 2, side, side))
