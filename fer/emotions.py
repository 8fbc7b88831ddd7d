"""The seven emotions: their one class order, the other names they go by, how they are shown."""

from collections.abc import Sequence
from typing import Final

EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Class order of every model and table: the order of FER2013's `emotion` column, 0 to 6."""

INDEX: Final = {emotion: number for number, emotion in enumerate(EMOTIONS)}

EMOJI: Final = {
    "angry": "😠", "disgust": "🤢", "fear": "😨", "happy": "😀", "sad": "😢", "surprise": "😮",
    "neutral": "😐",
}  # fmt: skip

MAX_SCORE: Final = 5

_ALIASES: Final = {
    # FER+ columns, CK+, KDEF, RAF-DB, AffectNet, JAFFE and common folder names.
    "anger": "angry",
    "disgusted": "disgust", "disgusting": "disgust",
    "fearful": "fear", "afraid": "fear", "scared": "fear",
    "happiness": "happy", "happily": "happy", "joy": "happy", "smile": "happy",
    "sadness": "sad", "unhappy": "sad",
    "surprised": "surprise", "surprising": "surprise",
    "neutrality": "neutral", "calm": "neutral", "none": "neutral",
}  # fmt: skip


def emotion_named(name: str) -> str | None:
    """Return the emotion that `name` stands for, or None.

    Args:
        name: A label as people write it, such as "Happiness", "fearful" or "3"
            (FER2013's number).
    """
    word = name.strip().lower()
    if word in INDEX:
        return word
    # Python refuses to read a number of thousands of digits.
    if word.isdecimal() and len(word) < 10 and int(word) < len(EMOTIONS):
        return EMOTIONS[int(word)]
    return _ALIASES.get(word)


def intensity(probabilities: Sequence[float]) -> float:
    """Return how far a face is from neutral: 0 (neutral) to `MAX_SCORE` (surely an expression).

    It is `5 * (1 - p(neutral))`. No data set here says how strong an expression is, so this is
    the model's certainty that there is one, whichever it is; the named emotion's own
    probability is the confidence, and is told beside it.

    Args:
        probabilities: One for each of `EMOTIONS`, sum 1.
    """
    return MAX_SCORE * (1 - probabilities[INDEX["neutral"]])
