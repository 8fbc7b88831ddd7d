"""Films keep their pace, of cameras only the newest frame is shown, and nothing waits."""

import threading
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.errors import CameraError
from fer.faces.camera import Frame
from fer.live import feed


def _frame(number: int) -> Frame:
    return np.full((4, 6, 3), number, np.uint8)


class _Clock:
    """Each look at it takes a tenth of a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def test_each_frame_of_a_film_stands_for_its_time() -> None:
    clock = _Clock()
    film = feed.paced(iter([_frame(1), _frame(2), _frame(3)]), 2.0, clock)

    began = [clock.now for frame in film if frame is not None]

    steps = np.diff([*began, clock.now])
    assert len(began) == 3
    assert (steps >= 2.0).all()
    assert (steps < 2.5).all()


def test_a_folder_is_shown_and_ends(tmp_path: Path) -> None:
    for number in (50, 60):
        cv2.imwrite(str(tmp_path / f"{number}.png"), _frame(number))

    seen = [one for one in feed.of(str(tmp_path), _Clock()) if one is not None]

    assert [one[0, 0, 0] for one in seen] == [50, 60]


def test_a_source_that_gives_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="Expected frames from"):
        list(feed.of(str(tmp_path / "missing.mp4")))


class _Camera:
    """A camera that gives what the test lets through."""

    def __init__(self, frames: int) -> None:
        self.count = frames
        self.gone = threading.Event()
        self.all_given = threading.Event()
        self.closed = threading.Event()

    def frames(self) -> Generator[Frame, None, None]:
        try:
            for number in range(self.count):
                yield _frame(number)
            self.all_given.set()
            assert self.gone.wait(10)
        finally:
            self.closed.set()


def test_frames_that_nobody_came_for_are_dropped() -> None:
    camera = _Camera(frames=100)
    seen = feed.newest(camera.frames())
    next(seen)
    assert camera.all_given.wait(10)

    latest = [one for one in (next(seen), next(seen)) if one is not None]

    assert [int(one[0, 0, 0]) for one in latest] in ([99], [])
    assert next(seen) is None
    camera.gone.set()
    seen.close()


def test_a_camera_that_hangs_does_not_hold_the_window() -> None:
    camera = _Camera(frames=0)
    seen = feed.newest(camera.frames())

    assert [next(seen) for _ in range(5)] == [None] * 5
    camera.gone.set()
    seen.close()


def test_a_lost_camera_is_told() -> None:
    camera = _Camera(frames=3)
    camera.gone.set()

    with pytest.raises(CameraError, match="gives no more"):
        list(feed.newest(camera.frames()))


def test_a_camera_that_fails_says_why() -> None:
    def failing() -> Generator[Frame, None, None]:
        yield _frame(0)
        raise CameraError("Expected frames, received none.")

    with pytest.raises(CameraError, match="received none"):
        list(feed.newest(failing()))


def test_closing_frees_the_camera() -> None:
    def endless() -> Generator[Frame, None, None]:
        try:
            while True:
                yield _frame(1)
        finally:
            freed.set()

    freed = threading.Event()
    seen = feed.newest(endless())
    next(seen)
    seen.close()

    assert freed.is_set()
