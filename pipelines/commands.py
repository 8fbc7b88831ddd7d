"""Commands of the checkout, run as their own process group, their output in the flow's log."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from prefect import get_run_logger

from fer import audit
from fer.errors import FerError
from fer.paths import Paths

_REFUSAL: Final = re.compile(r"fer \S+: ")
"""How a command begins to say what it does not take."""

ROOT: Final = Paths.find(Path(__file__).parent).root


class StepFailed(FerError):
    """A step ended with an error that may be gone next time: a crash, a lost connection."""


class StepRefused(StepFailed):
    """A step refused its input and said why; trying again changes nothing."""


def run(module: str, *arguments: str, timeout_minutes: float) -> str:
    """Run `python -m module arguments` in the checkout and return what it printed.

    Args:
        module: Such as "fer" or "dvc".
        arguments: Its command line.
        timeout_minutes: After this the whole process group is killed.

    Raises:
        StepRefused: The step refused its input; carries its sentence.
        StepFailed: It ended otherwise with an error; carries its last lines.
    """
    process = start(
        module,
        *arguments,
        # A group of its own, so that DVC's children end with it.
        start_new_session=True,
        # Children inherit the flow's lock: were the flow killed, it would hold until they end.
        close_fds=False,
    )
    began, limit = time.monotonic(), 60 * timeout_minutes
    timer = threading.Timer(limit, _kill, [process])
    timer.start()
    try:
        lines = _follow(process)
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()
    if process.returncode == -signal.SIGKILL and time.monotonic() - began >= limit:
        raise StepFailed(
            f"`{module} {' '.join(arguments)}` did not end within {timeout_minutes:g} minutes and "
            "was stopped. Where it needs longer, raise update.step_timeout_minutes."
        )
    if process.returncode:
        raise _failure([module, *arguments], process.returncode, lines)
    return "\n".join(lines)


def start(module: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start `python -m module arguments` in the checkout; all that it prints comes as lines.

    Args:
        module: Such as "fer" or "dvc".
        arguments: Its command line.
        options: More of `subprocess.Popen`.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def environment() -> dict[str, str]:
    """Return the variables for a command: stages say `python`, which must be this one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    more = {"PATH": path, "PYTHONUNBUFFERED": "1", audit.VARIABLE: audit.FLOW}
    return {**os.environ, **more}


def _follow(process: "subprocess.Popen[str]") -> list[str]:
    log, lines = get_run_logger(), []
    for line in process.stdout or ():
        lines.append(line.rstrip())
        log.info(lines[-1])
    process.wait()
    return lines


def _kill(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _failure(command: Sequence[str], status: int, lines: Sequence[str]) -> StepFailed:
    for number, line in enumerate(lines):
        if _REFUSAL.match(line):
            return StepRefused("\n".join(lines[number : number + 12]))
    tail = "\n".join(lines[-12:])
    return StepFailed(f"`{' '.join(command)}` ended with status {status}:\n{tail}")
