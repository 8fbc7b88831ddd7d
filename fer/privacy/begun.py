"""Before an erasure: alone with the checkout, and what an earlier one left unfinished."""

import contextlib
from collections.abc import Iterator
from typing import Final

from fer.data import receipts
from fer.errors import DataError
from fer.files import locked, read_json
from fer.paths import Paths
from fer.privacy.look import Erasure

STEPS: Final = ("ingest", "base", "validate", "balance", "train", "evaluate", "promote")
"""Whose locks an erasure holds: none of them may read what is being removed."""


@contextlib.contextmanager
def alone(paths: Paths, *more: str) -> Iterator[None]:
    """Hold the lock of every step, and of `more`.

    Raises:
        Busy: A step is running, or another erasure; says which process.
    """
    with contextlib.ExitStack() as stack:
        for name in (*more, *STEPS):
            stack.enter_context(locked(paths.lock(name)))
        yield


def refuse_unfinished(paths: Paths) -> None:
    """Refuse to go on while an erasure is half done.

    Raises:
        DataError: One was cut short.
    """
    if paths.erasure.is_file():
        raise DataError(
            "Expected no erasure under way, received one that was cut short. "
            "Finish it: `fer sweep`."
        )


def unfinished(paths: Paths) -> Erasure | None:
    """Return the erasure that was cut short, or None."""
    if not paths.erasure.is_file():
        return None
    value = read_json(paths.erasure)
    return Erasure(receipts.parsed(value["receipt"]), value["person"], value["retire"])
