"""The audit log: who did what and when, a line of JSON each, in a file a month.

A line names faces, versions and receipts, and never a person: it stays when they are forgotten.
Files are only appended to, with one write a line, so that those of several processes do not mix.
"""

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from fer.files import remove_older, short, sync_folder
from fer.paths import Paths

Kind = Literal[
    "capture", "import", "undo", "review", "update", "promotion", "rollback", "erasure", "sweep",
    "export", "token", "backup", "restore",
]  # fmt: skip

LOCAL: Final = "local"
"""Who acts where nobody says more: a person at this machine."""

FLOW: Final = "flow"
"""Who acts in the steps of an update, and in one that a schedule began."""

VARIABLE: Final = "FER_ACTOR"
"""Environment variable that tells a command for whom it was started."""

_log = logging.getLogger(__name__)
_who: ContextVar[str | None] = ContextVar("who", default=None)


@dataclass(frozen=True)
class Log:
    """What the files hold.

    Args:
        entries: `{"at", "kind", "who", ...}` each, oldest first.
        damaged: Lines that are none, such as "2026-11.jsonl line 7".
    """

    entries: list[dict[str, Any]]
    damaged: list[str]


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Have what is recorded inside, also by threads that it starts, say `who`."""
    before = _who.set(who)
    try:
        yield
    finally:
        _who.reset(before)


def actor(otherwise: str = LOCAL) -> str:
    """Return who acts: the name of a token, `LOCAL` or `FLOW`."""
    return _who.get() or os.environ.get(VARIABLE) or otherwise


def record(paths: Paths, kind: Kind, **ids: Any) -> None:
    """Write down what was done; durable when this returns.

    What was done stays done where the line cannot be written: that is logged as a warning.

    Args:
        paths: The checkout.
        kind: What was done.
        ids: Of faces, versions, receipts; numbers and fixed words. Nothing that people typed, it
            may name somebody.
    """
    # Not `records.now`: `fer --help` names the kinds, and need not load pyarrow.
    moment = datetime.now(UTC)
    at = moment.isoformat(timespec="milliseconds")
    line = json.dumps({"at": at, "kind": kind, "who": actor(), **ids})
    _log.info("%s by %s%s", kind, actor(), "".join(map(_told, ids.items())))
    try:
        _append(paths.audit / f"{moment:%Y-%m}.jsonl", line.encode())
    except OSError as error:
        _log.warning("The audit log could not be written (%s) and lacks: %s", error, line)


def _told(item: tuple[str, Any]) -> str:
    name, value = item
    return f", {name} {short(value) if name == 'face' else value}"


def _append(file: Path, line: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    began = not file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        # What a full disk or a power cut left of a line does not spoil this one.
        cut = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
        data = b"\n" * cut + line + b"\n"
        if os.write(descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if began:
        sync_folder(file.parent)
        sync_folder(file.parent.parent)


def read(paths: Paths) -> Log:
    """Return every line of every file."""
    found = Log([], [])
    for file in sorted(paths.audit.glob("*.jsonl")):
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            entry = _entry(line)
            if entry is None:
                found.damaged.append(f"{file.name} line {number}")
            else:
                found.entries.append(entry)
    return found


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(entry, dict) and {"at", "kind", "who"} <= entry.keys()
    return entry if whole else None


def clear(paths: Paths, days: float | None) -> int:
    """Delete files whose last line is older; return how many. None: keep all."""
    if days is None:
        return 0
    return remove_older(paths.audit, "*.jsonl", datetime.now(UTC) - timedelta(days=days))
