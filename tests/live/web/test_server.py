"""`fer serve` tells where to look, answers, and ends quietly."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from fer.errors import FerError
from fer.live.web.server import bound, checked_token
from fer.paths import Paths

_REPOSITORY = Path(__file__).parents[3]


def test_it_serves_a_file_until_it_is_interrupted(
    paths: Paths, make_model: Callable[..., Path]
) -> None:
    model = str(make_model("sad"))
    command = [sys.executable, "-m", "fer", "serve", "--port", "0", "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    environment.pop("FER_TOKEN", None)
    with subprocess.Popen(
        command, cwd=paths.root, env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        told = re.search(r"http://127\.0\.0\.1:\d+", running.stderr.readline())
        assert told is not None
        with urllib.request.urlopen(f"{told[0]}/healthz", timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["model"].startswith("sad")
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
        assert not running.stderr.read()


def test_listening_elsewhere_needs_a_token() -> None:
    assert checked_token("127.0.0.1", None) is None
    with pytest.raises(FerError, match="FER_TOKEN"):
        checked_token("0.0.0.0", None)  # noqa: S104  refused
    with pytest.raises(FerError, match="16"):
        checked_token("127.0.0.1", "short")


def test_a_taken_port_is_explained() -> None:
    with bound("127.0.0.1", 0) as first, pytest.raises(FerError, match="--port"):
        bound("127.0.0.1", first.getsockname()[1])
