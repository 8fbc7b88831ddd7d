"""A real server in a thread, on a port of its own, with a registry that stands in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from fer.data import version
from fer.errors import RegistryError
from fer.faces.detect import Detector
from fer.live.predictor import Predictor
from fer.live.web.limits import Limits
from fer.live.web.server import bound, server
from fer.live.web.service import Service
from fer.params import CaptureParams, SelfLearningParams
from fer.paths import Paths
from fer.records import DataVersion
from tests.live import conftest as live


class Registry(live.Registry):
    """Tells of its versions, too."""

    def listed(self) -> list[SimpleNamespace]:
        """Return every version, newest first."""
        told = {"verdict": "promoted", "reasons": "first\nsecond", "validation_accuracy": "0.9"}
        created = datetime(2026, 1, 1, tzinfo=UTC)
        return [
            SimpleNamespace(
                number=number,
                aliases=("champion",) if number == self.champion else (),
                created=created,
                tags={
                    **told,
                    "candidate_sha256": f"of {number}",
                    "feedback": f"version {number} got 3 votes",
                },
            )
            for number in sorted(self.files, reverse=True)
        ]

    def decision(self, candidate_sha256: str) -> dict[str, Any] | None:
        """Return what was decided of version 2; version 1 was judged elsewhere."""
        held = {"name": "held", "holds": True, "expected": "some", "received": "enough"}
        failed = {**held, "name": "failed", "holds": False}
        domains = {"desk": {"faces": 9, "champion": 0.5, "candidate": 0.75}}
        decided = {"conditions": [held, failed], "accuracy": domains}
        return decided if candidate_sha256 == "of 2" else None

    def rollback(self, version: int | None) -> tuple[int, int]:
        """Make `version` champion."""
        if version is None:
            raise RegistryError("none before it")
        before, self.champion = self.champion, version
        return before, version


@dataclass
class Site:
    """A running server."""

    service: Service
    registry: Registry
    client: httpx.Client
    host: str

    def live(
        self,
        *,
        sitting: str | None = None,
        camera: str | None = None,
        blind: bool = False,
        **options: Any,
    ) -> Connection:
        """Open a live session, in which the person of `sitting` turned self-learning on."""
        given = {"sitting": sitting, "camera": camera, "blind": blind}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return connect(f"ws://{self.host}/api/live?{query}", compression=None, **options)


Serve = Callable[..., Site]


@pytest.fixture
def start(tmp_path: Path, make_model: Callable[..., Path]) -> Iterator[Serve]:
    """Return a function that starts a server and gives its `Site`."""
    with ExitStack() as stack:

        def begin(
            *,
            closed: bool = False,
            proxy: str | None = None,
            self_learning: bool = False,
            limits: Limits | None = None,
        ) -> Site:
            running = _running(
                tmp_path / "checkout",
                make_model,
                self_learning,
                limits or Limits(),
                closed=closed,
                proxy=proxy,
            )
            return stack.enter_context(running)

        yield begin


@pytest.fixture
def site(start: Serve) -> Site:
    """A server for this machine alone, with version 1 (happy) as champion."""
    return start()


@contextmanager
def _running(
    root: Path,
    make_model: Callable[..., Path],
    self_learning: bool,
    limits: Limits,
    **options: Any,
) -> Iterator[Site]:
    paths = Paths(root)
    version.write(paths.version, DataVersion())
    registry = Registry({1: make_model("happy"), 2: make_model("sad")})
    predictor = Predictor(registry)
    predictor.refresh()
    own = SelfLearningParams(
        enabled=self_learning, confidence=0.7, frames=3, near_copy=0.9, per_class=2
    )
    capture = CaptureParams(detector=None, consent_days=30, self_learning=own)
    service = Service(
        paths, Detector(), predictor, registry, Predictor(None), capture,  # type: ignore[arg-type]
        limits=limits,
    )  # fmt: skip
    with bound("127.0.0.1", 0) as listening:
        running = server(service, **options)
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=running.run, args=([listening],))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://{host}", timeout=10) as client:
                yield Site(service, registry, client, host)
        finally:
            running.should_exit = True
            thread.join()
