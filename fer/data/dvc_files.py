"""DVC's own files in the checkout, which DVC writes in place.

Cut short, by a full disk or a kill, they stop every DVC command from then on. None of them holds
anything that is not found again: what `dvc.lock` told is in DVC's run cache too, and `ingest`
makes a missing `.dvc` file anew.
"""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dvc.config import Config, ConfigError
from dvc.exceptions import DvcException
from dvc.lock import LockError, make_lock
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK
from dvc.schema import COMPILED_LOCKFILE_SCHEMA, COMPILED_SINGLE_STAGE_SCHEMA
from dvc.utils import strictyaml

from fer.files import read_json
from fer.paths import Paths

_log = logging.getLogger(__name__)


def broken(paths: Paths) -> list[Path]:
    """Return those of `dvc.lock`, of the `.dvc` files and of DVC's locks that it cannot read.

    And folders of its run cache that are empty: killed between making one and filling it, DVC
    does not run that stage again.
    """
    folders = (paths.captures, paths.parent.parent)
    readers: dict[Path, Callable[[Path], object]] = {
        paths.dvc_lock: lambda file: strictyaml.load(str(file), COMPILED_LOCKFILE_SCHEMA),
        paths.dvc_work / RWLOCK_FILE: read_json,
        **{file: _pointer for folder in folders for file in sorted(folder.glob("*.dvc"))},
    }
    cut = [file for file, read in readers.items() if file.is_file() and not _reads(read, file)]
    return [*cut, *(one for one in _runs(paths).glob("*/*") if not any(one.iterdir()))]


def mend(paths: Paths) -> list[Path]:
    """Remove what is `broken`, say so and return it; where another DVC is at work, do nothing."""
    if not broken(paths):
        return []
    paths.dvc_work.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            for name in ("lock", RWLOCK_LOCK):
                stack.enter_context(make_lock(str(paths.dvc_work / name)))
        except LockError:
            return []
        # Looked at again: the first look may have been while DVC was writing.
        removed = broken(paths)
        for one in removed:
            _log.warning(
                "%s was cut short, perhaps by a full disk: removed, DVC makes it anew.", one
            )
            if one.is_dir():
                one.rmdir()
            else:
                one.unlink()
        return removed


def remotes(paths: Paths) -> list[str]:
    """Return the names of the remotes that are set up, here or for all of the user's checkouts."""
    return list(_settings(paths, "remote"))


def _runs(paths: Paths) -> Path:
    """Where DVC keeps what stages made of what, a folder for each input."""
    return Path(_settings(paths, "cache").get("dir", paths.dvc_work.parent / "cache"), "runs")


def _settings(paths: Paths, section: str) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = Config(str(paths.dvc_work.parent))[section]
    except ConfigError:  # DVC says it when it is asked
        return {}
    return settings


def _pointer(file: Path) -> None:
    told, _ = strictyaml.load(str(file), COMPILED_SINGLE_STAGE_SCHEMA)
    if told["outs"][0]["path"] != file.stem:
        raise ValueError(f"Expected {file} to name {file.stem}, received {told}.")


def _reads(read: Callable[[Path], object], file: Path) -> bool:
    try:
        read(file)
    except (DvcException, ValueError, LookupError, TypeError):
        return False
    return True
