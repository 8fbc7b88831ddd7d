"""Detectors find drawn faces and answer with squares inside the frame."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer.data.synthetic import draw_frames
from fer.errors import DataError, ModelError
from fer.faces import detect
from fer.faces.detect import Box, Detector, chosen
from fer.paths import Paths
from tests.conftest import SETTINGS

PARAMS = SETTINGS.capture


@pytest.fixture(scope="module")
def frames() -> list[NDArray[np.uint8]]:
    """Frames of a synthetic camera with one face each."""
    drawn = draw_frames(camera="studio", subjects=["a", "b", "c", "d"], per_subject=2, seed=0)
    return [frame.image for frame in drawn]


@pytest.fixture(scope="module")
def detector() -> Detector:
    """The detector that needs no model file."""
    return Detector()


class _FakeNetwork:
    """Stands for YuNet, whose file is no part of the project; answers in shrunk pixels."""

    def __init__(self, *rows: tuple[float, float, float, float, float]) -> None:
        points = [float(number) for number in range(10)]
        self.rows = [[*row[:4], *points, row[4]] for row in rows]
        self.size = (0, 0)

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        self.size = size

    def detect(self, frame: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        assert frame.shape[:2] == self.size[::-1]
        return 1, np.array(self.rows, np.float32) if self.rows else None


@pytest.fixture
def yunet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Detector]:
    """Return a detector whose YuNet gives the rows (x, y, width, height, score)."""

    def build(*rows: tuple[float, float, float, float, float]) -> Detector:
        monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: _FakeNetwork(*rows))
        model = tmp_path / "yunet.onnx"
        model.touch()
        return Detector(model)

    return build


def test_every_drawn_face_is_found_once(
    detector: Detector, frames: list[NDArray[np.uint8]]
) -> None:
    assert [len(detector.detect(frame)) for frame in frames] == [1] * len(frames)


def test_an_empty_room_holds_no_face(detector: Detector) -> None:
    assert detector.detect(np.full((480, 640, 3), 120, np.uint8)) == []


def test_the_largest_face_comes_first(detector: Detector, frames: list[NDArray[np.uint8]]) -> None:
    far = cv2.resize(frames[1], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    frame = np.zeros((480, 640 + far.shape[1], 3), np.uint8)
    frame[: far.shape[0], : far.shape[1]] = far
    frame[:, far.shape[1] :] = frames[0]
    areas = [face.box.area for face in detector.detect(frame)]
    assert len(areas) == 2
    assert areas == sorted(areas, reverse=True)


def test_scaling_the_frame_scales_the_box(
    detector: Detector, frames: list[NDArray[np.uint8]]
) -> None:
    once = detector.detect(frames[0])[0].box
    double = cv2.resize(frames[0], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    twice = detector.detect(np.asarray(double, np.uint8))[0].box
    for one, two in zip(
        (once.x, once.y, once.width), (twice.x, twice.y, twice.width), strict=True
    ):
        assert two / 2 == pytest.approx(one, abs=0.1 * once.width)


def test_the_box_follows_a_moved_face(detector: Detector, frames: list[NDArray[np.uint8]]) -> None:
    for frame in frames:
        here = detector.detect(frame)[0].box
        moved = detector.detect(np.roll(frame, (16, 24), axis=(0, 1)))[0].box
        # Haar looks at a grid of places and sizes, in steps of 10 %.
        step = 0.1 * here.width
        assert (moved.x - 24, moved.y - 16) == pytest.approx((here.x, here.y), abs=step)
        assert moved.width == pytest.approx(here.width, abs=step)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (19, 19), (640, 40)])
def test_frames_too_small_for_a_face_hold_none(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)) == []


@pytest.mark.parametrize("frame", [
    np.zeros((9, 9), np.uint8),
    np.zeros((9, 9, 4), np.uint8),
    np.zeros((9, 9, 3), np.float32),
    np.zeros((0, 9, 3), np.uint8),
])  # fmt: skip
def test_other_arrays_are_refused(detector: Detector, frame: NDArray[np.uint8]) -> None:
    with pytest.raises(DataError, match="received"):
        detector.detect(frame)


def test_threads_get_the_answers_that_one_caller_gets(
    detector: Detector, frames: list[NDArray[np.uint8]]
) -> None:
    alone = [detector.detect(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, frames)) == alone


def test_haar_serves_where_yunet_was_not_fetched(
    detector: Detector, frames: list[NDArray[np.uint8]], paths: Paths
) -> None:
    assert chosen(PARAMS, paths) is None
    (face,) = detector.detect(frames[0])
    assert face.landmarks is None
    assert face.score == 1


def test_yunet_serves_where_it_was_fetched_unless_a_file_is_named(
    paths: Paths, tmp_path: Path
) -> None:
    paths.detector.parent.mkdir()
    paths.detector.touch()
    assert chosen(PARAMS, paths) == paths.detector
    named = PARAMS.model_copy(update={"detector": str(tmp_path / "mine.onnx")})
    assert chosen(named, paths) == tmp_path / "mine.onnx"


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="received nothing"):
        Detector(tmp_path / "missing.onnx")


def test_a_file_that_is_not_yunet_is_refused(tmp_path: Path) -> None:
    pointer = tmp_path / "yunet.onnx"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelError, match="43 bytes"):
        Detector(pointer)


def test_yunet_boxes_become_squares_in_pixels_of_the_frame(
    yunet: Callable[..., Detector],
) -> None:
    detector = yunet((100, 60, 50, 70, 0.95))
    (face,) = detector.detect(np.zeros((480, 640, 3), np.uint8))  # shrunk to a half
    assert face.box.width == face.box.height == 123
    assert face.box.x + face.box.width / 2 == pytest.approx(250, abs=1)
    assert face.box.y + face.box.height / 2 == pytest.approx(190, abs=1)
    assert face.score == pytest.approx(0.95)
    assert face.landmarks == ((0, 2), (4, 6), (8, 10), (12, 14), (16, 18))


def test_yunet_finding_nothing_is_no_face(yunet: Callable[..., Detector]) -> None:
    assert yunet().detect(np.zeros((480, 640, 3), np.uint8)) == []


@pytest.mark.parametrize(("near", "found"), [(0.87, 0), (0.89, 1)])
def test_a_doubtful_face_is_looked_at_again_from_near(
    yunet: Callable[..., Detector],
    monkeypatch: pytest.MonkeyPatch,
    near: float,
    found: int,
) -> None:
    detector = yunet((100, 60, 50, 70, 0.85))

    def answer(frame: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32]]:
        far = frame.shape == (240, 320, 3)
        row = (100, 60, 50, 70, 0.85) if far else (70, 60, 100, 120, near)
        return 1, np.array([[*row[:4], *range(10), row[4]]], np.float32)

    monkeypatch.setattr(detector._finder._network, "detect", answer)  # type: ignore[union-attr]
    assert len(detector.detect(np.zeros((480, 640, 3), np.uint8))) == found


def test_a_neighbour_does_not_speak_for_a_doubtful_face(yunet: Callable[..., Detector]) -> None:
    # Seen again, the sure one of these lies beside the middle of what is looked at.
    rows = (20, 20, 30, 40, 0.7), (0, 0, 20, 20, 0.95)
    assert [face.score for face in yunet(*rows).detect(np.zeros((480, 640, 3), np.uint8))] == [
        pytest.approx(0.95)
    ]


def test_small_frames_are_not_enlarged(yunet: Callable[..., Detector]) -> None:
    (face,) = yunet((20, 20, 100, 130, 0.95)).detect(np.zeros((200, 200, 3), np.uint8))
    assert face.box.width == 123


@given(
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    side=st.floats(1, 900),
    height=st.integers(1, 400),
    width=st.integers(1, 400),
)
def test_squares_lie_inside_the_frame(
    x: float, y: float, side: float, height: int, width: int
) -> None:
    box = detect._square(x, y, side, np.zeros((height, width, 3), np.uint8))
    assert box.width == box.height == min(round(side), height, width)
    assert 0 <= box.x <= width - box.width
    assert 0 <= box.y <= height - box.height


def test_a_square_inside_the_frame_is_not_moved() -> None:
    assert detect._square(50, 60, 20, np.zeros((100, 100, 3), np.uint8)) == Box(40, 50, 20, 20)
