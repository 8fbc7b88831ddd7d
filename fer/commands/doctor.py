"""What is wrong here: `fer doctor`."""

from argparse import ArgumentParser, Namespace
from textwrap import indent
from typing import Final

from fer.commands.command import Command
from fer.errors import FerError
from fer.paths import Paths

_MARKS: Final = {"ok": "✓", "warning": "!", "problem": "✗"}


def _doctor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--get", choices=["yunet"], help="fetch the better face detector")


def _doctor(options: Namespace, paths: Paths) -> None:
    if options.get:
        from fer.faces import yunet

        yunet.fetch(paths)
        print(f"YuNet is at {paths.detector} and finds the faces from now on.")
        return
    from fer.doctor.examine import examine

    problems = 0
    for name, found in examine(paths):
        problems += found.level == "problem"
        told = "\n".join(filter(None, [found.says, found.fix]))
        print(f"{_MARKS[found.level]} {name:10} {indent(told, 13 * ' ').lstrip()}")
    if problems:
        raise FerError(f"{problems} of these keep the loop from running: those marked ✗.")


COMMANDS: Final = {
    "doctor": Command(
        "what is missing or broken here, and what mends it", _doctor, _doctor_arguments
    ),
}
