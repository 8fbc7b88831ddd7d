"""Dark and one-sided light is made even, faces stay faces, and the layers survive saving."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer.data import table
from fer.model import networks
from fer.model.light import LAYERS

Greys = NDArray[np.float32]


@pytest.fixture
def pixels(faces: Callable[..., pd.DataFrame]) -> Greys:
    return table.decode(faces(8)["image"]).astype(np.float32)


def corrected(light: str, faces: Greys) -> Greys:
    return np.asarray(LAYERS[light]()(faces[..., None]))[..., 0]


@pytest.fixture(params=list(LAYERS))
def light(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_greys_stay_greys(light: str, pixels: Greys) -> None:
    told = corrected(light, pixels)
    assert told.shape == pixels.shape
    assert told.min() >= 0
    assert told.max() <= 255.01


@pytest.mark.parametrize("grey", [0, 3, 128, 255])
def test_a_blank_picture_stays_blank(light: str, grey: int) -> None:
    told = corrected(light, np.full((1, 48, 48), grey, np.float32))
    assert np.isfinite(told).all()
    assert np.ptp(told) < 0.01


def test_each_face_is_corrected_by_itself(light: str, pixels: Greys) -> None:
    alone = np.concatenate([corrected(light, one[None]) for one in pixels])
    np.testing.assert_allclose(corrected(light, pixels), alone, atol=0.01)


def test_a_mirrored_face_is_corrected_alike(light: str, pixels: Greys) -> None:
    mirrored = corrected(light, pixels[:, :, ::-1])[:, :, ::-1]
    np.testing.assert_allclose(corrected(light, pixels), mirrored, atol=0.01)


def test_gamma_brings_dark_and_bright_faces_together(pixels: Greys) -> None:
    dark, bright = 255 * (pixels / 255) ** 2, 255 * (pixels / 255) ** 0.6
    before = bright.mean(axis=(1, 2)) - dark.mean(axis=(1, 2))
    after = corrected("gamma", bright).mean(axis=(1, 2)) - corrected("gamma", dark).mean(
        axis=(1, 2)
    )
    assert (abs(after) < before / 4).all()


def test_gamma_keeps_the_order_of_greys(pixels: Greys) -> None:
    for before, after in zip(pixels, corrected("gamma", pixels), strict=True):
        assert (np.diff(after.ravel()[before.ravel().argsort()]) >= -0.01).all()


def test_clahe_brings_the_shaded_half_up_to_the_lit_one(pixels: Greys) -> None:
    shade = np.linspace(0.15, 1, 48, dtype=np.float32)

    def unevenness(faces: Greys) -> NDArray[np.float32]:
        return faces[:, :, 24:].mean(axis=(1, 2)) / faces[:, :, :24].mean(axis=(1, 2))

    def detail_in_shade(faces: Greys) -> NDArray[np.float32]:
        # Down the columns, along which the shade is the same.
        return abs(np.diff(faces, axis=1))[:, :, :24].mean(axis=(1, 2))

    side_lit = pixels * shade
    evened = corrected("clahe", side_lit)
    assert (unevenness(evened) < 0.8 * unevenness(side_lit)).all()
    assert (detail_in_shade(evened) > 1.5 * detail_in_shade(side_lit)).all()


def test_a_saved_network_still_corrects(light: str, pixels: Greys, tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    network = networks.build("plain", [4], 0.1, light=light)
    network.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(
        np.asarray(again(pixels[..., None])), np.asarray(network(pixels[..., None])), atol=1e-6
    )
    plain = networks.build("plain", [4], 0.1)
    plain.set_weights(network.get_weights())
    assert not np.allclose(plain(pixels[..., None]), network(pixels[..., None]), atol=1e-4)
