"""Faces, emotions and flaws drawn onto a frame: annotated films and the window use the same."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.faces.camera import Frame
from fer.live.reading import Face

_Tone = tuple[int, int, int]

# Blue, green, red: the page's colours on pictures. A test holds them against its style sheet.
TONES: Final[dict[str, _Tone]] = {
    "angry": (0x6F, 0x6B, 0xFF),
    "disgust": (0x79, 0xC7, 0x63),
    "fear": (0xF0, 0x8C, 0xBB),
    "happy": (0x4B, 0xC2, 0xFF),
    "sad": (0xF7, 0xB3, 0x6D),
    "surprise": (0xB4, 0x7F, 0xFF),
    "neutral": (0xB9, 0xAD, 0xA9),
}
"""Of each emotion, BGR, 0-255."""

_WHITE: Final = (255, 255, 255)
_DOUBT: Final = (0x8A, 0xB0, 0xFF)
_PLATE: Final = (18, 13, 12)
_PLATE_OPACITY: Final = 0.82

# Hershey fonts have ASCII alone, so no emoji.
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_LETTER: Final = 22
"""Height of its capitals at scale 1, in pixels."""

# The longer side of a frame is this many times its letters' height, and a face this many times its
# own: in a group, larger names would cover each other.
_LETTERS_A_FRAME: Final = 60
_LETTERS_A_FACE: Final = 6
_SMALLEST_LETTER: Final = 8

_WIDEST_NAME: Final = 1.8
"""In widths of the face; the intensity, then the name, is left out where it would be wider."""


def draw(frame: Frame, faces: Sequence[Face], *, probabilities: bool = False) -> Frame:
    """Return a copy of `frame` with a box, a name, a confidence and the flaws of each face.

    Args:
        frame: BGR, shape `(height, width, 3)`, values 0-255.
        faces: What was read in it, largest first.
        probabilities: Whether the lower left corner shows a bar for each emotion of the largest
            face, whose box is then thicker; beside each face they would hide others.
    """
    drawn = np.array(frame, np.uint8, order="C")
    largest = max(_SMALLEST_LETTER, round(max(frame.shape[:2]) / _LETTERS_A_FRAME))
    for number, face in enumerate(faces):
        x, y, width, height = face.box
        thick = max(2, largest // 5) * (2 if probabilities and number == 0 else 1)
        cv2.rectangle(drawn, (x, y), (x + width, y + height), _tone(face), thick)
    for face in faces:
        letter = max(_SMALLEST_LETTER, min(largest, face.box[2] // _LETTERS_A_FACE))
        _write_name(drawn, face, letter)
        _write_flaws(drawn, face, letter)
    if probabilities and faces and faces[0].probabilities:
        _draw_bars(drawn, faces[0].probabilities, largest)
    return drawn


def _tone(face: Face) -> _Tone:
    return TONES[face.emotion or "neutral"]


def _write_name(drawn: Frame, face: Face, letter: int) -> None:
    x, y, width, _ = face.box
    text = "no model yet"
    if face.emotion is not None:
        share = f"{face.confidence:.0%}"
        named = f"{face.emotion} {share}"
        full = f"{named}  {face.score:.1f}/5"
        fitting = (one for one in (full, named) if _width(one, letter) <= _WIDEST_NAME * width)
        text = next(fitting, share)
    _write(drawn, text, (x, y - 2 * letter), letter, _tone(face))


def _write_flaws(drawn: Frame, face: Face, letter: int) -> None:
    if face.quality:
        x, y, _, height = face.box
        _write(drawn, ", ".join(face.quality), (x, y + height + 1), letter, _DOUBT)


def _draw_bars(drawn: Frame, shares: dict[str, float], letter: int) -> None:
    line, names, longest = 2 * letter, 8 * letter, 7 * letter
    top = max(0, drawn.shape[0] - line * len(shares))
    _plate(drawn, 0, top, names + longest + letter, line * len(shares))
    for number, (name, share) in enumerate(shares.items()):
        middle = top + line * number + letter
        _letters(drawn, name, (letter // 2, middle + letter // 2), letter)
        bar = (names, middle - letter // 3), (names + round(longest * share), middle + letter // 3)
        cv2.rectangle(drawn, *bar, TONES[name], cv2.FILLED)


def _write(drawn: Frame, text: str, corner: tuple[int, int], letter: int, tone: _Tone) -> None:
    """Write `text` in white on a dark plate with a stripe of `tone`, inside the frame."""
    wide, high = _width(text, letter) + 2 * letter, 2 * letter
    # Moved where it would leave the frame; a frame smaller than the plate cuts it.
    height, width = drawn.shape[:2]
    x, y = max(0, min(corner[0], width - wide)), max(0, min(corner[1], height - high))
    _plate(drawn, x, y, wide, high)
    cv2.rectangle(drawn, (x, y), (x + letter // 3, y + high - 1), tone, cv2.FILLED)
    _letters(drawn, text, (x + letter, y + 3 * letter // 2), letter)


def _plate(drawn: Frame, x: int, y: int, wide: int, high: int) -> None:
    under: NDArray[np.uint8] = drawn[y : y + high, x : x + wide]
    under[:] = (1 - _PLATE_OPACITY) * under + _PLATE_OPACITY * np.array(_PLATE)


def _letters(drawn: Frame, text: str, start: tuple[int, int], letter: int) -> None:
    scale, weight = letter / _LETTER, _weight(letter)
    cv2.putText(drawn, text, start, _FONT, scale, _WHITE, weight, cv2.LINE_AA)


def _width(text: str, letter: int) -> int:
    return cv2.getTextSize(text, _FONT, letter / _LETTER, _weight(letter))[0][0]


def _weight(letter: int) -> int:
    return max(1, round(letter / 12))
