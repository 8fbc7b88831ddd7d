"""A client that asks too often waits; others, and the page, do not."""

from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from fer.live.web import limits
from fer.live.web.limits import OPENED, WRITTEN, Limits, Rate, rate_of
from tests.live.web.conftest import Serve

_RATE = Rate("words", burst=3, per_second=2)


class _Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_passes_and_the_next_is_told_how_long_to_wait() -> None:
    clock = _Clock()
    limits = Limits(clock)
    assert [limits.wait("a", _RATE) for _ in range(3)] == [0, 0, 0]
    assert limits.wait("a", _RATE) == pytest.approx(0.5)
    clock.seconds += 0.5
    assert limits.wait("a", _RATE) == 0
    assert limits.wait("a", _RATE) > 0


def test_a_refused_request_costs_nothing() -> None:
    clock = _Clock()
    limits = Limits(clock)
    refused = sum(limits.wait("a", _RATE) > 0 for _ in range(100))
    clock.seconds += 0.5
    assert (refused, limits.wait("a", _RATE)) == (97, 0)


def test_clients_and_kinds_of_requests_do_not_share() -> None:
    limits = Limits(_Clock())
    other = Rate("deeds", burst=1, per_second=1)
    assert [limits.wait("a", _RATE) for _ in range(4)][-1] > 0
    assert limits.wait("b", _RATE) == limits.wait("a", other) == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_never_more_pass_than_the_burst_and_the_rate_allow(pauses: list[float]) -> None:
    clock = _Clock()
    limits, passed = Limits(clock), 0
    for pause in pauses:
        clock.seconds += pause
        passed += limits.wait("a", _RATE) == 0
    assert passed <= _RATE.burst + _RATE.per_second * (clock.seconds - 100) + 1e-6


def test_memory_is_bounded_and_the_oldest_client_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_MAX_REMEMBERED", 2)
    remembering = Limits(_Clock())
    once = Rate("words", burst=1, per_second=1)
    for client in ("a", "b", "a", "c"):
        remembering.wait(client, once)
    assert [remembering.wait(client, once) > 0 for client in ("c", "b")] == [True, True]
    assert remembering.wait("a", once) == 0


def test_what_only_looks_is_not_counted() -> None:
    assert rate_of({"type": "http", "method": "GET", "path": "/api/predict"}) is None
    assert rate_of({"type": "websocket", "path": "/api/live"}) is OPENED
    assert rate_of({"type": "http", "method": "DELETE", "path": "/api/captures/x"}) is WRITTEN


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/predict", {"content": b"junk"}),
        ("/api/captures", {"content": b"junk"}),
        ("/api/review", {"json": {}}),
        ("/api/models/rollback", {"json": {}}),
    ],
)
def test_the_server_says_when_to_come_back(start: Serve, path: str, told: dict[str, Any]) -> None:
    clock = _Clock()
    site = start(limits=Limits(clock))
    answers: Iterator[Any] = (site.client.post(path, **told) for _ in count())
    refused = next(one for one in answers if one.status_code == 429)
    assert "Try again in" in refused.json()["detail"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert site.client.get("/api/about").status_code == 200
    clock.seconds += int(refused.headers["retry-after"])
    assert site.client.post(path, **told).status_code not in {429, 500}


def test_sessions_are_not_opened_without_end(start: Serve) -> None:
    clock = _Clock()
    site = start(limits=Limits(clock))
    for _ in range(OPENED.burst):
        site.live().close()
    with pytest.raises(InvalidStatus, match="403"):
        site.live()
    clock.seconds += 1
    with site.live():
        pass


def test_a_page_of_another_site_does_not_use_up_the_rate(
    start: Serve, shown: SimpleNamespace
) -> None:
    site = start(limits=Limits(_Clock()))
    for _ in range(200):
        site.client.post("/api/predict", headers={"Origin": "http://evil.example"})
    assert site.client.post("/api/predict", content=shown.jpeg).status_code == 200
