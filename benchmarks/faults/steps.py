"""What the campaign disturbs: each step as its command does it, without starting Python anew."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import cv2
import dvc.stage.run
import httpx
import uvicorn
from dvc.repo import Repo
from dvc.stage.exceptions import StageCmdFailedError

from benchmarks.faults.children import Child, apart, forked
from benchmarks.faults.strike import EVERYWHERE, KILLS, REGISTRY, Fault
from fer import cli
from fer.commands.steps import STEPS as STAGES
from fer.data import dvc_files, synthetic
from fer.evaluation import fresh
from fer.live.capture import CONSENT_VERSION
from fer.paths import Paths
from tests.kill import run_dvc

TWICE: Final = "two at once"
FAULTS: Final = {
    **dict.fromkeys(STAGES, (*EVERYWHERE, "clock jump")),
    "train": (*EVERYWHERE, "clock jump", "out of memory", "out of memory", "out of memory"),
    "promote": (*EVERYWHERE, "clock jump", "registry locked", "registry gone", TWICE),
    "capture": (*EVERYWHERE, "clock jump", TWICE),
    "ingest": (*EVERYWHERE, "clock jump", "registry locked", "registry gone", TWICE),
    "push": (*KILLS, "remote gone"),
    "serve": (*EVERYWHERE, "clock jump"),
    "update": (TWICE, "kill the group", "kill one process", TWICE, "disk full", "read-only"),
}
"""Points of the loop, and the faults that they may meet."""

_really_run: Final = subprocess.run
CAPTURED: Final = 28
FACES: Final = 6
"""That are shown to `fer serve`."""


def step(name: str, root: Path, fault: Fault) -> int:
    """Do what `fer NAME`, or the update's task of that name, does; return the exit status."""
    os.chdir(root)
    subprocess.run = _command  # type: ignore[assignment]  # a fork for it
    if name == "promote" and fault.kind == TWICE:
        # Without DVC's own locks.
        return cli.main([name])
    if name in (*STAGES, "push"):
        dvc_files.mend(Paths(root))
    if name in STAGES:
        with Repo(str(root)) as repo:
            repo.reproduce(name, single_item=True)
        return 0
    if name == "push":
        with Repo(str(root)) as repo:
            repo.push()
        return 0
    if name == "update":
        os.execv(sys.executable, [sys.executable, "-m", "pipelines.update"])  # noqa: S606  our own
    if name == "capture":
        return cli.main([name, "synthetic:window", "--faces", str(CAPTURED)])
    return cli.main([name])


def load() -> None:
    """Import what the steps import, once; nothing of it may run here."""
    modules = {module for module, _ in STAGES.values()}
    also = ("fer.data.ingest", "fer.registry.guard", "fer.live.session", "fer.live.web.server",
            "mlflow.server.fastapi_app", "tensorflow")  # fmt: skip
    for name in (*modules, *also):
        import_module(name)
    dvc.stage.run._run = _stage  # noqa: SLF001  in a fork  instead of a new interpreter a stage


def _stage(_: object, command: str, **options: Any) -> None:
    """Stand for DVC's own: the command of a stage, in a fork."""
    if status := forked(lambda: cli.main(command.split()[3:]), options["env"]):
        raise StageCmdFailedError(command, status)


def _command(command: list[Any], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Do in this process, or a fork of it, what `subprocess.run` would start Python for."""
    if command[1:3] == ["-m", "dvc"]:
        return run_dvc(command, **options)
    if command[1:3] == ["-m", "fer.evaluation.fresh"]:
        told = apart(lambda: asdict(fresh._look(*command[3:])))  # noqa: SLF001
        return subprocess.CompletedProcess(command, 0, json.dumps(told), "")
    return _really_run(command, **options)


# -- the page ------------------------------------------------------------------------------------


def serve(root: Path, port: int) -> int:
    """Do what `fer serve` does."""
    os.chdir(root)
    return cli.main(["serve", "--port", str(port)])


def frames() -> list[bytes]:
    """Return drawn frames as PNG, one face each."""
    drawn = synthetic.draw_frames(camera="phone", subjects=["a"], per_subject=FACES, seed=3)
    return [cv2.imencode(".png", one.image)[1].tobytes() for one in drawn]


def show(port: int, shown: list[bytes], child: Child) -> None:
    """Teach the server one face after the other until it is gone; then end it."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        if not _answers(http, "/healthz", child.process):
            return
        with contextlib.suppress(httpx.HTTPError, KeyError, IndexError):
            agreed = {"subject": "ana", "consent": CONSENT_VERSION}
            sitting = http.post("/api/sittings", json=agreed).json()["sitting"]
            for frame in shown:
                found = http.post("/api/predict", content=frame).json()["faces"][0]["box"]
                box = dict(zip(("x", "y", "width", "height"), found, strict=True))
                asked = {"sitting": sitting, "label": "happy", **box}
                http.post("/api/captures", params=asked, content=frame)
    os.kill(child.process, signal.SIGTERM)


# -- the registry --------------------------------------------------------------------------------


@contextlib.contextmanager
def registry_server(root: Path) -> Iterator[int]:
    """Have MLflow's server serve the checkout's registry; yield its process.

    Raises:
        TimeoutError: It did not come up.
    """
    port = free_port()
    child = Child(lambda: _registry(root, port), Fault())
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        if not _answers(http, "/health", child.process):
            raise TimeoutError("Expected MLflow's server to answer, it does not.")
    told = {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        REGISTRY: str(child.process),
    }
    os.environ.update(told)
    try:
        yield child.process
    finally:
        for name in told:
            del os.environ[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process, signal.SIGKILL)
        os.waitpid(child.process, 0)


def _registry(root: Path, port: int) -> int:
    os.chdir(root)
    server = import_module("mlflow.server")
    os.environ[server.BACKEND_STORE_URI_ENV_VAR] = "sqlite:///mlruns/mlflow.db"
    os.environ[server.ARTIFACT_ROOT_ENV_VAR] = "mlruns/artifacts"
    app = import_module("mlflow.server.fastapi_app").app
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical")
    return 0


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


def _answers(http: httpx.Client, page: str, process: int) -> bool:
    until = time.monotonic() + 120
    while time.monotonic() < until and _lives(process):
        with contextlib.suppress(httpx.HTTPError):
            if http.get(page).is_success:
                return True
        time.sleep(0.05)
    return False


def _lives(process: int) -> bool:
    state = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]
    return state != "Z"
