"""The machine: Python, packages, folders, space, and what killed processes left."""

import os
import platform
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from fer.doctor.findings import Finding, Level
from fer.errors import Busy
from fer.files import UNFINISHED, locked
from fer.paths import Paths

_INSTALL: Final = "`make --always-make .venv/ready` installs what requirements.lock names."

# A checkout with FER2013, two trainings and their models took 0.35 GB.
_GIGABYTE: Final = 1e9
_NEEDED_GB: Final = 0.5
_COMFORTABLE_GB: Final = 2.0

_MAX_NAMED: Final = 5
_OTHERS_MAY_WRITE: Final = 0o002


def python(paths: Paths) -> Finding:
    """Whether this Python is one the project runs on, and the one that DVC's stages call."""
    wanted = _project(paths)["requires-python"]
    running = platform.python_version()
    if not SpecifierSet(wanted).contains(running):
        return Finding(
            "problem",
            f"Python {running} runs this, where the project needs {wanted}.",
            "`make --always-make PYTHON=/path/to/python3.12 .venv/ready`",
        )
    called = shutil.which("python")
    if called is None or Path(called).parent != Path(sys.executable).parent:
        return Finding(
            "warning",
            f"Python {running} runs this, but `python`, which DVC's stages call, is "
            f"{called or 'not on PATH'}.",
            f"`source {Path(sys.executable).parent / 'activate'}`, or use `make repro`.",
        )
    return Finding("ok", f"Python {running}")


def packages(paths: Paths) -> Finding:
    """Whether the releases are those that the project asks for, and those of the lock file."""
    asked = [Requirement(line) for line in _project(paths)["dependencies"]]
    wrong = [f"{one.name} {_received(one)} (needs {one.specifier})" for one in asked if _odd(one)]
    if wrong:
        return Finding("problem", f"Not as pyproject.toml asks: {_some(wrong)}.", _INSTALL)
    pinned = list(_pinned(paths))
    other = [f"{one.name} {_received(one)} ({one.specifier})" for one in pinned if _odd(one)]
    if other:
        return Finding("warning", f"Not as locked: {_some(other)}.", _INSTALL)
    return Finding("ok", f"{len(pinned)} packages as locked")


def folders(paths: Paths) -> Finding:
    """Whether everything that is made by running can be written, and by nobody else."""
    places = (
        paths.inbox, paths.quarantine, paths.captures, paths.mlruns, paths.candidate.parent,
        paths.report("metrics.json").parent, paths.lock("update").parent,
    )  # fmt: skip
    here = [_nearest(place) for place in places]
    if closed := [
        one for one in here if not one.is_dir() or not os.access(one, os.W_OK | os.X_OK)
    ]:
        return Finding(
            "problem",
            f"No folder that you may write to: {_some(_unique(closed))}.",
            f'`sudo chown -R "$USER" {closed[0]}`',
        )
    if shared := [one for one in here if one.stat().st_mode & _OTHERS_MAY_WRITE]:
        return Finding(
            "warning",
            f"Anyone on this machine may put faces and models into {_some(_unique(shared))}.",
            f"`chmod -R o-w {shared[0]}`",
        )
    return Finding("ok", "data, models, reports and registry can be written")


def space(paths: Paths) -> Finding:
    """Whether there is room for a training."""
    free = shutil.disk_usage(paths.root).free / _GIGABYTE
    says = f"{free:.1f} GB are free"
    if free >= _COMFORTABLE_GB:
        return Finding("ok", says)
    level: Level = "warning" if free >= _NEEDED_GB else "problem"
    fix = "Make room; `dvc gc --workspace` deletes what no present data version or model needs."
    return Finding(level, f"{says}, where a training needs {_NEEDED_GB} GB.", fix)


def locks(paths: Paths) -> Finding:
    """Which steps are at work, and whether a lock outlived the process that took it."""
    held = dict(_held(paths))
    for name, holder in held.items():
        if not _alive(holder):
            return Finding(
                "warning",
                f"`{name}` is locked by process {holder}, which is gone: a child of it lives on.",
                f"`fuser --verbose {paths.lock(name)}` names the child; end it.",
            )
    told = ", ".join(f"{name} (process {holder})" for name, holder in held.items())
    return Finding("ok", f"at work: {told}" if told else "no step is at work")


def leftovers(paths: Paths) -> Finding:
    """Whether killed processes left half a restore or half a file, which may hold faces."""
    if paths.restoring.is_file():
        return Finding(
            "problem",
            "A restore runs or was cut short: part of this checkout is the backup's.",
            f"Unless it runs: `fer restore` with the file that {paths.restoring} names.",
        )
    found = sorted(
        file
        for folder in (
            paths.base.parent,
            paths.candidate.parent,
            paths.report("metrics.json").parent,
        )
        for file in folder.rglob(".*")
        if (named := UNFINISHED.fullmatch(file.name)) and not _alive(int(named[1]))
    )
    if not found:
        return Finding("ok", "no half-written files")
    return Finding(
        "warning",
        f"Processes that were killed left {len(found)} half-written files, which nothing reads.",
        f"`{shlex.join(['rm', *map(str, found)])}`",
    )


# -- what is asked for, what is here -----------------------------------------------------------


def _project(paths: Paths) -> dict[str, Any]:
    text = (paths.root / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def _pinned(paths: Paths) -> Iterator[Requirement]:
    """Yield what requirements.lock pins on this machine."""
    for line in (paths.root / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            one = Requirement(line.removesuffix("\\"))
            if one.marker is None or one.marker.evaluate():
                yield one


def _odd(wanted: Requirement) -> bool:
    received = _received(wanted)
    return received == "missing" or not wanted.specifier.contains(received, prereleases=True)


def _received(wanted: Requirement) -> str:
    try:
        return version(wanted.name)
    except PackageNotFoundError:
        return "missing"


def _nearest(place: Path) -> Path:
    """Return `place`, or what is there of the way to it."""
    return next(one for one in (place, *place.parents) if one.exists())


def _held(paths: Paths) -> Iterator[tuple[str, int]]:
    for file in sorted(paths.lock("update").parent.glob("*.lock")):
        try:
            with locked(file):
                pass
        except Busy:
            number = re.search(r"\d+", file.read_text(encoding="utf-8"))
            yield file.stem, int(number[0]) if number else os.getpid()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unique(places: list[Path]) -> list[str]:
    return list(dict.fromkeys(str(one) for one in places))


def _some(names: list[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
