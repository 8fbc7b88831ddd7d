"""What people may ask for of their faces: `fer forget`, `export`, `sweep`."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final

from fer.commands.command import Command, path
from fer.commands.output import tell
from fer.errors import FerError
from fer.paths import Paths


def _forget_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("subject", help="pseudonym of the person")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--later", action="store_true", help="leave retraining to the next update")
    style.add_argument("--verify", action="store_true", help="search every byte, change nothing")


def _forget(options: Namespace, paths: Paths) -> None:
    from fer.data import receipts
    from fer.privacy.forget import forget, verify

    if options.verify:
        proof = verify(options.subject, paths)
        print(f"searched  {proof.files} files and objects, {proof.megabytes} MB")
        _refuse_left(proof.left)
        return
    receipt = forget(options.subject, paths)
    print(f"erased    {len(receipt.faces)} faces: {len(receipt.removed)} files, "
          f"{len(receipt.objects)} objects of {', '.join(receipt.stores)}")  # fmt: skip
    print(f"retired   {', '.join(map(str, receipt.models)) or 'no'} model versions")
    print(f"version   {receipt.data_version} has nothing of them")
    print(f"receipt   {receipts.path_of(paths, receipt)}")
    if receipt.seen and not options.later:
        _update(paths)
    _refuse_left(receipt.left)


def _refuse_left(left: Sequence[str]) -> None:
    if left:
        lines = "\n".join(f"  {name}" for name in left)
        raise FerError(
            "Expected nothing of the person, found something, or what cannot be searched, in:\n"
            f"{lines}\nRemove it yourself, and look again with --verify."
        )
    print("left      nothing")


def _update(paths: Paths) -> None:
    """Train without them, and let the gate decide, as any update does."""
    from fer.live.updates import environment

    command = [sys.executable, "-m", "pipelines.update", "a person was forgotten"]
    done = subprocess.run(command, cwd=paths.root, env=environment(), check=False)
    if done.returncode:
        raise FerError("The person is erased, but the update failed: look above, and run it again "
                       "with `python -m pipelines.update`.")  # fmt: skip


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("subject", help="pseudonym of the person")
    parser.add_argument("file", type=path, help="the zip file to write")


def _export(options: Namespace, paths: Paths) -> None:
    from fer.privacy.export import export

    tell(export(options.subject, paths, options.file))


def _sweep(_: Namespace, paths: Paths) -> None:
    from fer import params
    from fer.privacy.sweep import sweep

    tell(sweep(params.load(paths.params).retention, paths))


COMMANDS: Final = {
    "forget": Command("erase a person, and what learnt from them", _forget, _forget_arguments),
    "export": Command(
        "all that is kept of a person, as a zip file for them", _export, _export_arguments
    ),
    "sweep": Command("faces whose consent or retention has ended leave", _sweep),
}
