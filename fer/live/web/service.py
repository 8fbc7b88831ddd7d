"""What every route of one server shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

import anyio
import anyio.to_thread
from pydantic import Field

from fer.errors import DataError
from fer.faces import camera
from fer.faces.detect import Detector
from fer.live.champion import Champion
from fer.live.predictor import Predictor
from fer.live.seen import Onlooker
from fer.live.web.limits import Limits
from fer.live.web.meters import Meters
from fer.live.web.sittings import Capture, Recent, Seat
from fer.params import CaptureParams
from fer.paths import Paths

BROWSER: Final = "browser"
"""Name of a browser's camera, and domain of its faces, unless people give another."""

Name = Annotated[str, Field(pattern=r"^\w[\w .-]{0,39}$")]
"""What people call a person, a camera or a room."""

MAX_BYTES: Final = 4_000_000
"""The largest request and the largest frame."""

MAX_FILM_BYTES: Final = 500_000_000
"""The largest film; it is on disk while it is looked at."""

MAX_PIXELS: Final = 16_000_000
"""The most pixels that are decoded for a client: 48 MB."""

# Pictures in work at once. The detector takes one at a time; a second one is decoded meanwhile.
_AT_ONCE: Final = 2

Result = TypeVar("Result")


@dataclass
class Service:
    """What every route of one server shares.

    Args:
        paths: The checkout.
        detector: Finds the faces.
        predictor: Tells their emotions.
        registry: Lists and moves the champion.
        shadow: Answers beside it, unseen.
        capture: How long a consent holds.
        meters: Counted for `/metrics`.
        seats: Who agreed to be captured.
        captures: What was kept, to undo it.
        limits: Of how often one client may ask.
        onlooker: Counts what cameras see.
    """

    paths: Paths
    detector: Detector
    predictor: Predictor
    registry: Champion
    shadow: Predictor
    capture: CaptureParams
    meters: Meters = field(default_factory=Meters)
    seats: Recent[Seat] = field(default_factory=Recent)
    captures: Recent[Capture] = field(default_factory=Recent)
    limits: Limits = field(default_factory=Limits)
    onlooker: Onlooker = field(init=False)
    _limiter: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_AT_ONCE)
    )

    def __post_init__(self) -> None:
        """See the class."""
        self.onlooker = Onlooker(self.paths, self.predictor, self.shadow)

    async def work(self, task: Callable[[], Result]) -> Result:
        """Return what `task` returns, run in a thread; first come, first served."""
        return await anyio.to_thread.run_sync(task, limiter=self._limiter)


def decoded(data: bytes) -> camera.Frame:
    """Return a client's picture: BGR, shape `(height, width, 3)`.

    Raises:
        DataError: Too large, damaged or no picture.
    """
    if len(data) > MAX_BYTES:
        raise DataError(
            f"Expected at most {MAX_BYTES // 1_000_000} MB, received {len(data)} bytes."
        )
    return camera.decode_picture(data, max_pixels=MAX_PIXELS)
