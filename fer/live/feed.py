"""A source as a window shows it: films at their pace, of a camera always the newest frame."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from fer.errors import CameraError
from fer.faces import camera
from fer.faces.camera import Frame
from fer.live.film import FRAMES_PER_SECOND

_PICTURE_SECONDS: Final = 2.0
"""How long a picture of a folder stands."""

_RELEASE_SECONDS: Final = 2.0
"""How long a camera that hangs may delay the end."""

Feed = Generator[Frame | None, None, None]
"""Frames (BGR, shape `(height, width, 3)`), and None while the next is not due; never waits."""


def of(source: str, clock: Callable[[], float] = time.monotonic) -> Feed:
    """Return the frames of `source`, as `camera.frames` takes it. Close it, to free a camera.

    Raises:
        CameraError: With the first frame or later: the source gives none, or no more. A film and
            a folder just end.
    """
    frames = camera.frames(source)
    if source.isdecimal() or "://" in source:
        return newest(frames)
    path = Path(source)
    stands = path.is_dir() or path.suffix.lower() in camera.SUFFIXES
    return paced(frames, _PICTURE_SECONDS if stands else 1 / FRAMES_PER_SECOND, clock)


def paced(frames: Iterator[Frame], seconds: float, clock: Callable[[], float]) -> Feed:
    """Yield `frames`, each when the one before has been shown for `seconds`."""
    due = clock()
    for frame in frames:
        while clock() < due:
            yield None
        yield frame
        due = clock() + seconds
    while clock() < due:
        yield None


def newest(frames: Generator[Frame, None, None]) -> Feed:
    """Yield the newest of `frames`, which a thread reads; those that nobody came for are dropped.

    Else a stream that is faster than the detector would be seen later and later, and a camera that
    hangs would take the window's keys with it.

    Raises:
        CameraError: The frames end, which those of a camera do not; or as `frames` says.
    """
    held: deque[Frame] = deque(maxlen=1)
    stop, over = threading.Event(), threading.Event()
    failed: list[Exception] = []

    def read() -> None:
        try:
            with closing(frames):
                for frame in frames:
                    held.append(frame)
                    if stop.is_set():
                        return
        # Raised where the frames are awaited.
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            over.set()

    reader = threading.Thread(target=read, name="camera", daemon=True)
    reader.start()
    try:
        while held or not over.is_set():
            yield held.popleft() if held else None
    finally:
        stop.set()
        reader.join(_RELEASE_SECONDS)
    if failed:
        raise failed[0]
    raise CameraError(
        "Expected frames until the window is closed, but the camera gives no more. Is it "
        "unplugged, or its stream over? Start again when it is back."
    )
