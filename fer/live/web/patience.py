"""How long a request may take to come: who stalls half-way holds memory that others need."""

from typing import Final

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS: Final = 30
"""The largest picture at 1 Mbit/s."""


class Patience:
    """Gives up on requests whose body does not come: they are answered with 408.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        """See the class."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, with a limit on the time until its body is there."""
        # A film is large, and its route has a limit of its own.
        if scope["type"] != "http" or scope["path"] == "/api/films":
            await self._app(scope, receive, send)
            return
        deadline, whole = anyio.current_time() + _SECONDS, False

        async def received() -> Message:
            nonlocal whole
            if whole:
                # Until the client leaves, which may take as long as the answer.
                return await receive()
            with anyio.CancelScope(deadline=deadline) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                raise HTTPException(
                    408, f"Expected a request within {_SECONDS} s, received a part of it."
                )
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, received, send)
