"""Runs of the campaign: a prepared checkout, a fault, a plain re-run, and what must hold."""

import contextlib
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.faults import checkout
from benchmarks.faults.checks import difference, kept, locked, outcome, wrong_now
from benchmarks.faults.children import Child, Ended, Unchecked, adopt_orphans, apart, settle
from benchmarks.faults.steps import (
    FAULTS,
    TWICE,
    frames,
    free_port,
    registry_server,
    serve,
    show,
    step,
)  # fmt: skip
from benchmarks.faults.strike import Fault, reopen
from fer.commands.steps import STEPS as STAGES
from fer.paths import Paths

SHARES: Final = {
    "base": 36, "validate": 34, "balance": 36, "train": 16, "evaluate": 24, "promote": 32,
    "capture": 32, "ingest": 42, "push": 20, "serve": 22, "update": 6,
}  # fmt: skip
"""Of 300 runs, by point: those that take long are fewer."""

_HOLDER: Final = re.compile(r"process \d+ is at it|PID \d+|Unable to acquire lock")
_WELL: Final = (0, -signal.SIGTERM)
_HANGS: Final = ("disk full", "out of memory")
"""Faults in which a library may hang: DVC asks for room without end, TensorFlow for memory, or it
keeps a lock. The step is stopped then, as `update.step_timeout_minutes` stops one of an update."""


@dataclass(frozen=True)
class Prepared:
    """A checkout before a step, and what an undisturbed run of the step makes of it."""

    folder: Path
    ended: Ended
    after: dict[str, Any]


@dataclass(frozen=True)
class Played:
    """What came of a run.

    Args:
        felt: The step did not end as it does undisturbed.
        stopped: A library hung in it for want of room or memory, and it had to be stopped.
        waited: Its re-run was refused while something that it left behind lived, by name.
        wrong: What does not hold.
        log: What was printed.
    """

    felt: bool
    stopped: bool
    waited: bool
    wrong: list[str]
    log: str


def drawn(seed: int) -> Iterator[tuple[str, Fault]]:
    """Yield where and what without end; moments and times as shares of an undisturbed run."""
    chance = random.Random(seed)  # noqa: S311  no secret
    kinds: dict[str, list[str]] = {name: [] for name in SHARES}
    while True:
        points = [name for name, share in SHARES.items() for _ in range(share)]
        chance.shuffle(points)
        for name in points:
            kinds[name] = kinds[name] or chance.sample(FAULTS[name], len(FAULTS[name]))
            yield name, Fault(kinds[name].pop(), 0, chance.random(), chance.random())


class Campaign:
    """Prepared checkouts, and runs in copies of them.

    Args:
        scratch: Folder to work in.
        alive: Children that are meant to live all the time.
    """

    def __init__(self, scratch: Path, alive: list[int]) -> None:
        """See the class."""
        self._root = scratch / "run"
        self._alive = alive
        self._frames = apart(frames)
        self._prepared: dict[str, Prepared] = {}
        adopt_orphans()

    def prepare(self, points: list[str]) -> None:
        """Go through the loop once undisturbed, and keep a copy from before each step."""
        checkout.make(self._root)
        for name in (*STAGES, "serve", "capture", "ingest", *list(STAGES)[1:], "push"):
            self._undisturbed(name)
            if name == "serve":  # its faces are not part of what follows
                self._reset(self._prepared[name].folder)
        if "promote" not in self._prepared:
            sys.exit("Expected a champion, received none: see the settings in checkout.py.")
        if "update" in points:
            self._reset(self._prepared["evaluate"].folder)
            self._undisturbed("update")

    def _undisturbed(self, name: str) -> None:
        before = Path(tempfile.mkdtemp(dir=self._root.parent))
        shutil.copytree(self._root, before, symlinks=True, dirs_exist_ok=True)
        [ended] = self._run(name, Fault())
        if ended.status not in _WELL or ended.hung:
            sys.exit(f"{name} ended with {ended.status}: {ended.log[-3000:]}")
        after = apart(lambda: outcome(Paths(self._root)))
        print(f"{name:9} {ended.seconds:5.1f} s, {ended.moments} moments", flush=True)
        if name == "promote":
            print(f"verdict {after['verdict'][:3]}", flush=True)
            # Of the two, the last that moved the alias.
            if after["verdict"][0] != "promoted":
                return
        self._prepared[name] = Prepared(before, ended, after)

    def play(self, name: str, fault: Fault) -> Played:
        """Play one run."""
        prepared = self._prepared[name]
        fault = replace(
            fault,
            at=1 + int(fault.seconds * prepared.ended.moments),
            seconds=fault.seconds * prepared.ended.seconds,
        )
        self._reset(prepared.folder)
        with _around(fault, self._root) as server:
            known = [*self._alive, *server]
            ended = self._run(name, fault)
        reopen(self._root)
        acknowledged = [face for one in ended for face in one.acknowledged]
        stopped = fault.kind in _HANGS and any(one.hung for one in ended)
        wrong = [] if stopped else ["hung" for one in ended if one.hung]
        wrong += _together(ended)
        wrong += self._wrong(acknowledged)
        waited, again = self._again(name, known)
        acknowledged += again.acknowledged
        if again.status not in _WELL or again.hung:
            wrong.append(f"the re-run ended with status {again.status}")
        wrong += self._wrong(acknowledged) + locked(Paths(self._root))
        wrong += self._differences(name, acknowledged)
        felt = any(one.status != prepared.ended.status for one in ended)
        said = "\n-- then --\n".join(one.log for one in [*ended, again])
        return Played(felt, stopped, waited, wrong, said)

    def _reset(self, folder: Path) -> None:
        shutil.rmtree(self._root)
        shutil.copytree(folder, self._root, symlinks=True)

    def _run(self, name: str, fault: Fault) -> list[Ended]:
        """Run one step with one fault in it, or twice at once."""
        root, port = self._root, free_port()
        timed = name == "update" and fault.kind not in ("none", TWICE)
        orphans = name == "update" or fault.kind == "kill one process"

        def work() -> int:
            return serve(root, port) if name == "serve" else step(name, root, fault)

        children = [Child(work, fault)]
        if fault.kind == TWICE:
            time.sleep(fault.seconds / 2)
            children.append(Child(work, fault))
        if name == "serve":
            show(port, self._frames, children[0])
        return [one.wait(root, orphans=orphans, timed=timed) for one in children]

    def _again(self, name: str, known: list[int]) -> tuple[bool, Ended]:
        """Re-run plainly; where what was left behind is still at work, once more after it."""
        [ended] = self._run(name, Fault())
        refused = ended.status not in _WELL and bool(_HOLDER.search(ended.log))
        well = settle(known)
        if refused:
            [ended] = self._run(name, Fault())
        return refused, ended if well else replace(ended, hung=True)

    def _wrong(self, acknowledged: list[str]) -> list[str]:
        try:
            told: list[str] = apart(lambda: wrong_now(Paths(self._root), acknowledged))
        except Unchecked as error:
            return [f"cannot be read: {error}"]
        return told

    def _differences(self, name: str, acknowledged: list[str]) -> list[str]:
        paths = Paths(self._root)
        if name in ("capture", "serve"):
            # Shown twice, a face waits twice: `ingest` makes it one.
            [ended] = self._run("ingest", Fault())
            if ended.status:
                return [f"ingest after it failed: {ended.log[-500:]}"]
            held = apart(lambda: kept(paths))
            return [f"{one[:8]} is there {held[one]} times" for one in set(acknowledged)
                    if held[one] != 1]  # fmt: skip
        try:
            now, wanted = apart(lambda: outcome(paths)), self._prepared[name].after
        except Unchecked as error:
            return [f"cannot be read: {error}"]
        return [f"{what} differs: {difference(wanted[what], now[what])}"
                for what in wanted if now[what] != wanted[what]]  # fmt: skip


def _together(ended: list[Ended]) -> list[str]:
    """Of two at once one wins; the other too, after waiting, or it says who is at it."""
    if len(ended) == 1:
        return []
    lost = [one for one in ended if one.status]
    told = ["neither of the two won"] if len(lost) == len(ended) else []
    told += ["the other does not say who is at it" for one in lost if not _HOLDER.search(one.log)]
    return told


@contextlib.contextmanager
def _around(fault: Fault, root: Path) -> Iterator[list[int]]:
    """Put around the step what the fault needs; yield children that live meanwhile."""
    if fault.kind == "registry gone":
        with registry_server(root) as server:
            yield [server]
    elif fault.kind == "registry locked" and Paths(root).registry.is_file():
        with contextlib.closing(sqlite3.connect(Paths(root).registry)) as held:
            held.execute("begin exclusive")
            yield []
            held.rollback()
    else:
        yield []
