"""A copy of a checkout, and a real `fer serve` in it as the system sees it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.faults.children import adopt_orphans, descendants
from fer.paths import Paths


class Server:
    """A running `fer serve`."""

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
    """Copy the checkout to `root`, code, data and registry, but for git and the environment."""
    left_out = shutil.ignore_patterns(".venv", ".git", "tmp", ".*_cache", ".hypothesis")
    shutil.copytree(checkout.root, root, ignore=left_out)
    paths = Paths(root)
    settings = yaml.safe_load(paths.params.read_text(encoding="utf-8"))
    settings["capture"]["detector"] = str(yunet.resolve()) if yunet else None
    paths.params.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    without_git = [sys.executable, "-m", "dvc", "config", "--local", "core.no_scm", "true"]
    subprocess.run(without_git, cwd=root, check=True)
    return paths


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Have SIGTERM end this process as Ctrl-C does, and all that it started end with it.

    An update that the page began is in a session of its own, and outlives the server.
    """

    def stop(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    adopt_orphans()
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        for one in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)


@contextlib.contextmanager
def served(paths: Paths) -> Iterator[Server]:
    """Start `fer serve`, and say how long it takes to answer and to have its model."""
    command = [sys.executable, "-m", "fer", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(paths.root)}
    began = time.perf_counter()
    # A file, not a pipe: nobody reads it meanwhile, and a full pipe would hold the server up.
    with (
        (paths.root / "serve.log").open("w+", encoding="utf-8") as log,
        subprocess.Popen(
            command, cwd=paths.root, env=environment, stderr=log, text=True
        ) as process,
    ):
        try:
            address = _address(process, log.name)
            healthy = answered(address)
            print(f"start              /healthz answers after {healthy - began:.1f} s", end="")
            while not health(address)["model"]:
                time.sleep(0.05)
            print(f", with its model after {time.perf_counter() - began:.1f} s", flush=True)
            yield Server(process, address)
        finally:
            process.terminate()
            process.wait()
            log.seek(0)
            said = log.readlines()[1:]
            print("the server said   ", *(said or ["nothing\n"]), end="")


def _address(process: subprocess.Popen[str], log: str) -> str:
    while True:
        said = Path(log).read_text(encoding="utf-8")
        if found := re.search(r"127\.0\.0\.1:\d+", said):
            return found[0]
        if process.poll() is not None:
            raise SystemExit(said)
        time.sleep(0.02)


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
