"""Brightness, contrast and sharpness move with what they are named after."""

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
import pytest

from fer.data import pictures, table
from fer.data.table import Pixels

Faces = Callable[..., pd.DataFrame]


@pytest.fixture
def pixels(faces: Faces) -> Pixels:
    return table.decode(faces(5)["image"])


def test_a_grey_plane_has_its_level_and_nothing_else() -> None:
    plane = np.full((1, 48, 48), 77, np.uint8)
    assert pictures.describe(plane).iloc[0].to_dict() == {
        "brightness": 77, "contrast": 0, "sharpness": 0,
    }  # fmt: skip


def test_two_levels_are_as_far_apart_as_twice_the_contrast() -> None:
    halves = np.full((1, 48, 48), 40, np.uint8)
    halves[:, :, 24:] = 100
    found = pictures.describe(halves).iloc[0]
    assert (found["brightness"], found["contrast"]) == (70, 30)


def test_light_changes_the_brightness_alone(pixels: Pixels) -> None:
    dark = (pixels // 2).astype(np.uint8)
    light = (dark + 60).astype(np.uint8)
    before, after = pictures.describe(dark), pictures.describe(light)
    np.testing.assert_allclose(after["brightness"] - before["brightness"], 60)
    np.testing.assert_allclose(after["contrast"], before["contrast"])
    np.testing.assert_allclose(after["sharpness"], before["sharpness"])


def test_blur_takes_away_the_sharpness(pixels: Pixels) -> None:
    blurred = [
        np.stack([cv2.GaussianBlur(face, (width, width), 0) for face in pixels])
        for width in (3, 7, 15)
    ]
    sharpness = [pictures.describe(kind)["sharpness"] for kind in (pixels, *blurred)]
    for sharper, softer in itertools.pairwise(sharpness):
        assert (softer < sharper).all()


def test_no_faces_have_no_rows() -> None:
    found = pictures.describe(np.empty((0, 48, 48), np.uint8))
    assert list(found.columns) == ["brightness", "contrast", "sharpness"]
    assert len(found) == 0
