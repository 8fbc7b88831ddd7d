"""Who agreed, and what was kept since, under names that nobody can guess."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from fer.live.capture import Sitting
from fer.live.learning import Album

_MAX_REMEMBERED: Final = 1000

Value = TypeVar("Value")


@dataclass(frozen=True)
class Seat:
    """A person who agreed, in one sitting.

    Args:
        subject: Their pseudonym.
        sitting: Where and under which consent.
        album: What self-learning holds of them; None: it is not offered here.
    """

    subject: str
    sitting: Sitting
    album: Album | None


Capture = tuple[Path, str]
"""Item in the inbox and id of the face."""


class Recent(OrderedDict[str, Value]):
    """Remembers the last thousand; the oldest are forgotten."""

    def remember(self, value: Value) -> str:
        """Return a name for `value` that nobody can guess."""
        name = secrets.token_urlsafe(16)
        self[name] = value
        if len(self) > _MAX_REMEMBERED:
            self.popitem(last=False)
        return name
