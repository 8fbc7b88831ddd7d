"""The update flow as the page meets it: started as a command, watched through its files.

The flow writes how far it is, whoever started it, and holds its own lock. So a server that was
started anew tells the same as the one before, and an update that a schedule began is seen too.
"""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fer import audit
from fer.errors import Busy, MissingData
from fer.files import locked, read_json
from fer.paths import Paths
from fer.records import now

_REASON: Final = "from the live page"
_TAIL_BYTES: Final = 16_000
_TAIL_LINES: Final = 80


@dataclass(frozen=True)
class Update:
    """The running update, or the last one.

    Args:
        running: Whether it runs.
        reason: Why; None: it has not said so yet, or none ever ran.
        began: Seconds since 1970.
        ended: Likewise.
        steps: `{"name", "state", "began", "seconds"}` of each, in order.
        error: Why it ended early.
        verdict: What `promote` reported, once it has ended well.
        log: The last lines that it printed, where the page started it.
    """

    running: bool = False
    reason: str | None = None
    began: float | None = None
    ended: float | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    verdict: dict[str, Any] | None = None
    log: list[str] = field(default_factory=list)


class Updates:
    """Starts and watches updates; may be shared by threads.

    Args:
        paths: The checkout.
    """

    def __init__(self, paths: Paths) -> None:
        """See the class."""
        self._paths = paths
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start an update, which outlives this process.

        Raises:
            Busy: One is running.
            MissingData: The checkout has no flow.
        """
        # Python would look further and find the flow of another checkout, and run it there.
        if not (self._paths.root / "pipelines" / "update.py").is_file():
            raise MissingData(
                f"Expected the flow pipelines/update.py in {self._paths.root}, found nothing."
            )
        with self._lock:
            if self._told().running:
                raise Busy("Expected no update to run, but one does. Wait for it to end.")
            self._paths.update_log.parent.mkdir(parents=True, exist_ok=True)
            self._started = now().timestamp()
            with self._paths.update_log.open("wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "pipelines.update", _REASON],
                    cwd=self._paths.root,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C ends the server, and must not end a training.
                    start_new_session=True,
                )

    def told(self) -> Update:
        """Return how far the update is, or how the last one ended."""
        with self._lock:
            return self._told()

    def _told(self) -> Update:
        status = self._child.poll() if self._child else 0
        progress = self._progress()
        if progress is None or progress["began"] < self._started:
            return self._without_progress(status)
        running = progress["ended"] is None and self._is_held()
        cut = progress["ended"] is None and not running
        well = progress["ended"] is not None and progress["error"] is None
        return Update(
            running=running,
            reason=progress["reason"],
            began=progress["began"],
            ended=progress["ended"],
            steps=progress["steps"],
            error="It was cut short. Start it again." if cut else progress["error"],
            verdict=self._verdict() if well else None,
            log=self._log(progress["began"]),
        )

    def _without_progress(self, status: int | None) -> Update:
        """Nothing ran yet; or what the page started has not got to its first step, or cannot."""
        if self._child is None:
            return Update()
        log = self._log(self._started)
        last = log[-1] if log else "it said nothing"
        error = f"The update did not begin: {last}" if status else None
        return Update(running=status is None, began=self._started, error=error, log=log)

    def _progress(self) -> dict[str, Any] | None:
        return _read(self._paths.update_progress)

    def _verdict(self) -> dict[str, Any] | None:
        outcome = _read(self._paths.report("update.json"))
        return outcome["verdict"] if outcome else None

    def _is_held(self) -> bool:
        # A killed flow cannot write its end, but the system frees its lock.
        try:
            with locked(self._paths.lock("update")):
                return False
        except Busy:
            return True

    def _log(self, began: float) -> list[str]:
        path = self._paths.update_log
        # A log that is older is of an earlier update; this one was started elsewhere.
        if not path.is_file() or path.stat().st_mtime < began:
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return [line.rstrip() for line in lines][-_TAIL_LINES:]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = read_json(path)
    except (FileNotFoundError, ValueError):
        return None
    return value


def environment() -> dict[str, str]:
    """Return the variables for the command that updates."""
    return {**os.environ, audit.VARIABLE: audit.actor(), "PYTHONUNBUFFERED": "1"}
