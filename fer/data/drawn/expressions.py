"""How a subject shows an emotion: which actions, how strongly.

Which actions make an emotion was settled by trial and by eye.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fer.data.drawn.subjects import CODES, Subject

Action = tuple[float, ...]
"""Strength of each action by its code, about 0-1."""

# How plain the expressions are. With these a small network is right for about nine in ten faces
# of unseen subjects: hard enough to tell models apart, easy enough to learn in a minute.
_MIN_INTENSITY, _MAX_INTENSITY = 0.75, 1.1
_ACTION_JITTER: Final = 0.06
_WEAKENED_CHANCE, _WEAKENED_TO = 0.05, 0.3


@dataclass(frozen=True)
class _Variant:
    """One way to show an emotion: how often, which actions how far, how often with teeth."""

    weight: float
    actions: Mapping[int, float]
    teeth: float = 0.0


_VARIANTS: Final[Mapping[str, tuple[_Variant, ...]]] = {
    "angry": (
        _Variant(0.6, {4: 1.0, 7: 0.6, 5: 0.35, 24: 0.8, 17: 0.3}),
        _Variant(0.4, {4: 1.0, 7: 0.5, 5: 0.5, 10: 0.35, 25: 0.55, 26: 0.15, 20: 0.2}, teeth=1.0),
    ),
    "disgust": (
        _Variant(0.6, {9: 1.0, 10: 0.75, 4: 0.35, 7: 0.5, 17: 0.4, 15: 0.25}),
        _Variant(0.4, {9: 0.8, 10: 1.0, 4: 0.3, 7: 0.4, 25: 0.45, 26: 0.15}, teeth=0.6),
    ),
    "fear": (
        _Variant(0.6, {1: 0.9, 2: 0.45, 4: 0.5, 5: 0.9, 20: 0.8, 25: 0.45, 26: 0.2}, teeth=0.5),
        _Variant(0.4, {1: 0.9, 2: 0.4, 4: 0.5, 5: 0.8, 20: 0.5, 25: 0.5, 26: 0.5}),
    ),
    "happy": (
        _Variant(0.65, {6: 0.7, 12: 1.0, 25: 0.6, 26: 0.12}, teeth=1.0),
        _Variant(0.35, {6: 0.5, 12: 0.85}),
    ),
    "sad": (
        _Variant(0.6, {1: 0.9, 4: 0.45, 15: 0.9, 17: 0.5, 43: 0.5, 64: 0.6}),
        _Variant(0.4, {1: 0.7, 4: 0.3, 15: 0.7, 17: 0.2, 43: 0.7, 64: 0.9}),
    ),
    "surprise": (
        _Variant(0.65, {1: 0.9, 2: 0.95, 5: 0.75, 25: 0.7, 26: 0.9}),
        _Variant(0.35, {1: 0.9, 2: 0.9, 5: 0.6, 25: 0.4, 26: 0.45}),
    ),
    "neutral": (_Variant(1.0, {}),),
}


@dataclass(frozen=True)
class Expression:
    """Strength of each action and whether an open mouth shows teeth."""

    actions: Action
    teeth: bool


def express(emotion: str, subject: Subject, rng: np.random.Generator) -> Expression:
    """Return how `subject` shows `emotion` this time."""
    variants = _VARIANTS[emotion]
    variant = variants[rng.choice(len(variants), p=[one.weight for one in variants])]
    mean = np.zeros(CODES)
    mean[list(variant.actions)] = list(variant.actions.values())
    strength = rng.uniform(_MIN_INTENSITY, _MAX_INTENSITY) * subject.gain * mean
    strength[rng.random(CODES) < _WEAKENED_CHANCE] *= _WEAKENED_TO
    strength += subject.rest + rng.normal(0, _ACTION_JITTER, CODES)
    teeth = bool(rng.random() < variant.teeth)
    return Expression(tuple(strength.clip(-0.2, 1.4).tolist()), teeth=teeth)
