"""Small, turned and cut faces are called so, whichever way round, and whole ones are not."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer.data.synthetic import draw_frames
from fer.faces.detect import Box, Detection, Detector, Point
from fer.faces.quality import flaws

FRAME = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def frames() -> list[NDArray[np.uint8]]:
    """Frames of a synthetic camera with one face each, whole and of good size."""
    drawn = draw_frames(camera="studio", subjects=["a", "b"], per_subject=2, seed=0)
    return [frame.image for frame in drawn]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def _head(degrees: float, tilt: float = 0, at: Point = (300, 200)) -> tuple[Point, ...]:
    """Eyes, nose and mouth of a head turned and tilted by degrees, as the camera sees them.

    In millimetres about the middle of the eyes: 60 between them, the nose 27 before and 40
    below, and two pixels a millimetre.
    """
    turn, roll = math.radians(degrees), math.radians(tilt)
    points = [(-30, 0, 0), (30, 0, 0), (0, 40, 27), (-22, 70, 5), (22, 70, 5)]
    flat = [(x * math.cos(turn) + z * math.sin(turn), y) for x, y, z in points]
    return tuple(
        (at[0] + 2 * (x * math.cos(roll) - y * math.sin(roll)),
         at[1] + 2 * (x * math.sin(roll) + y * math.cos(roll)))
        for x, y in flat
    )  # fmt: skip


def _found(box: Box, landmarks: tuple[Point, ...] | None = None) -> Detection:
    return Detection(box, 1.0, landmarks)


MIDDLE = Box(200, 100, 200, 200)


def test_a_whole_face_of_good_size_has_no_flaw(
    frames: list[NDArray[np.uint8]], detector: Detector
) -> None:
    assert [flaws(one, frame) for frame in frames for one in detector.detect(frame)] == [()] * len(
        frames
    )


def test_a_shrunk_face_becomes_small(frames: list[NDArray[np.uint8]], detector: Detector) -> None:
    for frame in frames:
        small = cv2.resize(frame, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        (face,) = detector.detect(np.asarray(small, np.uint8))
        assert flaws(face, np.asarray(small, np.uint8)) == ("small",)


@given(side=st.integers(1, 200), less=st.integers(1, 199))
def test_no_face_is_less_small_than_a_larger_one(side: int, less: int) -> None:
    larger, smaller = (
        "small" in flaws(_found(Box(200, 100, one, one)), FRAME)
        for one in (side, max(1, side - less))
    )
    assert smaller >= larger


@pytest.mark.parametrize("rim", ["left", "top", "right", "bottom"])
def test_a_face_pushed_out_of_the_frame_becomes_cut(
    frames: list[NDArray[np.uint8]], detector: Detector, rim: str
) -> None:
    frame, box = frames[0], detector.detect(frames[0])[0].box
    height, width = frame.shape[:2]
    gaps = {"left": box.x, "top": box.y, "right": width - box.x - box.width,
            "bottom": height - box.y - box.height}  # fmt: skip
    told = {}
    for pushed in range(-box.width // 5, box.width // 5, 3):
        off = gaps[rim] + pushed
        parts = {"left": frame[:, off:], "top": frame[off:], "right": frame[:, : width - off],
                 "bottom": frame[: height - off]}  # fmt: skip
        part = np.ascontiguousarray(parts[rim])
        for face in detector.detect(part):
            told[pushed] = flaws(face, part)
    assert ("cut",) in told.values()
    # Haar's boxes come in steps of 10 %.
    assert min(pushed for pushed, seen in told.items() if seen) > -box.width / 10


@given(x=st.integers(0, 440), y=st.integers(0, 280))
def test_a_face_is_cut_where_its_box_is_at_the_rim(x: int, y: int) -> None:
    gap = min(x, y, 440 - x, 280 - y)
    cut = "cut" in flaws(_found(Box(x, y, 200, 200)), FRAME)
    assert cut if gap == 0 else not cut or gap <= 8


@given(degrees=st.floats(-80, 80), tilt=st.floats(-40, 40))
def test_a_head_turned_far_is_seen_from_the_side_however_it_is_tilted(
    degrees: float, tilt: float
) -> None:
    seen = "side" in flaws(_found(MIDDLE, _head(degrees, tilt)), FRAME)
    if abs(abs(degrees) - 34) > 3:
        assert seen == (abs(degrees) > 34)


@given(degrees=st.floats(-80, 80), tilt=st.floats(-40, 40))
def test_a_mirrored_face_has_the_same_flaws(degrees: float, tilt: float) -> None:
    points = [(639 - x, y) for x, y in _head(degrees, tilt)]
    mirrored = (points[1], points[0], points[2], points[4], points[3])
    here, there = _found(MIDDLE, _head(degrees, tilt)), _found(MIDDLE, mirrored)
    assert flaws(here, FRAME) == flaws(there, FRAME)


def test_a_profile_whose_eyes_are_in_one_place_is_seen_from_the_side() -> None:
    assert flaws(_found(MIDDLE, ((300, 200),) * 5), FRAME) == ("side",)


def test_without_landmarks_nothing_is_said_of_the_side() -> None:
    assert flaws(_found(MIDDLE), FRAME) == ()


def test_several_flaws_are_all_told() -> None:
    assert flaws(_found(Box(0, 0, 30, 30), _head(60)), FRAME) == ("small", "side", "cut")
