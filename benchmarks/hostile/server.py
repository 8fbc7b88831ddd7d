"""Requests and live sessions against the application, without a network in between."""

import asyncio
import json
import string
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

import numpy as np

from benchmarks.hostile import models, pictures
from benchmarks.hostile.door import REPOSITORY
from benchmarks.hostile.mutate import mutated
from fer import params
from fer.data import version
from fer.errors import FerError
from fer.faces.detect import Detector
from fer.live.champion import Champion
from fer.live.predictor import Predictor
from fer.live.web.app import create_app
from fer.live.web.limits import Limits
from fer.live.web.service import Service
from fer.paths import Paths
from fer.records import DataVersion

_ODD: Final = (
    None, True, -1, 0, 1, 10**30, 1.5, float("nan"), float("inf"), "", "x" * 5000, "../../canary",
    "\ud800", "\0", "ab" * 32, "happy", "accept", "1", [], {}, [[]] * 50, {"$ref": "#"},
)  # fmt: skip
_TEXTS: Final = (
    b"", b"x", b"%00", b"..%2f..%2fcanary", b"%ff", b"-1", b"9" * 5000, b"nan", b"1e999", b"happy",
    b"%ed%a0%80", b"%F0%9F%98%80", b"a;b&c", b"1", b"%0d%0aX: y",
)  # fmt: skip
_HEADERS: Final = (
    (b"content-length", b"-1"), (b"content-length", b"9" * 5000), (b"content-length", b"\xb2"),
    (b"origin", b"http://["), (b"origin", b"null"), (b"host", b"["), (b"host", b"localhost:x"),
    (b"cookie", b"fer_token=\"\\777"), (b"cookie", b"\xff=\xff;;;"), (b"authorization", b"\xff"),
    (b"transfer-encoding", b"chunked"), (b"range", b"bytes=9-1"), (b"range", b"bytes=-"),
    (b"content-type", b"application/json; charset=utf-7"), (b"content-type", b"\xff"),
    (b"if-modified-since", b"\xff"), (b"if-none-match", b'"'),
)  # fmt: skip

Message = dict[str, Any]


def service(root: Path, limits: Limits) -> Service:
    """Return what the routes share, with a network that answers alike, and nobody's faces."""
    paths = Paths(root / "checkout")
    version.write(paths.version, DataVersion())
    model = root / "model.onnx"
    model.write_bytes(models.onnx_model(root).valid[0])
    settings = params.load(REPOSITORY / "params.yaml").capture
    return Service(
        paths, Detector(), Predictor.of_file(model), Champion(paths), Predictor(None), settings,
        limits=limits,
    )  # fmt: skip


async def asked(app: Any, scope: Message, received: list[Message]) -> list[Message]:
    """Return what the application sends; raises what it raises."""
    waiting, sent = iter(received), []

    async def receive() -> Message:
        await asyncio.sleep(0)
        kind = "http.disconnect" if scope["type"] == "http" else "websocket.disconnect"
        return next(waiting, {"type": kind, "code": 1001})

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def scope_of(kind: str, path: bytes, **more: Any) -> Message:
    """Return what a server would hand on for a request by this machine."""
    bare, _, query = path.partition(b"?")
    shown = unquote_to_bytes(bare).decode("utf-8", "replace")
    return {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "path": shown,
        "scheme": "ws" if kind == "websocket" else "http", "raw_path": bare, "query_string": query,
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "subprotocols": [], **more,
    }  # fmt: skip


class Requests:
    """Requests for every route that the application describes, and for some that it does not.

    Args:
        app: The application.
        rng: Where chance comes from.
    """

    def __init__(self, app: Any, rng: np.random.Generator) -> None:
        """See the class."""
        self._rng = rng
        described = app.openapi()
        self._names = sorted(
            {name for one in described["components"]["schemas"].values()
             for name in one.get("properties", {})}
        )  # fmt: skip
        self._routes = [
            (method, path, [one["name"] for one in told.get("parameters", [])], told)
            for path, methods in described["paths"].items()
            for method, told in methods.items()
        ]
        self._pictures = [*pictures.valid(), *(p for p in pictures.nasty() if len(p) < 5000)]

    def next(self) -> tuple[Message, list[Message]]:
        """Return a request: its scope and its messages."""
        method, path, names, told = self._pick(self._routes)
        raw = path.encode().replace(b"{capture}", self._pick(_TEXTS))
        query = b"&".join(name.encode() + b"=" + self._pick(_TEXTS) for name in names)
        if self._rng.random() < 0.1:
            # The server's parser refuses bytes that no address holds; `wire` sends them.
            raw = quote_from_bytes(mutated(raw, self._rng), string.printable.strip()).encode()
        content = (told.get("requestBody") or {}).get("content", {})
        body = self._body(as_json="application/json" in content)
        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        headers.append((b"content-length", str(len(body)).encode()))
        if self._rng.random() < 0.3:
            name, value = self._pick(_HEADERS)
            headers = [one for one in headers if one[0] != name] + [(name, value)]
        verb = (
            method.upper() if self._rng.random() < 0.95 else self._pick(("PUT", "TRACE", "HEAD"))
        )
        scope = scope_of("http", raw + b"?" + query, method=verb, headers=headers)
        return scope, [{"type": "http.request", "body": body, "more_body": False}]

    def frame(self) -> Message:
        """Return what a live session may send."""
        if self._rng.random() < 0.02:
            return {"type": "websocket.receive", "text": "junk", "bytes": None}
        data = mutated(self._pick(self._pictures), self._rng)
        return {"type": "websocket.receive", "bytes": data, "text": None}

    def _body(self, *, as_json: bool) -> bytes:
        if not as_json:
            return mutated(self._pick(self._pictures), self._rng)
        if self._rng.random() < 0.05:
            return b"[" * 100_000
        value = {name: self._pick(_ODD) for name in self._names if self._rng.random() < 0.7}
        data = json.dumps(value).encode()
        return mutated(data, self._rng) if self._rng.random() < 0.3 else data

    def _pick(self, some: Any) -> Any:
        return some[self._rng.integers(0, len(some))]


class Refused(FerError):
    """The server answered with an error that its client can mend."""


def rest(root: Path, rng: np.random.Generator) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return what makes requests, and what hands one in."""
    # A clock that runs ahead, so that the limits of how often do not hide the routes.
    app = create_app(service(root, Limits(count(0, 1000).__next__)), closed=False)
    loop = asyncio.new_event_loop()

    def offer(request: tuple[Message, list[Message]]) -> None:
        _judge(loop.run_until_complete(asked(app, *request)))

    return Requests(app, rng).next, offer


def live(root: Path, rng: np.random.Generator) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return what makes live sessions of twelve frames, four at a time, and what holds them."""
    app = create_app(service(root, Limits(count(0, 1000).__next__)), closed=False)
    loop, requests = asyncio.new_event_loop(), Requests(app, rng)
    queries = (b"", b"", b"", b"?sitting=", b"?sitting=%ff", b"?sitting=x&sitting=y", b"?x")

    async def together(sessions: list[Any]) -> list[Any]:
        return await asyncio.gather(*(asked(app, *one) for one in sessions))

    def session() -> tuple[Message, list[Message]]:
        query = queries[rng.integers(0, len(queries))]
        scope = scope_of("websocket", b"/api/live" + query, headers=[(b"host", b"localhost")])
        frames = [requests.frame() for _ in range(12)]
        return scope, [{"type": "websocket.connect"}, *frames]

    def offer(sessions: list[Any]) -> None:
        for sent in loop.run_until_complete(together(sessions)):
            assert sent[0]["type"] in {"websocket.accept", "websocket.close"}

    return lambda: [session() for _ in range(4)], offer


def flood(root: Path, _: np.random.Generator) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return what makes requests of ever more clients and of one, and what hands one in."""
    app = create_app(service(root, Limits()), closed=True)
    loop, numbers = asyncio.new_event_loop(), count()

    def request() -> tuple[Message, list[Message]]:
        number = next(numbers)
        client = ("10.0.0.1" if number % 2 else f"10.{number}", 1)
        path = (b"/api/login", b"/api/predict", b"/api/captures/x")[number % 3]
        headers = [
            (b"host", b"x"),
            (b"content-length", b"20"),
            (b"content-type", b"application/json"),
        ]
        scope = scope_of("http", path, method="POST", headers=headers, client=client)
        return scope, [
            {"type": "http.request", "body": b'{"token": "guessed"}', "more_body": False}
        ]

    def offer(asked_for: tuple[Message, list[Message]]) -> None:
        _judge(loop.run_until_complete(asked(app, *asked_for)))

    return request, offer


def _judge(sent: list[Message]) -> None:
    status = sent[0]["status"]
    # 503 and 409 explain themselves; 500 is a bug.
    assert status not in {500, 502}, f"answered {status}"
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    if status >= 400:
        raise Refused(str(status))
