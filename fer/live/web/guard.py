"""Who may ask: checks before any route, and headers on every answer."""

import hmac
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer.live.web.limits import Limits, Rate, rate_of
from fer.live.web.service import MAX_BYTES, MAX_FILM_BYTES

COOKIE: Final = "fer_token"

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that only this machine reaches."""

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

# The page itself holds nothing secret, and asks for the token.
_OPEN: Final = frozenset({"/", "/healthz", "/api/login"})


@dataclass(frozen=True)
class _Refusal:
    status: int
    detail: str
    headers: dict[str, str] = field(default_factory=dict)


class Guard:
    """Refuses other hosts' pages, who asks too often or without the token, and large bodies.

    Args:
        app: The application behind it.
        token: What a client must show; None: only this machine can connect.
        limits: Of how often one client may ask.
    """

    def __init__(self, app: ASGIApp, token: str | None, limits: Limits) -> None:
        """See the class."""
        self._app = app
        self._token = token
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._answered(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            # Closed before it is accepted: the client receives 403.
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
        else:
            detail = {"detail": refusal.detail}
            answer = JSONResponse(detail, refusal.status, refusal.headers)
            await answer(scope, receive, _with_headers(send))

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            # Here, because what Starlette answers to a bug does not come by these headers.
            if scope["type"] == "http" and not begun:
                detail = {"detail": "A fault of this server; its log says more."}
                await JSONResponse(detail, 500)(scope, receive, send)
            raise

    def _refusal(self, scope: Scope) -> _Refusal | None:
        headers = Headers(scope=scope)
        rate = rate_of(scope)
        if self._token is None and _host(headers.get("host", "")) not in LOOPBACK:
            # A page of another site whose name was made to point here (DNS rebinding).
            return _Refusal(403, "Expected a request to localhost.")
        if rate is not None and not _same_origin(headers):
            return _Refusal(403, "Expected a request from this server's own page.")
        if rate is not None and (wait := self._limits.wait(_client(scope), rate)):
            return _too_often(rate, wait)
        if not self._allowed(scope["path"], headers):
            return _Refusal(
                401, "Expected the server's token, as a bearer token or by signing in."
            )
        if rate is None or scope["type"] != "http":
            return None
        film = scope["path"] == "/api/films"
        return _refused_size(headers, MAX_FILM_BYTES if film else MAX_BYTES)

    def _allowed(self, path: str, headers: Headers) -> bool:
        if self._token is None or path in _OPEN or path.startswith("/static/"):
            return True
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        by_bearer = same_token(bearer, self._token)
        return by_bearer or same_token(_cookie(headers), signed_in(self._token))


def same_token(shown: str, token: str) -> bool:
    """Return whether both are equal, in a time that does not tell how much of it is."""
    return hmac.compare_digest(shown.encode(), token.encode())


def signed_in(token: str) -> str:
    """Return what a browser holds in the token's place: of no use to find it, ended with it."""
    return hmac.new(token.encode(), COOKIE.encode(), "sha256").hexdigest()


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


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _add(MutableHeaders(scope=message), _HEADERS.items())
        await send(message)

    return sending


def _add(headers: MutableHeaders, wanted: Iterable[tuple[str, str]]) -> None:
    for name, value in wanted:
        headers[name] = value
