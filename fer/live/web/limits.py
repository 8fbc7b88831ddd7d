"""How often one client may ask, so that none takes the server from the others."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope


@dataclass(frozen=True)
class Rate:
    """So many requests at once, and then so many a second.

    Args:
        name: What is counted together.
        burst: Requests that need not wait.
        per_second: Likewise, in the long run.
    """

    name: str
    burst: int
    per_second: float


OPENED: Final = Rate("live sessions", 40, 2)
"""A page that lost its server asks for one again every 1.5 s."""

WRITTEN: Final = Rate("captures and decisions", 40, 10)
"""Faster than a person presses keys, and each is one file that is made durable."""

# A folder that is dropped on Pictures comes as fast as it is answered; the page waits when told.
_BY_PATH: Final = {
    "/api/predict": Rate("pictures", 80, 40),
    "/api/films": Rate("films", 6, 0.2),
    "/api/login": Rate("tokens", 10, 0.5),
    "/api/models/rollback": Rate("rollbacks", 6, 0.2),
    "/api/update": Rate("updates", 6, 0.2),
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_MAX_REMEMBERED: Final = 10_000
"""Clients times rates; the ones that asked least recently are forgotten."""


def rate_of(scope: Scope) -> Rate | None:
    """Return the rate that a request counts for; None: it changes nothing."""
    if scope["type"] == "websocket":
        return OPENED
    return None if scope["method"] in _SAFE else _BY_PATH.get(scope["path"], WRITTEN)


class Limits:
    """Remembers when clients asked.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """See the class."""
        self._clock = clock
        # When the burst of each is whole again: the generic cell rate algorithm, as in ATM
        # networks (ITU-T I.371), which needs one number where a token bucket needs two.
        self._whole: OrderedDict[tuple[str, Rate], float] = OrderedDict()

    def wait(self, client: str, rate: Rate) -> float:
        """Count one request; return 0, or the seconds after which it may be asked again.

        Args:
            client: Address of who asks.
            rate: What the request counts for.
        """
        now = self._clock()
        whole = max(now, self._whole.get((client, rate), now))
        early = whole - now - (rate.burst - 1) / rate.per_second
        if early > 0:
            return early
        self._whole[client, rate] = whole + 1 / rate.per_second
        self._whole.move_to_end((client, rate))
        if len(self._whole) > _MAX_REMEMBERED:
            self._whole.popitem(last=False)
        return 0.0
