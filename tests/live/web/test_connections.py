"""Who connects and asks for nothing holds no connection, and one client cannot hold them all."""

import socket
from collections.abc import Iterator

import pytest
import websockets.sync.client

from fer.live.web import connections
from tests.live.web.conftest import Site


def connected(site: Site) -> socket.socket:
    host, port = site.host.split(":")
    return socket.create_connection((host, int(port)), timeout=60)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_HEAD_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_a_silent_connection_is_closed(site: Site) -> None:
    with connected(site) as silent:
        assert silent.recv(1) == b""


def answers(site: Site, connection: socket.socket) -> Iterator[bytes]:
    """Yield the first bytes of the answers to a whole request after another."""
    while True:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {site.host}\r\n\r\n".encode())
        told = b""
        while not told.endswith(b"}"):
            told += connection.recv(1000)
        yield told[:15]


def test_after_an_answer_the_next_request_has_to_come_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(site) as asking:
        told = answers(site, asking)
        assert [next(told), next(told)] == [b"HTTP/1.1 200 OK"] * 2
        monkeypatch.setattr(connections, "_HEAD_SECONDS", 0)
        asking.sendall(b"GET /healthz HT")
        assert asking.recv(1) == b""


def test_a_live_session_is_no_silent_connection(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[connections.Connection] = []
    before = connections.Connection.connection_made

    def noted(self: connections.Connection, transport: object) -> None:
        made.append(self)
        before(self, transport)

    monkeypatch.setattr(connections.Connection, "connection_made", noted)
    with websockets.sync.client.connect(f"ws://{site.host}/api/live"):
        (one,) = made
        assert one._late is None


def test_one_client_holds_so_many_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST_OF_ONE", 1)
    with connected(site) as first:
        told = answers(site, first)
        next(told)
        with connected(site) as second:
            assert second.recv(1) == b""
        assert next(told) == b"HTTP/1.1 200 OK"
