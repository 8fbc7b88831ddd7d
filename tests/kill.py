"""Runs a command again and again, each time in a new process that dies where it is told to.

`kill.py ingest` takes in what is in the inbox, `kill.py forget` erases the subject "ana". Reads
lines of JSON, `{"root": checkout, "call": k, "when": "before"}`: die before, or "after", the
k-th call that moves or removes a file, DVC's calls included; 0: live. Answers each with the exit
status, 9 where it died. It is one interpreter that forks, since importing takes longer than a run.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
from dvc.repo import Repo

from fer import params
from fer.files import replacing, sha256
from fer.paths import Paths
from fer.records import Parent


def pin_champion(paths: Paths, _: Parent | None, *, real: bool = False) -> Parent:
    """Pin files that stand for a champion's."""
    for file in (paths.parent_weights, paths.parent):
        with replacing(file) as temporary:
            temporary.write_bytes(file.name.encode())
    return Parent(1, 0, sha256(paths.parent_weights), sha256(paths.parent))


def run_dvc(command: list[str], *, cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
    """Do what `subprocess.run` would do with `dvc add`, in this process."""
    assert command[1:4] == ["-m", "dvc", "add"]
    with Repo(str(cwd)) as repo:
        repo.add(command[-1], relink="--no-relink" not in command)
    return subprocess.CompletedProcess(command, 0, stderr="")


def deadly(
    functions: dict[str, Callable[..., Any]], call: int, when: str
) -> dict[str, Callable[..., Any]]:
    """Return the functions, of which together the `call`-th call ends the process."""
    left = [call]

    def wrapped(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        last = left[0] == 0
        if last and when == "before":
            os._exit(9)
        try:
            return function(*arguments, **named)
        finally:
            if last:
                os._exit(9)

    return {name: functools.partial(wrapped, function) for name, function in functions.items()}


def run(root: Path, call: int, when: str) -> None:
    """Ingest in this process, until it dies."""
    cv2.setNumThreads(1)
    names = ("replace", "rename", "unlink", "remove", "link", "rmdir")
    for name, function in deadly({name: getattr(os, name) for name in names}, call, when).items():
        setattr(os, name, function)
    subprocess.run = run_dvc
    COMMANDS[sys.argv[1]](Paths(root))


def ingest(paths: Paths) -> None:
    """Take the inbox into a new data version."""
    import_module("fer.data.ingest").ingest(params.load(paths.params).ingest, paths, pin_champion)


def forget(paths: Paths) -> None:
    """Erase "ana" from all but the registry, which has tests of its own."""
    erase = import_module("fer.privacy.erase")
    erase.adopt.pin_champion = pin_champion
    erase.retire.retire = lambda *_: erase.retire.Retired([], 1)
    import_module("fer.privacy.forget").forget("ana", paths)


COMMANDS = {"ingest": ingest, "forget": forget}


def warm_up() -> None:
    """Load what DVC loads when it is used, once and not in every child."""
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        (paths.root / ".dvc").mkdir()
        (paths.root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n")
        file = paths.root / "file"
        file.touch()
        run_dvc(["python", "-m", "dvc", "add", "--quiet", str(file)], cwd=paths.root)


def main() -> None:
    """Answer until there are no more lines."""
    warm_up()
    import_module({"ingest": "fer.data.ingest", "forget": "fer.privacy.forget"}[sys.argv[1]])
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                run(Path(asked["root"]), asked["call"], asked["when"])
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
