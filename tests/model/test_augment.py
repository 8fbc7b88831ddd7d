"""An augmented face is another picture of the same face."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.model.augment import augment


@pytest.fixture
def pixels(faces: Callable[..., pd.DataFrame]) -> table.Pixels:
    return table.decode(faces(60)["image"])


def test_faces_stay_faces(pixels: table.Pixels) -> None:
    changed = augment(pixels, np.random.default_rng(1))

    assert changed.shape == pixels.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_every_face_is_changed_and_most_stay_alike(pixels: table.Pixels) -> None:
    changed = augment(pixels, np.random.default_rng(1))

    alike = [
        max(np.corrcoef(one.ravel(), after.ravel())[0, 1] for one in (before, before[:, ::-1]))
        for before, after in zip(pixels, changed, strict=True)
    ]
    assert np.mean(alike) > 0.5
    assert max(alike) < 0.9999


def test_half_of_the_faces_are_mirrored() -> None:
    dark_left = np.full((400, 48, 48), 60, np.uint8)
    dark_left[:, :, 24:] = 200

    changed = augment(dark_left, np.random.default_rng(1))

    mirrored = changed[:, :, :12].mean(axis=(1, 2)) > changed[:, :, 36:].mean(axis=(1, 2))
    assert 0.4 < mirrored.mean() < 0.6


def test_the_same_chance_gives_the_same_pictures(pixels: table.Pixels) -> None:
    one, two, other = (augment(pixels, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_the_faces_given_are_left_alone(pixels: table.Pixels) -> None:
    before = pixels.copy()

    augment(pixels, np.random.default_rng(1))

    assert np.array_equal(pixels, before)


def test_three_faces_in_ten_lose_a_rectangle() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 48, 48)).astype(np.uint8)

    changed = augment(noise, np.random.default_rng(1))

    # In noise, moved or not, seven equal neighbours in a row come from nothing else.
    same = np.diff(changed, axis=2) == 0
    runs = np.stack([same[:, :, i : i + 6] for i in range(41)]).all(axis=3)
    blotted = (runs.sum(axis=(0, 2)) > 0) & (changed.std(axis=(1, 2)) > 0)
    assert 0.2 < blotted.mean() < 0.4


def test_a_third_of_the_faces_come_as_from_a_poor_camera() -> None:
    board = np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((4, 4))) * 100 + 70
    boards = np.repeat(board[None].astype(np.uint8), 400, axis=0)

    changed = augment(boards, np.random.default_rng(1))

    # Two greys, a rectangle and the rims between them, unless the picture is spoilt.
    greys = np.array([len(np.unique(face.round())) for face in changed])
    assert 0.2 < (greys > np.median(greys) * 1.5).mean() < 0.45
