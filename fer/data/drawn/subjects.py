"""Invented people: what they look like.

Actions bear the numbers of the Facial Action Coding System (Ekman & Friesen 1978), such as 12
for drawn-up mouth corners; 43 is a drooping lid and 64 a gaze down.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer.data.drawn.colours import Colour, mix

_ACTIONS: Final = (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 17, 20, 24, 25, 26, 43, 64)
CODES: Final = max(_ACTIONS) + 1
"""Length of a vector that holds each action at its code."""

_SKINS: Final = ((196, 222, 250), (150, 194, 241), (125, 172, 224), (88, 134, 198), (62, 98, 156),
                 (58, 84, 124))  # fmt: skip
_HAIRS: Final = ((22, 24, 28), (30, 44, 66), (42, 72, 110), (30, 56, 128), (110, 170, 210),
                 (165, 165, 165))  # fmt: skip
_DARK_SKIN, _DARK_HAIRS = 2.5, 3
"""Skin tone from which on hair has one of the first colours; fair hair there looks like a wig."""
_HAIR_STYLES: Final = ("bald", "short", "fringe", "long", "curly")


@dataclass(frozen=True)
class Subject:
    """What one invented person looks like. Lengths and positions in units."""

    head_width: float  # half
    head_height: float  # eyes to chin
    jaw: float  # 0: as wide as the temples
    squareness: float  # exponent of the outline; 2 is an ellipse
    eye_x: float
    eye_width: float  # half
    eye_height: float  # upper lid above the centre
    brow_y: float  # above the eyes
    brow_thickness: float
    nose_y: float  # of the tip
    nose_width: float  # half
    nose_height: float
    mouth_y: float
    mouth_width: float  # half
    lip: float
    skin: Colour
    hair: Colour
    shirt: Colour
    style: str
    glasses: bool
    beard: bool
    rest: NDArray[np.float64]  # action by code that the face shows at rest
    gain: NDArray[np.float64]  # how strongly the person shows each action


def random_subject(rng: np.random.Generator) -> Subject:
    """Return a person drawn at random."""
    between = rng.uniform
    head_width = float(between(0.70, 0.82))
    tone = float(between(0, len(_SKINS) - 1))
    lighter, share = int(tone), tone % 1
    return Subject(
        head_width=head_width,
        head_height=between(1.04, 1.16),
        jaw=between(0.18, 0.42),
        squareness=between(1.9, 2.5),
        eye_x=between(0.30, 0.36),
        eye_width=between(0.135, 0.175),
        eye_height=between(0.048, 0.072),
        brow_y=between(0.165, 0.215),
        brow_thickness=between(0.022, 0.05),
        nose_y=between(0.36, 0.46),
        nose_width=between(0.11, 0.16),
        nose_height=between(0.22, 0.34),
        mouth_y=between(0.62, 0.70),
        mouth_width=between(0.23, 0.30),
        lip=between(0.035, 0.065),
        skin=mix(_SKINS[lighter], _SKINS[lighter + 1], share),
        hair=_HAIRS[rng.integers(_DARK_HAIRS if tone > _DARK_SKIN else len(_HAIRS))],
        shirt=tuple(between(30, 220, 3).tolist()),
        style=_HAIR_STYLES[rng.integers(len(_HAIR_STYLES))],
        glasses=bool(rng.random() < 0.25),
        beard=bool(rng.random() < 0.18),
        rest=rng.normal(0, 0.06, CODES),
        gain=rng.normal(1, 0.18, CODES).clip(0.5, 1.5),
    )
