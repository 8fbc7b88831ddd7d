"""Files that are whole or absent, and locks that die with their process."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from fer.errors import Busy, MissingData

PNG: Final = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins."""

UNFINISHED: Final = re.compile(r"\.(\d+)-.+")
"""How `replacing` calls what it has not finished, with the number of its process."""

_log = logging.getLogger(__name__)


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short(digest: str) -> str:
    """Return as many digits of a SHA-256 as a log line has; `fer trace` takes as few."""
    return digest[:12]


@contextlib.contextmanager
def replacing(path: Path, *, secret: bool = False) -> Iterator[Path]:
    """Yield a path to write to, which then takes the place of `path`, whole and durable.

    A reader sees the old file or the new one. After an error or a kill the old one stays.

    Args:
        path: The file.
        secret: Whether nobody but its owner may read it.
    """
    _make_folder(path.parent)
    # The suffix stays last: writers such as Keras choose the format by it.
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    # Of a killed process that had this number; or laid there by somebody, to read along.
    temporary.unlink(missing_ok=True)
    try:
        if secret:
            temporary.touch(mode=0o600, exist_ok=False)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Delete what killed processes left half-written in `folder`, which may hold faces.

    Args:
        folder: Need not be there. Nobody writes to it meanwhile: the caller holds the lock for it.
    """
    for file in folder.glob(".*"):
        if UNFINISHED.fullmatch(file.name):
            file.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames and removals in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_older(folder: Path, pattern: str, moment: datetime) -> int:
    """Delete the files of `folder` like `pattern` that were last written before `moment`.

    Args:
        folder: Need not be there.
        pattern: As for `Path.glob`.
        moment: With time zone.

    Returns:
        How many there were.
    """
    old = [
        file
        for file in folder.glob(pattern)
        if file.is_file() and datetime.fromtimestamp(file.stat().st_mtime, UTC) < moment
    ]
    for file in old:
        file.unlink()
    if old:
        sync_folder(folder)
    return len(old)


def _make_folder(folder: Path) -> None:
    """Make `folder` and those above it durable: a file in a lost folder is lost."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the JSON value in `path`.

    Raises:
        ValueError: It holds none, or one nested deeper than anything here is.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"brackets within brackets without end: {error}") from None


def read_report(path: Path) -> Any:
    """Return what a step wrote to `path` for the steps after it.

    Raises:
        MissingData: The step has not run yet.
    """
    try:
        return read_json(path)
    except FileNotFoundError:
        raise MissingData(
            f"Expected the report of an earlier step at {path}, found nothing. Run `dvc repro`."
        ) from None


def png_is_whole(data: bytes) -> bool:
    """Whether each chunk of a PNG lies inside `data`, up to the last one.

    OpenCV takes memory for what a chunk claims, up to 4 GB: a file of 200 bytes took 3.8.
    """
    start = len(PNG)
    while start < len(data):
        # Four bytes of length, four of type, the content, four of checksum.
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if data[start + 4 : start + 8] == b"IEND":
            return end <= len(data)
        start = end
    return False


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[BinaryIO]:
    """Hold the lock file `path`, and say in it who holds it.

    The system frees the lock when the process ends, however it ends.

    Args:
        path: The lock file.
        wait: Whether to wait for another process that holds it, and say so, instead of `Busy`.

    Yields:
        The open lock file. A child that inherits its descriptor keeps the lock alive.

    Raises:
        Busy: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().decode() or "a process that is just starting"
            if not wait:
                raise Busy(
                    f"Expected to be alone at `{path.stem}`, but {holder} is at it. "
                    "Wait for it to end."
                ) from None
            _log.warning("Waiting for `%s`: %s is at it.", path.stem, holder)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"process {os.getpid()}".encode())
        file.flush()
        yield file
