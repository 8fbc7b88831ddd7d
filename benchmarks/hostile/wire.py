"""Bytes on a connection: clients that stall, break off, or speak something else.

The server's own parsers read them, over a pair of sockets in place of a port.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
from uvicorn.server import ServerState

from benchmarks.hostile import pictures
from benchmarks.hostile.mutate import mutated
from benchmarks.hostile.server import service
from fer.live.web.limits import Limits
from fer.live.web.server import server

STALLED: Final = 20
"""Connections that are held open half-way, the oldest given up for the next."""

Chunks = list[bytes]
"""What is sent, part by part."""

_HOST: Final = b"Host: localhost\r\n"
_UPGRADE: Final = (
    b"GET /api/live HTTP/1.1\r\n" + _HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_HEALTH: Final = b"GET /healthz HTTP/1.1\r\n" + _HOST + b"Connection: close\r\n\r\n"

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def framed(kind: int, data: bytes, *, last: bool = True, masked: bool = True) -> bytes:
    """Return a WebSocket frame (RFC 6455, 5.2), masked with zeros."""
    size = len(data)
    lengths = (
        bytes([size]) if size < 126
        else b"\x7e" + struct.pack(">H", size) if size < 1 << 16
        else b"\x7f" + struct.pack(">Q", size)
    )  # fmt: skip
    mask = bytes(4) if masked else b""
    first = bytes([kind | (0x80 if last else 0)])
    return first + bytes([lengths[0] | (0x80 if masked else 0)]) + lengths[1:] + mask + data


def _posted(body: bytes, *headers: bytes, path: bytes = b"/api/predict") -> bytes:
    told = b"".join(one + b"\r\n" for one in headers)
    return b"POST " + path + b" HTTP/1.1\r\n" + _HOST + told + b"\r\n" + body


def valid() -> list[Chunks]:
    """Return what a page sends, in parts that a slow connection may make of it."""
    picture = pictures.valid()[2]
    half = len(picture) // 2
    length = b"Content-Length: %d" % len(picture)
    return [
        [_HEALTH],
        [_posted(b"", length), picture[:half], picture[half:]],
        [_UPGRADE, framed(BINARY, picture), framed(BINARY, picture), framed(CLOSE, b"\x03\xe8")],
        [_UPGRADE, framed(PING, b"x"), framed(BINARY, picture[:half], last=False),
         framed(0, picture[half:]), framed(TEXT, b"junk")],
    ]  # fmt: skip


def nasty() -> list[Chunks]:
    """Return requests and frames that lie about their length, their order or their kind."""
    frames = [
        b"\x82\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
        b"\x82\xff" + struct.pack(">Q", 1 << 40) + bytes(4),
        b"\x82\xfe\x00\x01" + bytes(5),
        framed(BINARY, bytes(5_000_000)),
        *(framed(kind, b"x") for kind in (0, 3, 7, 11, 15)),
        *(framed(kind | bits, b"x") for kind in (TEXT, BINARY) for bits in (0x40, 0x20, 0x10)),
        framed(BINARY, b"x", masked=False),
        framed(PING, bytes(126)), framed(PING, b"x", last=False), framed(PING, b"") * 5000,
        framed(TEXT, b"\xff\xfe"), framed(TEXT, b"\xed\xa0\x80"),
        *(framed(CLOSE, code) for code in (b"", b"\x03", b"\x00\x00", b"\x03\xed", b"\xff\xff")),
        framed(CLOSE, b"\x03\xe8\xff"), framed(CLOSE, b"\x03\xe8") * 3 + framed(BINARY, b"late"),
        framed(BINARY, b"x", last=False) * 2,
        framed(BINARY, bytes(1000), last=False) + framed(0, bytes(1000), last=False) * 6000,
    ]  # fmt: skip
    requests = [
        framed(BINARY, b"x") + _UPGRADE, _UPGRADE * 3, _UPGRADE + _HEALTH,
        _UPGRADE.replace(b"13", b"99"), _UPGRADE.replace(b"dGhl", b"\xff"),
        _UPGRADE.replace(b"Sec-WebSocket-Key", b"X"),
        _posted(b"", b"Content-Length: 4000000"), _posted(b"xy", b"Content-Length: 1"),
        _posted(b"", b"Content-Length: 1", b"Content-Length: 2"),
        _posted(b"5\r\nhello", b"Transfer-Encoding: chunked"),
        _posted(b"fffffffffffffffff\r\n", b"Transfer-Encoding: chunked"),
        _posted(b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        _posted(b"", b"Content-Length: 9", b"Expect: 100-continue"),
        _posted(b"x", b"Content-Length: 1", b"X: " + b"y" * 1_000_000),
        _posted(b"", *(b"X%d: y" % number for number in range(20_000))),
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" * 1000,
        b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
        b"\r\n" * 100_000, b"\0" * 100_000, _HEALTH.replace(b"close", b"keep-alive") * 500,
    ]  # fmt: skip
    return [*([_UPGRADE, frame] for frame in frames), *([request] for request in requests)]


class Wire:
    """Connections to one application.

    Args:
        root: Folder of the door.
        rng: Where chance comes from.
    """

    def __init__(self, root: Path, rng: np.random.Generator) -> None:
        """See the class."""
        self._rng = rng
        self._next = iter(nasty())
        self._seeds = valid()
        self._loop = asyncio.new_event_loop()
        # A clock that runs ahead, so that the limits of how often do not hide the parsers.
        served = server(service(root, Limits(count(0, 1000).__next__)), closed=False)
        self._config, self._state = served.config, ServerState()
        self._config.load()
        self._config.loaded_app = self._watched(self._config.loaded_app)
        self._faults: list[Exception] = []
        self._stalled: deque[asyncio.StreamWriter] = deque()

    def next(self) -> Chunks:
        """Return what is nasty by hand, then what a page sends in disorder, without end."""
        return next(self._next, None) or self._disordered()

    def offer(self, chunks: Chunks) -> None:
        """Send it, and see that the next client is answered and no connection is left over."""
        self._loop.run_until_complete(self._offer(chunks))
        if self._faults:
            raise self._faults.pop()

    def _disordered(self) -> Chunks:
        chunks = list(self._seeds[self._rng.integers(0, len(self._seeds))])
        for _ in range(self._rng.integers(0, 3)):
            one, other = self._rng.integers(0, len(chunks), 2)
            chunks[one], chunks[other] = chunks[other], chunks[one]
        if self._rng.random() < 0.7:
            place = self._rng.integers(0, len(chunks))
            chunks[place] = mutated(chunks[place], self._rng)
        return chunks[: self._rng.integers(1, len(chunks) + 1)]

    async def _offer(self, chunks: Chunks) -> None:
        _, writer = await self._connected()
        for one in chunks:
            writer.write(one)
            await asyncio.sleep(0)
        self._stalled.append(writer)
        if self._rng.random() < 0.5 or len(self._stalled) > STALLED:
            await self._give_up(self._stalled.popleft())
        reader, writer = await self._connected()
        writer.write(_HEALTH)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
        await self._give_up(writer)

    async def _give_up(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        while len(self._state.connections) > len(self._stalled):
            await asyncio.sleep(0.001)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socket.socketpair()

        def protocol() -> Any:
            return self._config.http_protocol_class(
                config=self._config, server_state=self._state, app_state={}
            )

        await self._loop.connect_accepted_socket(protocol, theirs)
        return await asyncio.open_connection(sock=ours)

    def _watched(self, app: Any) -> Any:
        async def asked(*call: Any) -> None:
            try:
                await app(*call)
            # The server writes it into its log and goes on.
            except Exception as error:
                self._faults.append(error)
                raise

        return asked


def wire(root: Path, rng: np.random.Generator) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return what makes the bytes of a connection, and what sends them."""
    one = Wire(root, rng)
    return one.next, one.offer
