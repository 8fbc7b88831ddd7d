"""Who stalls half-way through a request is not waited for without end."""

import socket

import httpx
import pytest

from fer.live.web import patience
from tests.live.web.conftest import Site


@pytest.mark.parametrize("path", ["/api/predict", "/api/sittings"])
def test_a_request_that_stays_a_part_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(patience, "_SECONDS", 0)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\npart"
    host, port = site.host.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as stalling:
        stalling.sendall(head.encode())
        answer = stalling.recv(1000)
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_request_that_has_come_may_take_its_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_SECONDS", 0)
    assert site.client.get("/api/about").status_code == httpx.codes.OK
