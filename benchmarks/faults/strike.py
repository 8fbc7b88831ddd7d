"""Faults, and how they strike a process or a checkout."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from fer import records

KILLS: Final = ("kill the group", "kill one process", "kill at a time")
CLOSED: Final = ("read-only", "no permission")
EVERYWHERE: Final = (*KILLS, *CLOSED, "disk full")
NEVER_SECONDS: Final = 400.0

FOLDERS: Final = ("data", "data/inbox", "data/captures", "models", "reports", "mlruns", ".fer")
"""Of which "no permission" closes one."""

_JUMP_DAYS: Final = 400
_HEADROOM_BYTES: Final = 2**28
REGISTRY: Final = "FAULTS_REGISTRY"
"""Variable that names the process of the registry's server."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Args:
        kind: Such as "disk full".
        at: Number of the file operation; 0: never.
        seconds: For what strikes at a time.
        share: From 0 to 1: how much is left, how far the clock jumps, or which of several it is.
    """

    kind: str = "none"
    at: int = 0
    seconds: float = NEVER_SECONDS
    share: float = 0.0


def strike(fault: Fault) -> None:
    """Strike this process, which stands in the checkout's root."""
    if fault.kind == "kill the group":
        os.killpg(0, signal.SIGKILL)
    elif fault.kind == "kill one process":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault.kind == "out of memory":
        pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
        held = pages * os.sysconf("SC_PAGESIZE")
        _limit(resource.RLIMIT_AS, held + int(fault.share * _HEADROOM_BYTES), [0])
    elif fault.kind == "clock jump":
        _shift_clock((2 * fault.share - 1) * _JUMP_DAYS)
    elif fault.kind == "remote gone":
        Path("remote").rename("remote.away")
        Path("remote").write_text("a file where the folder was", "utf-8")
    elif fault.kind == "registry gone":
        os.kill(int(os.environ[REGISTRY]), signal.SIGKILL)
    else:
        around(fault, Path(), [0])


def around(fault: Fault, root: Path, processes: list[int]) -> None:
    """Strike the checkout, or processes at work in it (0: this one), from outside of them."""
    if fault.kind == "kill the group":
        _kill(processes)
    elif fault.kind == "kill one process":
        _kill(processes[int(fault.share * len(processes)) :][:1])
    elif fault.kind == "disk full":
        # Files grow to so many bytes and no further, as where the disk is full.
        _limit(resource.RLIMIT_FSIZE, int(10 ** (6 * fault.share)) - 1, processes)
    elif fault.kind == "no permission":
        _close([root / FOLDERS[int(fault.share * len(FOLDERS))]], 0o000)
    elif fault.kind == "read-only":
        _close([root / ".dvc" / "tmp", *(root / one for one in FOLDERS[::-1]), root], 0o555)


def reopen(root: Path) -> None:
    """Undo what `around` did to the checkout, and bring the remote back."""
    root.chmod(0o755)
    for folder, below, _ in os.walk(root):
        for name in below:
            Path(folder, name).chmod(0o755)
    if (root / "remote.away").exists():
        (root / "remote").unlink()
        (root / "remote.away").rename(root / "remote")


def _kill(processes: Iterable[int]) -> None:
    for one in processes:
        os.kill(one, signal.SIGKILL)


def _limit(what: int, most: int, processes: Iterable[int]) -> None:
    for one in processes:
        resource.prlimit(one, what, (most, most))


def _close(folders: Iterable[Path], mode: int) -> None:
    for folder in folders:
        if folder.is_dir():
            folder.chmod(mode)


def _shift_clock(days: float) -> None:
    """For Python's own clock, and for ours under every name."""
    real_time, real_now = time.time, records.now
    time.time = lambda: real_time() + 86_400 * days
    for module in list(sys.modules.values()):
        if getattr(module, "now", None) is real_now:
            module.now = lambda: real_now() + timedelta(days=days)  # type: ignore[attr-defined]  # of any module
