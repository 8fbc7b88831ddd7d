"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Args:
        level: "warning": the loop runs, but not as it could. "problem": some of it does not.
        says: What was found, in a sentence.
        fix: What to do about it; empty where nothing is, or where `says` tells it.
    """

    level: Level
    says: str
    fix: str = ""
