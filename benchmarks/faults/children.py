"""Children of the campaign: run apart, watched, struck, and waited for with all they started."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from benchmarks.faults.strike import NEVER_SECONDS, Fault, around, strike
from fer.data import inbox

LIMIT_SECONDS: Final = NEVER_SECONDS
_SUBREAPER: Final = 36
_LOG_BYTES: Final = 2**20

_WRITES: Final = {
    "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate", "fcntl.flock",
    "sqlite3.connect", "subprocess.Popen", "os.fork",
}  # fmt: skip
"""Audit events that count as a moment, beside opening a file to write."""


class Unchecked(Exception):
    """A check met what it could not read."""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Args:
        status: Its exit status; negative: the signal.
        seconds: How long it ran.
        moments: File operations counted.
        acknowledged: Ids of faces that it said it kept.
        log: What it printed.
        hung: It had to be stopped.
    """

    status: int
    seconds: float
    moments: int
    acknowledged: list[str]
    log: str
    hung: bool


class Child:
    """Runs `work` in a process group of its own, with `fault` in it.

    Args:
        work: Returns the exit status.
        fault: Strikes at a moment, or by `wait` at a time.
    """

    def __init__(self, work: Callable[[], int], fault: Fault) -> None:
        """See the class."""
        self._fault = fault
        self._counted = mmap.mmap(-1, 8)
        self._told, tell = os.pipe()
        # No file: a full disk would silence it. Its reader stays open until it is collected.
        self._said, say = os.pipe()
        fcntl.fcntl(say, fcntl.F_SETPIPE_SZ, _LOG_BYTES)
        self._began = time.perf_counter()
        self.process = os.fork()
        if self.process == 0:
            os.setpgid(0, 0)
            _in_child(work, fault, self._counted, (say, tell))
        # By both of them: a kill may come before the child has got so far.
        with contextlib.suppress(ProcessLookupError):
            os.setpgid(self.process, self.process)
        os.close(tell)
        os.close(say)

    def __del__(self) -> None:
        """Close what it spoke through."""
        os.close(self._told)
        os.close(self._said)

    def wait(self, root: Path, *, orphans: bool, timed: bool) -> Ended:
        """Return how it ended.

        Args:
            root: The checkout.
            orphans: Leave those of its children alone that outlive it.
            timed: The fault strikes from outside, after its seconds.
        """
        hung = False
        if timed and not _ends(self.process, self._fault.seconds):
            around(self._fault, root, [self.process, *descendants(self.process)])
        if self._fault.kind != "kill at a time":
            hung = not _ends(self.process, LIMIT_SECONDS)
        elif not _ends(self.process, self._fault.seconds):
            os.killpg(self.process, signal.SIGKILL)
        if hung or not orphans:
            _kill_group(self.process)
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return Ended(
            status, time.perf_counter() - self._began,
            int.from_bytes(self._counted[:8], "little"), _drained(self._told).split(),
            _drained(self._said), hung,
        )  # fmt: skip


def apart(work: Callable[[], Any]) -> Any:
    """Return what `work` does in a fork: threads it starts here would deadlock later children.

    Raises:
        Unchecked: It raised an error.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        cv2.setNumThreads(1)
        try:
            answer = True, work()
        except Exception as error:  # noqa: BLE001  what does not hold is told, not raised
            answer = False, repr(error)
        with os.fdopen(tell, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        well, answer = pickle.load(pipe)  # noqa: S301  of our own child
    os.waitpid(child, 0)
    if not well:
        raise Unchecked(answer)
    return answer


def forked(work: Callable[[], int], environment: dict[str, str]) -> int:
    """Return the exit status of `work` in a fork."""
    child = os.fork()
    if child == 0:
        os.environ.update(environment)
        _exit_with(work)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def adopt_orphans() -> None:
    """Become the parent of whatever children leave behind."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def settle(known: Iterable[int]) -> bool:
    """Wait for what children left behind; return whether all of it ended by itself.

    Args:
        known: Children that are meant to live.
    """
    until = time.monotonic() + LIMIT_SECONDS
    well = True
    while left := set(_children(os.getpid())) - set(known):
        for one in left:
            if not _ends(one, until - time.monotonic()):
                well = False
                os.kill(one, signal.SIGKILL)
            os.waitpid(one, 0)
    return well


def descendants(process: int) -> list[int]:
    """Return all that `process` started and that still runs."""
    below = list(_children(process))
    return [*below, *(deeper for one in below for deeper in descendants(one))]


def _children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            yield from map(int, task.read_text("utf-8").split())
        except OSError:  # it has ended meanwhile
            return


def _in_child(
    work: Callable[[], int], fault: Fault, counted: mmap.mmap, pipes: tuple[int, int]
) -> None:
    say, tell = pipes
    os.dup2(say, 1)
    os.dup2(say, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    cv2.setNumThreads(1)
    _acknowledge_to(tell)
    sys.addaudithook(_hook(fault, counted))
    _exit_with(work)


def _exit_with(work: Callable[[], int]) -> None:
    status = 70
    try:
        status = work()
    except BaseException:  # noqa: BLE001  the child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ends(process: int, seconds: float) -> bool:
    opened = os.pidfd_open(process)
    try:
        return bool(select.select([opened], [], [], max(0.0, seconds))[0])
    finally:
        os.close(opened)


def _kill_group(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _drained(pipe: int) -> str:
    os.set_blocking(pipe, False)
    parts = []
    try:
        while part := os.read(pipe, _LOG_BYTES):
            parts.append(part)
    except BlockingIOError:  # held open by an orphan
        pass
    return b"".join(parts).decode("utf-8", "replace")


def _acknowledge_to(pipe: int) -> None:
    """Tell the id of every face that `inbox.put` has said is durable."""
    put = inbox.put

    def told(folder: Path, faces: Any) -> Path:
        item = put(folder, faces)
        os.write(pipe, "".join(f"{face}\n" for face in faces["id"]).encode())
        return item

    inbox.put = told


def _hook(fault: Fault, counted: mmap.mmap) -> Callable[[str, tuple[Any, ...]], None]:
    """Count what writes, in this process and those it forks, and strike at `fault.at`."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and (arguments[2] & 0o103)
        if not writes and event not in _WRITES:
            return
        count = int.from_bytes(counted[:8], "little") + 1
        counted[:8] = count.to_bytes(8, "little")
        if count == fault.at:
            strike(fault)

    return hook
