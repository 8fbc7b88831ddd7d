"""One face gives one crop, wherever it is in the frame."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fer.data.synthetic import draw_frames
from fer.errors import DataError
from fer.faces.align import canonical, canonical_crop
from fer.faces.detect import Box, Detector


@pytest.fixture(scope="module")
def frame() -> NDArray[np.uint8]:
    """A frame of 480 x 640 with one face."""
    return next(iter(draw_frames(camera="studio", subjects=["a"], per_subject=1, seed=0))).image


def _noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_a_crop_is_grey_and_canonical(frame: NDArray[np.uint8]) -> None:
    crop = canonical(frame, Detector().detect(frame)[0].box)
    assert crop.dtype == np.uint8
    assert crop.shape == (48, 48)
    assert crop.std() > 20


@given(down=st.integers(0, 60), right=st.integers(0, 60), side=st.sampled_from([20, 48, 61, 150]))
def test_a_moved_face_gives_the_same_crop(down: int, right: int, side: int) -> None:
    face = _noise(side, side)
    frame = np.zeros((220, 220, 3), np.uint8)
    frame[down : down + side, right : right + side] = face
    crop = canonical(frame, Box(right, down, side, side))
    np.testing.assert_array_equal(crop, canonical_crop(face))


@pytest.mark.parametrize(("x", "y"), [(-10, 5), (5, -10), (30, 5), (5, 30), (-10, 30)])
def test_beyond_the_frame_its_rim_is_repeated(x: int, y: int) -> None:
    frame = _noise(64, 64)
    padded = cv2.copyMakeBorder(frame, 50, 50, 50, 50, cv2.BORDER_REPLICATE)
    inside = canonical(np.asarray(padded, np.uint8), Box(x + 50, y + 50, 48, 48))
    np.testing.assert_array_equal(canonical(frame, Box(x, y, 48, 48)), inside)


@given(arrays(np.uint8, (48, 48)))
def test_a_canonical_face_stays_as_it_is(face: NDArray[np.uint8]) -> None:
    picture = np.repeat(face[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(canonical_crop(picture), face)


@given(grey=st.integers(0, 255), side=st.integers(1, 200))
def test_flat_pictures_keep_their_grey(grey: int, side: int) -> None:
    crop = canonical_crop(np.full((side, side, 3), grey, np.uint8))
    np.testing.assert_array_equal(crop, np.full((48, 48), grey))


def test_enlarging_does_not_overshoot() -> None:
    edge = np.zeros((24, 24, 3), np.uint8)
    edge[:, 12:] = 200
    crop = canonical_crop(edge)
    assert crop.max() == 200
    assert (np.diff(crop[0].astype(int)) >= 0).all()


def test_shrinking_averages_grain_away() -> None:
    grain = _noise(480, 480)
    assert canonical_crop(grain).std() < grain.std() / 5


def test_a_high_picture_keeps_its_proportions() -> None:
    picture = np.full((120, 90, 3), 90, np.uint8)
    cv2.circle(picture, (45, 60), 30, (250, 250, 250), -1)
    bright = canonical_crop(picture) > 170
    assert abs(int(bright.any(0).sum()) - int(bright.any(1).sum())) <= 1


@pytest.mark.parametrize("shape", [(10, 21), (50_000, 1)])
def test_a_strip_is_no_face(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="wide as high"):
        canonical_crop(np.zeros((*shape, 3), np.uint8))
