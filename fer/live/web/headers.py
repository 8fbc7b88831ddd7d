"""What every answer forbids a browser, whatever the page would ask of it."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send


def policy(*, scripts: str = "'self'", styles: str = "'self'") -> str:
    """Return a content security policy in which nothing but this server's own is loaded.

    Args:
        scripts: Which run.
        styles: Which apply.
    """
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src blob: data:; "
        "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


_HEADERS: Final = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def added(send: Send) -> Send:
    """Return `send` with these headers on what it begins, but for those that are there."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
