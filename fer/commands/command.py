"""What a command is, and the kinds of argument that commands share."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fer.paths import Paths


def _none(_: ArgumentParser) -> None:
    """Take no arguments."""


@dataclass(frozen=True)
class Command:
    """A command; its name is its key in the `COMMANDS` of its module.

    Args:
        help: Its line in `fer --help`.
        run: Does it, given the arguments and the checkout, and returns the exit status; None is 0.
        arguments: Adds its arguments to its parser.
    """

    help: str
    run: Callable[[Namespace, Paths], int | None]
    arguments: Callable[[ArgumentParser], None] = _none


def path(text: str) -> Path:
    """Return an absolute path, because a command runs in the checkout's root."""
    return Path(text).expanduser().resolve()


def source(text: str) -> str:
    """Return a film or folder as an absolute path, a camera's number or an address as it is."""
    where = Path(text).expanduser()
    return str(where.resolve()) if where.exists() and not text.isdecimal() else text
