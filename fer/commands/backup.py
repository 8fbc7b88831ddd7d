"""What git does not have, in one file: `fer backup`, `restore`."""

from argparse import ArgumentParser, Namespace
from typing import Final

from fer.commands.command import Command, path
from fer.commands.output import tell
from fer.paths import Paths


def _backup_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=path, help="the tar file to write")


def _backup(options: Namespace, paths: Paths) -> None:
    from fer.backup.backup import backup

    tell(backup(paths, options.file))


def _restore_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=path, help="a tar file of `fer backup`")
    parser.add_argument("--force", action="store_true", help="in place of what is newer")


def _restore(options: Namespace, paths: Paths) -> None:
    from fer.backup.restore import restore

    tell(restore(paths, options.file, force=options.force))


COMMANDS: Final = {
    "backup": Command("data versions and registry into one file", _backup, _backup_arguments),
    "restore": Command(
        "a backup in place of what is here; the erased stay erased", _restore, _restore_arguments
    ),
}
