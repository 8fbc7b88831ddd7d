"""A real `fer serve` in use for a while, updates included: what is dropped, lost, slow or grows.

    python -m benchmarks.soak [--minutes 10] [--clients 10] [--updates 1] [--checkout DIR]
        [--fps 30] [--yunet ONNX]

First one client at 30 frames a second, alone. Then all of them, each with one frame in flight as
the page has it, while drawn people sit down one after another and keep their faces, and the page
starts updates, which ingest those faces, train and may swap the model. It runs in a copy of the
checkout, which needs a champion (`make demo` leaves one) and is not changed. Required: no
connection dropped, no answer an error, every capture that was acknowledged found exactly once,
every update ended in a verdict, at least one promoted and every promotion seen by every client,
memory grown by less than 5 % from the tenth minute on, and alone less than half a core.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.soaking.account import account
from benchmarks.soaking.clients import Shown, Tally, drawn, frames, teach, update, view
from benchmarks.soaking.server import Server, ending, prepare, served
from fer.paths import Paths

ALONE_SECONDS: Final = 20
MAX_CORES_ALONE: Final = 0.5
MAX_GROWTH: Final = 0.05

WARM: Final = 20
"""Samples of memory after which it must no longer grow: ten minutes."""

SAMPLE_SECONDS: Final = 30.0

SEEN_SECONDS: Final = 20.0
"""After a promotion the server looks at the alias every 3 s; a busy machine takes longer."""


async def alone(server: Server, scene: Sequence[Shown]) -> float:
    """Return the cores that one client at 30 frames a second takes."""
    tally, over, cpu = Tally(), asyncio.Event(), server.cpu_seconds()
    asyncio.get_running_loop().call_later(ALONE_SECONDS, over.set)
    await view(0, server.address, scene, over, 30, tally)
    cores = (server.cpu_seconds() - cpu) / ALONE_SECONDS
    rate = len(tally.seconds) / ALONE_SECONDS
    print(f"one client         {rate:.1f} frames/s, {cores:.2f} cores, {latencies(tally)}")
    return cores


async def crowd(
    server: Server,
    scene: Sequence[Shown],
    shown: Sequence[Shown],
    options: argparse.Namespace,
) -> tuple[Tally, list[float]]:
    """Let all clients go on for the time that is asked, and until the last update has ended.

    Returns:
        What they saw, and the server's memory in MiB every `SAMPLE_SECONDS`.
    """
    tally, over, memory = Tally(), asyncio.Event(), list[float]()
    seconds, began = 60 * options.minutes, time.perf_counter()
    part = seconds / (options.updates + 1)
    pause = seconds / len(shown)
    moments = [began + part * (number + 1) for number in range(options.updates)]

    async def until_over() -> None:
        await update(server.address, moments, tally)
        await asyncio.sleep(max(SEEN_SECONDS, began + seconds - time.perf_counter()))
        over.set()

    async def watch() -> None:
        while not over.is_set():
            memory.append(server.rss_mib())
            await asyncio.sleep(SAMPLE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for number in range(options.clients):
            group.create_task(view(number, server.address, scene, over, options.fps, tally))
        group.create_task(teach(server.address, shown, over, pause, tally))
        group.create_task(watch())
        group.create_task(until_over())
    return tally, memory


def grown(memory: Sequence[float]) -> float:
    """Return by how much memory grew from when it was warm to the end, as a share; 0: too soon."""
    warm = memory[WARM:]
    if len(warm) < 2:
        return 0.0
    return statistics.median(warm[-5:]) / statistics.median(warm[:5]) - 1


def latencies(tally: Tally) -> str:
    """Return the percentiles of the time to an answer, for people."""
    parts = statistics.quantiles(tally.seconds, n=100)
    told = {"median": parts[49], "95 %": parts[94], "99 %": parts[98], "worst": max(tally.seconds)}
    return ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in told.items())


def report(tally: Tally, memory: Sequence[float], paths: Paths) -> list[str]:
    """Print what came of it; return what does not hold of what is required."""
    found = account(paths, tally.kept)
    verdicts = [one["verdict"] for one in tally.updates]
    promoted = [one["version"] for one in verdicts if one and one["verdict"] == "promoted"]
    # All begin with one champion; told apart by what the first client saw first.
    course = [*tally.versions[0][:1], *promoted]
    missed = sum(seen != course for seen in tally.versions.values())
    print(f"connections        {len(tally.dropped)} dropped {tally.dropped[:3]}")
    print(
        f"answers            {len(tally.seconds)}, {len(tally.errors)} errors {tally.errors[:3]}"
    )
    print(
        f"captures           {len(tally.kept)} kept ({found.places}), {len(found.lost)} lost, "
        f"{len(found.doubled)} doubled, {len(tally.refused)} refused {tally.refused[:3]}"
    )
    for one in tally.updates:
        told = one["verdict"] or {"verdict": "failed", "reasons": one["error"]}
        print(f"update             {one['seconds']:.0f} s, {told['verdict']}: {told['reasons']}")
    print(f"champions          {course}, not seen so by {missed} clients")
    told = " ".join(f"{one:.0f}" for one in memory[:: max(1, len(memory) // 12)])
    print(f"memory             {told} MiB, once warm {grown(memory):+.1%}")
    required = {
        "no connection dropped": not tally.dropped,
        "no answer an error": not tally.errors,
        "every capture once": not (found.lost or found.doubled or tally.refused),
        "a verdict of every update": all(verdicts),
        "a promotion": bool(promoted) or not verdicts,
        "every promotion seen by every client": not missed,
        f"growth of memory below {MAX_GROWTH:.0%}": grown(memory) < MAX_GROWTH,
    }
    return [name for name, holds in required.items() if not holds]


def _tell_load() -> None:
    print(f"the clients took   {time.process_time():.0f} s of processor time")
    print(f"load               {' '.join(f'{one:.1f}' for one in os.getloadavg())}")


def main() -> int:
    """Run it; return 1 if something required does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--updates", type=int, default=1)
    parser.add_argument("--fps", type=float, default=30, help="the most a client sends a second")
    parser.add_argument("--checkout", type=Path, default=Path.cwd())
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file; default: Haar")
    options = parser.parse_args()
    checkout = Paths.find(options.checkout.resolve())
    if not checkout.registry.is_file():
        print(f"Expected a registry in {checkout.root}, found none. Run `make demo`.")
        return 0
    scene = frames("studio", ["a", "b"], seed=1)
    shown = drawn(options.updates + 1)
    _tell_load()
    with tempfile.TemporaryDirectory() as folder, ending():
        paths = prepare(Path(folder) / "checkout", checkout, options.yunet)
        with served(paths) as server:
            cores = asyncio.run(alone(server, scene))
            tally, memory = asyncio.run(crowd(server, scene, shown, options))
        rate = len(tally.seconds) / 60 / options.minutes
        print(f"{options.clients} clients         {rate:.0f} frames/s in all, {latencies(tally)}")
        missing = report(tally, memory, paths)
    _tell_load()
    if cores >= MAX_CORES_ALONE:
        missing.append(f"alone less than {MAX_CORES_ALONE} cores")
    print(f"does not hold      {', '.join(missing)}" if missing else "all holds")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
