"""A real `fer serve` under many clients for a while: what is dropped, lost, slow or grows.

    python -m benchmarks.soak [--clients 20] [--minutes 10] [--checkout DIR] [--yunet ONNX]

First one client at 30 frames a second, alone. Then all of them, each with one frame in flight as
the page has it, while one captures every few seconds and the champion's alias moves to another
version and back. Registry and settings are copied from the checkout, which needs two versions
(`make demo` leaves them) and is not changed. Required: no connection dropped, no capture lost,
both swaps seen by every client, and alone less than half a core.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import httpx
import websockets
import yaml

from fer.data import inbox, synthetic
from fer.emotions import EMOTIONS
from fer.live.capture import CONSENT_VERSION
from fer.paths import Paths

ALONE_SECONDS: Final = 20
CAPTURE_EVERY: Final = 5.0
MAX_CORES_ALONE: Final = 0.5

REPOSITORY: Final = Path(__file__).parents[1]


@dataclass
class Tally:
    """What the clients saw.

    Args:
        seconds: From each frame to its answer.
        dropped: Why each connection ended early.
        errors: Answers that told an error.
        versions: Versions that answered, by client.
        kept: Captures that the server said it kept.
        refused: Captures that it did not.
    """

    seconds: list[float] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    versions: dict[int, list[int]] = field(default_factory=dict)
    kept: int = 0
    refused: list[str] = field(default_factory=list)


class Server:
    """A running `fer serve`, as the system sees it."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        """See the class."""
        self._process = process
        self.address = address

    def cpu_seconds(self) -> float:
        """Return the processor time that it took so far."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """Return the memory that it has now."""
        found = re.search(r"VmRSS:\s+(\d+)", self._read("status"))
        return int(found[1]) / 1024 if found else 0.0

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="utf-8")


def prepare(root: Path, checkout: Paths, yunet: Path | None) -> Paths:
    """Copy the registry and the settings to `root`."""
    paths = Paths(root)
    shutil.copytree(checkout.mlruns, paths.mlruns)
    paths.version.parent.mkdir()
    for file in ("dvc.yaml", "data/version.json"):
        shutil.copy(checkout.root / file, root / file)
    settings = yaml.safe_load(checkout.params.read_text(encoding="utf-8"))
    settings["capture"]["detector"] = str(yunet) if yunet else None
    paths.params.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return paths


@contextlib.contextmanager
def served(paths: Paths) -> Iterator[Server]:
    """Start `fer serve`, and say how long it takes to answer and to have its model."""
    command = [sys.executable, "-m", "fer", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=paths.root, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None  # noqa: S101  given above
            line = process.stderr.readline()
            found = re.search(r"127\.0\.0\.1:\d+", line)
            if found is None:
                raise SystemExit(line + process.stderr.read())
            healthy = answered(found[0])
            print(f"start              /healthz answers after {healthy - began:.1f} s", end="")
            while not health(found[0])["model"]:
                time.sleep(0.05)
            print(f", with its model after {time.perf_counter() - began:.1f} s")
            yield Server(process, found[0])
        finally:
            process.terminate()


def health(address: str) -> Any:
    """Return what the server tells of itself."""
    return httpx.get(f"http://{address}/healthz", timeout=30).json()


def answered(address: str) -> float:
    """Return when the server answered for the first time."""
    while True:
        with contextlib.suppress(httpx.ConnectError):
            health(address)
            return time.perf_counter()
        time.sleep(0.02)


def rivals(server: Server) -> tuple[int, int] | None:
    """Return the champion's number and another version's; None: there are no two."""
    told = httpx.get(f"http://{server.address}/api/models", timeout=60).json()
    champion = [one["version"] for one in told if "champion" in one["aliases"]]
    others = [one["version"] for one in told if "champion" not in one["aliases"]]
    return (champion[0], others[0]) if champion and others else None


async def client(
    number: int, address: str, frames: list[bytes], until: float, fps: float, tally: Tally
) -> None:
    """Send frames, each after the answer to the one before, until it is time."""
    seen = tally.versions.setdefault(number, [])
    try:
        async with websockets.connect(f"ws://{address}/api/live", compression=None) as live:
            turn = number
            while (began := time.perf_counter()) < until:
                await live.send(frames[turn % len(frames)])
                told = json.loads(await live.recv())
                tally.seconds.append(time.perf_counter() - began)
                if "error" in told:
                    tally.errors.append(told["error"])
                if told["model"]["version"] not in seen[-1:]:
                    seen.append(told["model"]["version"])
                turn += 1
                await asyncio.sleep(max(0.0, began + 1 / fps - time.perf_counter()))
    except (OSError, websockets.WebSocketException) as error:
        tally.dropped.append(repr(error))


async def teach(address: str, frames: list[bytes], until: float, tally: Tally) -> None:
    """Capture a face every few seconds, as a person would."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as http:
        agreed = {"subject": "soak", "consent": CONSENT_VERSION}
        sitting = (await http.post("/api/sittings", json=agreed)).json()["sitting"]
        turn = 0
        while time.perf_counter() < until:
            frame = frames[turn % len(frames)]
            reading = (await http.post("/api/predict", content=frame)).json()
            if reading["faces"]:
                x, y, width, height = reading["faces"][0]["box"]
                box = {"x": x, "y": y, "width": width, "height": height}
                asked = {"sitting": sitting, "label": EMOTIONS[turn % len(EMOTIONS)], **box}
                answer = await http.post("/api/captures", params=asked, content=frame)
                if answer.status_code == httpx.codes.CREATED:
                    tally.kept += 1
                else:
                    tally.refused.append(answer.text)
            turn += 1
            await asyncio.sleep(CAPTURE_EVERY)


async def swap(paths: Paths, pauses: float, there_and_back: tuple[int, int]) -> None:
    """Move the champion's alias from another process, as an update does, and back again."""
    for version in there_and_back:
        await asyncio.sleep(pauses)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fer", "models", "rollback", str(version),
            cwd=paths.root, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )  # fmt: skip
        if await process.wait():
            raise SystemExit("The alias could not be moved.")


async def alone(server: Server, frames: list[bytes]) -> float:
    """Return the cores that one client at 30 frames a second takes."""
    tally, cpu, began = Tally(), server.cpu_seconds(), time.perf_counter()
    await client(0, server.address, frames, began + ALONE_SECONDS, 30, tally)
    cores = (server.cpu_seconds() - cpu) / (time.perf_counter() - began)
    rate = len(tally.seconds) / ALONE_SECONDS
    print(f"one client         {rate:.1f} frames/s, {cores:.2f} cores, {latencies(tally)}")
    return cores


async def crowd(
    server: Server,
    paths: Paths,
    frames: list[bytes],
    options: argparse.Namespace,
    versions: tuple[int, int],
) -> Tally:
    """Let all clients go on for the time that is asked; print memory along the way."""
    tally, seconds = Tally(), 60 * options.minutes
    until = time.perf_counter() + seconds
    champion, other = versions
    async with asyncio.TaskGroup() as group:
        for number in range(options.clients):
            group.create_task(client(number, server.address, frames, until, options.fps, tally))
        group.create_task(teach(server.address, frames, until, tally))
        group.create_task(swap(paths, seconds / 4, (other, champion)))
        group.create_task(watch(server, until))
    return tally


async def watch(server: Server, until: float) -> None:
    """Print the server's memory ten times, the first after it has warmed up."""
    pause = (until - time.perf_counter()) / 10
    told = []
    while time.perf_counter() + pause / 2 < until:
        await asyncio.sleep(pause)
        told.append(server.rss_mib())
    grown = told[-1] - told[0]
    print(
        f"memory             {' '.join(f'{one:.0f}' for one in told)} MiB, {grown:+.0f} in the end"
    )


def latencies(tally: Tally) -> str:
    """Return the percentiles of the time to an answer, for people."""
    parts = statistics.quantiles(tally.seconds, n=100)
    told = {"median": parts[49], "95 %": parts[94], "99 %": parts[98], "worst": max(tally.seconds)}
    return ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in told.items())


def report(tally: Tally, paths: Paths, options: argparse.Namespace) -> bool:
    """Print what came of it; return whether nothing was dropped or lost."""
    lost = tally.kept - inbox.count(paths.inbox)
    rate = len(tally.seconds) / (60 * options.minutes)
    swapped = sum(len(seen) == 3 for seen in tally.versions.values())
    print(f"{options.clients} clients         {rate:.0f} frames/s in all, {latencies(tally)}")
    print(f"connections        {len(tally.dropped)} dropped {tally.dropped[:3]}")
    print(
        f"answers            {len(tally.seconds)}, {len(tally.errors)} errors {tally.errors[:3]}"
    )
    print(f"captures           {tally.kept} kept, {lost} lost, {len(tally.refused)} refused")
    print(f"swap and back      seen by {swapped} of {options.clients} clients")
    return not (tally.dropped or tally.errors or lost or swapped < options.clients)


def main() -> int:
    """Run it; return 1 if something required does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--fps", type=float, default=30, help="the most a client sends a second")
    parser.add_argument("--checkout", type=Path, default=Path.cwd())
    parser.add_argument("--yunet", type=Path, help="YuNet's ONNX file; default: Haar")
    options = parser.parse_args()
    checkout = Paths.find(options.checkout.resolve())
    if not checkout.mlruns.is_dir():
        print(f"Expected a registry in {checkout.root}, found none. Run `make demo`.")
        return 0
    drawn = synthetic.draw_frames(camera="studio", subjects=["a", "b"], per_subject=7, seed=1)
    frames = [cv2.imencode(".jpg", one.image)[1].tobytes() for one in islice(drawn, 14)]
    print(f"load before        {' '.join(f'{one:.1f}' for one in os.getloadavg())}")
    with tempfile.TemporaryDirectory() as folder:
        paths = prepare(Path(folder) / "checkout", checkout, options.yunet)
        with served(paths) as server:
            versions = rivals(server)
            if versions is None:
                print("Expected a champion and another version. Run `make demo`.")
                return 0
            cores = asyncio.run(alone(server, frames))
            tally = asyncio.run(crowd(server, paths, frames, options, versions))
            well = report(tally, paths, options)
    own = resource.getrusage(resource.RUSAGE_SELF)
    minutes = options.minutes + ALONE_SECONDS / 60
    print(f"the clients took   {(own.ru_utime + own.ru_stime) / 60 / minutes:.2f} cores")
    print(f"load after         {' '.join(f'{one:.1f}' for one in os.getloadavg())}")
    return 0 if well and cores < MAX_CORES_ALONE else 1


if __name__ == "__main__":
    sys.exit(main())
