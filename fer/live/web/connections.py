"""Connections: one that asks for nothing is not held open, and no client has them all.

A token is asked for with a request. Who sends none, or a part of its head, needs no token, and
each connection is one file of the few that a process may have open.
"""

from asyncio import TimerHandle, Transport
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_SECONDS: Final = 10
"""In which the head of a request comes; browsers open connections ahead that they may not need."""

_MOST_OF_ONE: Final = 200
"""Connections from one address, which may be a proxy's; systems allow 1024 files or more."""


class Connection(H11Protocol):
    """A connection of uvicorn's that ends where no whole head of a request comes in time.

    Uvicorn has a limit for the time after an answer alone. Its `limit_concurrency` closes nothing:
    with so many silent connections it would refuse everybody.
    """

    _late: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take a connection, unless the client has too many."""
        super().connection_made(transport)
        others = [one.client for one in cast("set[Any]", self.connections) if one.client]
        host = self.client[0] if self.client else None
        if sum(client[0] == host for client in others) > _MOST_OF_ONE:
            transport.close()
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and look whether a request has begun with them."""
        super().data_received(data)
        upgraded = self.transport.get_protocol() is not self
        if upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        # Not anew for each byte: who sends one now and then is waited for no longer.
        if self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
