"""`fer COMMAND`: the parser, and what every command is run with. They are in `fer.commands`."""

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer.commands import access, backup, doctor, faces, live, models, privacy, steps
from fer.commands.command import Command
from fer.errors import FerError, Interrupted
from fer.files import read_json
from fer.paths import Paths

_COMMANDS: Final[dict[str, Command]] = {
    **faces.COMMANDS,
    **steps.COMMANDS,
    **models.COMMANDS,
    **privacy.COMMANDS,
    **backup.COMMANDS,
    **live.COMMANDS,
    **access.COMMANDS,
    **doctor.COMMANDS,
}

_IN_HALF: Final = ("restore", "doctor")
"""Commands for a checkout whose restore was cut short."""

_FOLLOWING: Final = ("serve", "live", "validate", "train", "promote")
"""Commands whose log has a line for each face, data version, run or model version that they decide
on. Others say it in their report; `capture` would say one by one what its report counts."""

_QUIET: Final = {
    # Libraries that would otherwise report to their makers, or fill the log.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # It calls an absent camera an error; what is asked of it says so in a sentence.
    "OPENCV_LOG_LEVEL": "FATAL",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 with one clear message, or the command's.

    Only `drift` and `models feedback --act` have one of their own.
    """
    options = _parser().parse_args(arguments)
    console = logging.StreamHandler()
    # On the handler: libraries lower the level of their own loggers.
    console.addFilter(_worth_telling)
    logging.basicConfig(format="fer: %(message)s", handlers=[console])
    if options.command in _FOLLOWING:
        logging.getLogger("fer").setLevel(logging.INFO)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        paths = Paths.find(Path.cwd())
        # Paths in params.yaml and in the registry are relative to the root.
        os.chdir(paths.root)
        if options.command not in _IN_HALF:
            _refuse_half(paths)
        status = _COMMANDS[options.command].run(options, paths)
        sys.stdout.flush()
    except Interrupted as error:
        # In other words than a refusal: a flow tries this again.
        print(f"fer {options.command} was interrupted: {error}", file=sys.stderr)
        return 1
    except FerError as error:
        print(f"fer {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `fer models | head` has enough. Python would write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status or 0


def _worth_telling(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.startswith("fer.")


def _refuse_half(paths: Paths) -> None:
    """Refuse to work on a checkout of which part is restored."""
    if paths.restoring.is_file():
        source = read_json(paths.restoring)["source"]
        raise FerError(
            "Expected a whole checkout, received one that is being restored, or of which that was "
            f"cut short. In this case: `{shlex.join(['fer', 'restore', source])}`"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer", description="Continual learning for facial emotion recognition."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.help))
    return parser
