"""`fer serve` tells where to look, answers, and ends quietly."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fer.errors import FerError
from fer.live.web import tokens
from fer.live.web.server import bound, needs_token
from fer.paths import Paths
from fer.records import now

_REPOSITORY = Path(__file__).parents[3]


def test_it_serves_a_file_until_it_is_interrupted(
    paths: Paths, make_model: Callable[..., Path]
) -> None:
    model = str(make_model("sad"))
    command = [sys.executable, "-m", "fer", "serve", "--port", "0", "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    with subprocess.Popen(
        command, cwd=paths.root, env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        told = re.search(r"http://127\.0\.0\.1:\d+", running.stderr.readline())
        assert told is not None
        with urllib.request.urlopen(f"{told[0]}/api/about", timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["model"]["name"].startswith("sad")
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
        assert not running.stderr.read()


@pytest.mark.parametrize(("host", "proxy"), [("0.0.0.0", None), ("127.0.0.1", "10.0.0.1")])  # noqa: S104
def test_where_others_can_connect_a_token_is_needed(
    paths: Paths, host: str, proxy: str | None
) -> None:
    assert not needs_token(paths, "127.0.0.1", None)
    with pytest.raises(FerError, match="fer token new"):
        needs_token(paths, host, proxy)
    tokens.new(paths, "phone", 1)
    assert needs_token(paths, host, proxy)


def test_where_there_is_a_token_it_is_asked_for_also_on_this_machine(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.new(paths, "phone", 1)
    assert needs_token(paths, "127.0.0.1", None)
    later = now() + timedelta(days=2)
    monkeypatch.setattr(tokens, "now", lambda: later)
    with pytest.raises(FerError, match="fer token new"):
        needs_token(paths, "127.0.0.1", None)


@pytest.mark.parametrize("proxy", ["*", "10.0.0.0/8", "10.0.0.1,10.0.0.2", ""])
def test_one_proxy_is_trusted_and_no_more(paths: Paths, proxy: str) -> None:
    tokens.new(paths, "phone", 1)
    with pytest.raises(FerError, match="address of a proxy"):
        needs_token(paths, "127.0.0.1", proxy)


def test_a_taken_port_is_explained() -> None:
    with bound("127.0.0.1", 0) as first, pytest.raises(FerError, match="--port"):
        bound("127.0.0.1", first.getsockname()[1])
