"""The window's words, in ASCII: a bar below the frame, and a sheet in its place."""

import textwrap
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from fer.faces.camera import Frame

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_PAPER: Final = (18, 13, 12)
_INK: Final = (235, 235, 235)

# A frame of this width has letters of scale 1/2 and lines of 22 pixels; others in proportion.
_WIDTH: Final = 640
_SCALE: Final = 0.5
_LINE: Final = 22
_MARGIN: Final = 10
_LETTERS: Final = 62
"""What a line of a sheet holds."""


def with_bar(frame: Frame, lines: Sequence[str]) -> Frame:
    """Return `frame` with `lines` below it, widened where it is too narrow for them.

    Args:
        frame: BGR, shape `(height, width, 3)`, values 0-255.
        lines: About 70 letters each; what is longer is cut off.
    """
    width = max(frame.shape[1], _WIDTH)
    bar = _written(lines, width, round(len(lines) * _LINE * width / _WIDTH))
    beside = np.full((frame.shape[0], width - frame.shape[1], 3), _PAPER, np.uint8)
    return np.vstack([np.hstack([frame, beside]), bar])


def sheet(paragraphs: Sequence[str], width: int, height: int) -> Frame:
    """Return `paragraphs`, wrapped, on a sheet of this size; larger where they need more.

    Args:
        paragraphs: With an empty line between them.
        width: In pixels.
        height: Likewise.
    """
    lines = [""]
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, _LETTERS), ""]
    width = max(width, _WIDTH)
    return _written(lines, width, max(height, round(len(lines) * _LINE * width / _WIDTH)))


def _written(lines: Sequence[str], width: int, height: int) -> Frame:
    paper = np.full((height, width, 3), _PAPER, np.uint8)
    unit = width / _WIDTH
    for number, line in enumerate(lines):
        start = round(_MARGIN * unit), round((number + 0.7) * _LINE * unit)
        told = line.encode("ascii", "replace").decode()
        weight = max(1, round(unit))
        cv2.putText(paper, told, start, _FONT, _SCALE * unit, _INK, weight, cv2.LINE_AA)
    return paper
