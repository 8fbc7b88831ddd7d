"""Hostile input in bulk at every door: what is refused, what crashes, what it costs.

    python -m benchmarks.fuzz [--inputs 10000] [--seed 1] [--door NAME]

Each door has a process and a folder of its own, and gets its share of the inputs: bombs and lies
made by hand, then seeded mutations of valid files. Refused is an error of `fer.errors`, or an HTTP
answer of 400 and more that is not 500; set apart is what is left out with a reason. A crash is
anything else, the end of the process included, which also comes to an input that has not ended
after five minutes. The slowest is by processor time, which other work on the machine does not
stretch; more than five seconds are a fault. Memory is by how much the process' peak grew after
valid input; more than 512 MiB are a fault. Outside are files written or removed beyond that
folder, commands started, addresses called and pickles opened, as Python's audit events tell.
"""

import argparse
import logging
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.hostile.door import Door
from benchmarks.hostile.mutate import stream
from fer.errors import FerError

SHARES: Final = {
    "pictures": 0.46, "FER2013 csv, zip, votes": 0.12, "picture lists": 0.05, "inbox items": 0.07,
    "params.yaml": 0.02, "version.json": 0.06, "ONNX models": 0.02, "Keras models": 0.002,
    "REST": 0.08, "live sessions": 0.002, "wire": 0.04, "flood": 0.076,
}  # fmt: skip
"""By how long one input takes; one of live sessions is 48 frames."""

MAX_SECONDS: Final = 5.0
"""Processor time of one input."""

MAX_GROWTH: Final = 512.0
"""MiB; the largest inbox item that is taken holds 500 MB."""

HANGS_SECONDS: Final = 300

_WRITES: Final = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link",
                  "os.symlink", "os.truncate"}  # fmt: skip
_NEVER: Final = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class",
                 "socket.connect", "socket.getaddrinfo"}  # fmt: skip


@dataclass
class Tally:
    """What came of one door's inputs.

    Args:
        outcomes: How many were taken, set apart, refused or crashed.
        refusals: Class names of what was raised on purpose.
        crashes: One line for each kind.
        slowest: Seconds of processor time.
        grown: MiB.
        outside: What was touched that must not be.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    grown: float = 0.0
    outside: set[str] = field(default_factory=set)


def offered(name: str, inputs: int, seed: int, root: Path) -> Tally:
    """Return what came of a door's inputs, in a process of its own."""
    tempfile.tempdir = str(root / "inside")
    logging.disable(logging.CRITICAL)
    # The decoders comment on every input.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.chdir(root)
    (root / "inside").mkdir()
    rng = np.random.default_rng(seed)
    source, offer, warm = _door(name, root / "inside", rng)
    tally = Tally()
    for one in warm:
        with suppress(FerError):
            offer(one)
    before = _peak()
    watching = [True]
    sys.addaudithook(partial(_watch, tally, root, watching))
    for _ in range(inputs):
        _try(offer, source(), tally)
    watching[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    tally.grown = _peak() - before
    tally.outside |= {f"left {one.name}" for one in root.iterdir() if one.name != "inside"}
    return tally


def _door(
    name: str, root: Path, rng: np.random.Generator
) -> tuple[Callable[[], Any], Callable[[Any], Any], list[Any]]:
    # In the door's process alone: TensorFlow and the server take their time.
    from benchmarks.hostile import checkout, files, models, server, wire

    files_by: dict[str, Callable[[Path], Door]] = {
        "pictures": files.picture, "FER2013 csv, zip, votes": files.fer2013,
        "picture lists": files.picture_list, "inbox items": checkout.item,
        "params.yaml": checkout.settings, "version.json": checkout.data_version,
        "ONNX models": models.onnx_model, "Keras models": models.keras_model,
    }  # fmt: skip
    if name not in files_by:
        served = {"REST": server.rest, "live sessions": server.live, "flood": server.flood,
                  "wire": wire.wire}  # fmt: skip
        source, offer = served[name](root, rng)
        return source, offer, []
    door = files_by[name](root)
    return partial(next, stream(door.valid, door.nasty, rng)), door.offer, door.valid


def _try(offer: Callable[[Any], Any], data: Any, tally: Tally) -> None:
    began = time.process_time()
    # Unhandled: the signal ends the process, wherever it hangs.
    signal.setitimer(signal.ITIMER_REAL, HANGS_SECONDS)
    try:
        outcome = "set apart" if offer(data) else "taken"
    except FerError as error:
        outcome = "refused"
        kind = type(error).__name__
        tally.refusals[f"HTTP {error}" if kind == "Refused" else kind] += 1
    # Whatever else comes out is what is looked for.
    except Exception as error:  # noqa: BLE001
        outcome = "crashed"
        tally.crashes[_line(error)] += 1
    tally.outcomes[outcome] += 1
    tally.slowest = max(tally.slowest, time.process_time() - began)


def _line(error: Exception) -> str:
    """Return the error and the product's line that it came through last."""
    place, step = "", error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if f"{os.sep}fer{os.sep}" in file and "site-packages" not in file:
            place = f"{Path(file).name}:{step.tb_lineno}"
        step = step.tb_next
    return f"{type(error).__name__} at {place}: {str(error)[:100]!r}"


def _watch(tally: Tally, root: Path, watching: list[bool], event: str, values: Any) -> None:
    if not watching[0]:
        return
    # Python's `platform` asks the system what it is.
    if event == "subprocess.Popen" and values[0] == "uname":
        return
    if event in _NEVER:
        tally.outside.add(f"{event} {str(values)[:80]}")
    elif event in _WRITES or (event == "open" and _writes(values)):
        place = os.path.realpath(os.fsdecode(values[0])) if not isinstance(values[0], int) else ""
        if place and not place.startswith((str(root), os.devnull)):
            tally.outside.add(f"{event} {place}")


def _writes(values: Any) -> bool:
    return bool(values[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if values[2] else False


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(name: str, inputs: int, seed: int) -> Tally:
    """Return what came of a door, also where its process did not live to tell."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="fer-fuzz-") as folder:
        root = Path(folder).resolve()
        with ProcessPoolExecutor(1, context) as pool:
            try:
                return pool.submit(offered, name, inputs, seed, root).result()
            except BrokenProcessPool:
                lost = Counter({"crashed": 1})
                return Tally(lost, crashes=Counter({"the process ended": 1}))


def told(name: str, tally: Tally, seconds: float) -> Iterator[str]:
    """Yield a row of the table, then what is wrong."""
    counts = [tally.outcomes[one] for one in ("taken", "set apart", "refused", "crashed")]
    cells = [name, f"{sum(counts):,}", *(f"{one:,}" for one in counts)]
    cells += [f"{1000 * tally.slowest:.0f} ms", f"{tally.grown:.0f} MiB", str(len(tally.outside))]
    yield f"| {' | '.join(cells)} | {seconds:.0f} s |"
    refused = ", ".join(f"{kind} {number:,}" for kind, number in tally.refusals.most_common())
    yield f"    refused: {refused or 'nothing'}"
    yield from (f"    CRASH {number} x {line}" for line, number in tally.crashes.most_common(12))
    yield from (f"    OUTSIDE {line}" for line in sorted(tally.outside)[:12])


def faults(tally: Tally) -> int:
    """Return how much of it must not be."""
    costly = (tally.slowest > MAX_SECONDS) + (tally.grown > MAX_GROWTH)
    return tally.outcomes["crashed"] + len(tally.outside) + costly


def main() -> None:
    """Try every door, or one; fail where something crashed or reached outside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="over all doors")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--door", choices=SHARES, help="that one alone, with its share")
    options = parser.parse_args()
    print(
        "| door | inputs | taken | set apart | refused | crashed | slowest | memory | outside "
        "| time |"
    )
    print("|---" * 10 + "|")
    wrong = 0
    for name, share in SHARES.items():
        if options.door in (None, name):
            began = time.perf_counter()
            tally = apart(name, round(share * options.inputs), options.seed)
            print(*told(name, tally, time.perf_counter() - began), sep="\n", flush=True)
            wrong += faults(tally)
    with suppress(BrokenPipeError):
        print(f"{wrong} faults" if wrong else "no fault")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
