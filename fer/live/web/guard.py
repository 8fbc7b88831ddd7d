"""Who may ask: checks before any route, and headers on every answer."""

import math
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer import audit
from fer.live.web import door
from fer.live.web.headers import added
from fer.live.web.limits import Limits, Rate, rate_of
from fer.live.web.service import MAX_BYTES, MAX_FILM_BYTES
from fer.live.web.tokens import signed_in
from fer.live.web.visits import Ended, Visit
from fer.paths import Paths

COOKIE: Final = "fer_token"

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that only this machine reaches."""

# Whether it runs, and where a token is shown.
_OPEN: Final = frozenset({"/healthz", "/api/login"})


@dataclass(frozen=True)
class _Refusal:
    status: int
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> JSONResponse:
        return JSONResponse({"detail": self.detail}, self.status, self.headers)


_NO_TOKEN: Final = _Refusal(401, "Expected a token, as a bearer token or by signing in.")
_FAULT: Final = _Refusal(500, "A fault of this server; its log says more.")


class Guard:
    """Refuses other hosts' pages, who asks too often or without a token, and large bodies.

    Args:
        app: The application behind it.
        tokens: The checkout that has the tokens; None: only this machine can connect.
        limits: Of how often one client may ask.
    """

    def __init__(self, app: ASGIApp, tokens: Paths | None, limits: Limits) -> None:
        """See the class."""
        self._app = app
        self._tokens = tokens
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        visit = Visit(self._tokens, _shown(Headers(scope=scope)))
        refusal = self._refusal(scope, visit)
        if refusal is None:
            with audit.acting(visit.who or audit.LOCAL):
                await self._answered(scope, visit, receive, send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted: the client receives 403.
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
        else:
            asks = refusal is _NO_TOKEN and scope["path"] == "/"
            await (door.page() if asks else refusal.answer())(scope, receive, added(send))

    async def _answered(self, scope: Scope, visit: Visit, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, visit.hearing(receive, send), send)
            return
        begun = False
        telling = visit.telling(added(send))

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await telling(message)

        try:
            await self._app(scope, receive, sending)
        except Ended:
            # The server closes the connection of an answer that stays a part.
            return
        except Exception:
            # Here, because what Starlette answers to a bug does not come by these headers.
            if not begun:
                await _FAULT.answer()(scope, receive, added(send))
            raise

    def _refusal(self, scope: Scope, visit: Visit) -> _Refusal | None:
        headers = Headers(scope=scope)
        rate = rate_of(scope)
        if self._tokens is None and _host(headers.get("host", "")) not in LOOPBACK:
            # A page of another site whose name was made to point here (DNS rebinding).
            return _Refusal(403, "Expected a request to localhost.")
        if _from_elsewhere(scope["path"], headers) or (rate and not _same_origin(headers)):
            return _Refusal(403, "Expected a request from this server's own page.")
        if rate is not None and (wait := self._limits.wait(_client(scope), rate)):
            return _too_often(rate, wait)
        if visit.who is None and scope["path"] not in _OPEN:
            return _NO_TOKEN
        if rate is None or scope["type"] != "http":
            return None
        film = scope["path"] == "/api/films"
        return _refused_size(headers, MAX_FILM_BYTES if film else MAX_BYTES)


def _shown(headers: Headers) -> str:
    """Return what a client shows of a token, as a browser keeps it."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return signed_in(token) if kind.lower() == "bearer" else _cookie(headers)


def _client(scope: Scope) -> str:
    # A server on a Unix socket is not told who asks.
    return str((scope.get("client") or ("",))[0])


def _too_often(rate: Rate, wait: float) -> _Refusal:
    seconds = math.ceil(wait)
    return _Refusal(
        429,
        f"Expected at most {rate.per_second:g} {rate.name} a second from one client, received "
        f"more. Try again in {seconds} s.",
        {"Retry-After": str(seconds)},
    )


def _host(value: str) -> str:
    return _parsed(f"//{value}").hostname or ""


def _from_elsewhere(path: str, headers: Headers) -> bool:
    # Where browsers say so (`Sec-Fetch-Site`), other sites' pages do not even read; but a link to
    # the page may be anywhere.
    return path != "/" and headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _same_origin(headers: Headers) -> bool:
    # Browsers send it with every WebSocket and every request that acts; other clients need not.
    origin = headers.get("origin")
    return origin is None or _parsed(origin).netloc == headers.get("host")


def _parsed(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _refused_size(headers: Headers, most: int) -> _Refusal | None:
    size = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not size.isdecimal():
        return _Refusal(411, "Expected a Content-Length.")
    # The length first: Python refuses to read a number of thousands of digits.
    if len(size) > len(str(most)) or int(size) > most:
        return _Refusal(
            413, f"Expected at most {most // 1_000_000} MB, received {size[:20]} bytes."
        )
    return None
