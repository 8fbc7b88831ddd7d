"""What about a face makes its answer less sure: it is small, seen from the side, or cut off."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fer.faces.detect import Box, Detection, Point
from fer.records import SIZE

Flaw = Literal["small", "side", "cut"]
"""Too few pixels, turned away, or partly beyond the frame."""

# The limits come from FER2013's validation faces and a model that is right about 65.0 % of them.
# Shrunk and enlarged again, it is right about 63.9 % at 40 pixels, 62.7 % at 32, 57.4 % at 24 and
# 44.8 % at 16. Turned less than the limit, about 66.0 % of 3,129; further, 54.8 % of 241.
_SMALLEST: Final = SIZE
"""A face of fewer pixels is enlarged, and nothing that the network learnt from was."""

# Seen from above, the tip of the nose lies 0.9 half eye distances before the line of the eyes (in
# the usual model of a head for its pose, 135 of 150 units): turned by an angle, it is beside their
# middle by 0.9 times the tangent, and 0.6 is 34 degrees.
_TURNED: Final = 0.6
"""Of half the distance of the eyes."""

# Detectors box what they see of a face, so the box of a cut one is at the rim, and Haar looks at a
# grid of places. Of 152 faces of photographs and drawings, cut by a tenth on one side, 99 % of
# YuNet's and 65 % of Haar's boxes are within this of the rim, and of as many that are a tenth away
# from it 2 % and none. Cut by a fifth, Haar finds one in ten, and all but one are within it.
_RIM: Final = 0.04
"""Of the side of the box."""


def flaws(face: Detection, frame: NDArray[np.uint8]) -> tuple[Flaw, ...]:
    """Return what makes the answer about `face` less sure, in the order of `Flaw`.

    Args:
        face: As it was found in `frame`. Without landmarks nothing is known about its side.
        frame: BGR, shape `(height, width, 3)`.
    """
    seen: dict[Flaw, bool] = {
        "small": face.box.width < _SMALLEST,
        "side": face.landmarks is not None and _is_turned(*face.landmarks[:3]),
        "cut": _is_cut(face.box, frame),
    }
    return tuple(flaw for flaw, holds in seen.items() if holds)


def _is_turned(right_eye: Point, left_eye: Point, nose: Point) -> bool:
    """Whether the nose is far from between the eyes, along their line: a tilt changes nothing."""
    right, left = np.array(right_eye), np.array(left_eye)
    line = left - right
    beside = line @ (np.array(nose) - (right + left) / 2)
    # Multiplied out, so that eyes in one place, as in a profile, count as turned.
    return bool(abs(beside) >= _TURNED / 2 * (line @ line))


def _is_cut(box: Box, frame: NDArray[np.uint8]) -> bool:
    height, width = frame.shape[:2]
    beyond = width - box.x - box.width, height - box.y - box.height
    return bool(min(box.x, box.y, *beyond) <= _RIM * box.width)
