"""A visit: one request or live session, and by what right it is here while it lasts."""

import time
from typing import Final

import anyio
from starlette.types import Message, Receive, Send

from fer import audit
from fer.live.web import tokens
from fer.paths import Paths

_UNREAD_SECONDS: Final = 60
"""In sum, for which a client may leave one answer unread: it holds a place and memory here."""

_LOOK_AGAIN_SECONDS: Final = 1
"""How soon a live session ends with its token where nothing is sent in it."""


class Ended(Exception):
    """The rest of an answer is not sent: nobody reads it, or who does may no longer."""


class Visit:
    """Who asks.

    Args:
        paths: The checkout that has the tokens; None: nobody needs one.
        shown: What the client has of a token; see `tokens.signed_in`.
    """

    def __init__(self, paths: Paths | None, shown: str) -> None:
        """See the class."""
        self._paths, self._shown = paths, shown
        self.who = audit.LOCAL if paths is None else tokens.holder(paths, shown)
        """The token's name; None: nobody who may ask for more than is open."""

    def _holds(self) -> bool:
        return self._paths is None or tokens.holder(self._paths, self._shown) == self.who

    def hearing(self, receive: Receive, send: Send) -> Receive:
        """Return `receive` of a live session, which ends when the token is revoked or over."""

        async def heard() -> Message:
            message = None
            while message is None:
                with anyio.move_on_after(_LOOK_AGAIN_SECONDS):
                    message = await receive()
                if not self._holds():
                    reason = "The token was revoked, or is over."
                    await send({"type": "websocket.close", "code": 1008, "reason": reason})
                    return {"type": "websocket.disconnect", "code": 1008}
            return message

        return heard

    def telling(self, send: Send) -> Send:
        """Return `send` of an answer.

        It raises `Ended` where the client does not read it, or its token ends before it.
        """
        left = float(_UNREAD_SECONDS)

        async def told(message: Message) -> None:
            nonlocal left
            if message.get("more_body") and not self._holds():
                raise Ended
            began = time.monotonic()
            try:
                with anyio.fail_after(left):
                    await send(message)
            except TimeoutError:
                raise Ended from None
            left -= time.monotonic() - began

        return told
