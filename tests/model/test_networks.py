"""A network answers with probabilities, and light does not change them."""

from collections.abc import Callable

import keras
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.model import networks
from fer.model.calibration import tempered


@pytest.fixture
def pixels(faces: Callable[..., pd.DataFrame]) -> table.Pixels:
    return table.decode(faces(12)["image"])


@pytest.fixture(scope="module", params=["plain", "residual", "forked", "separable"])
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(1)
    return networks.build(request.param, [4, 6], 0.5)


def answers(network: keras.Model, faces: table.Pixels) -> np.ndarray:
    return np.asarray(network(faces[..., None].astype(np.float32), training=False))


def test_answers_are_probabilities(network: keras.Model, pixels: table.Pixels) -> None:
    told = answers(network, pixels)

    assert told.shape == (12, 7)
    assert told.min() >= 0
    assert np.allclose(told.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("contrast", "brightness"), [(0.5, 0), (1, 40), (0.6, 30)])
def test_light_does_not_change_the_answer(
    network: keras.Model, pixels: table.Pixels, contrast: float, brightness: float
) -> None:
    lit = (pixels.astype(np.float32) * contrast + brightness).astype(np.float32)

    told = np.asarray(network(lit[..., None], training=False))

    assert np.allclose(told, answers(network, pixels), atol=1e-4)


def test_an_evenly_grey_picture_gets_an_answer(network: keras.Model) -> None:
    told = answers(network, np.full((1, 48, 48), 128, np.uint8))

    assert np.isfinite(told).all()


def test_no_convolution_of_one_pixel_skips_any(network: keras.Model) -> None:
    found = [layer for layer in network.layers if getattr(layer, "kernel_size", None) == (1, 1)]

    assert all(layer.strides == (1, 1) for layer in found)


@pytest.mark.parametrize("kind", ["plain", "residual", "forked", "separable"])
def test_one_to_five_stages_fit_a_face(kind: str, pixels: table.Pixels) -> None:
    for stages in (1, 5):
        told = answers(networks.build(kind, [4] * stages, 0.5), pixels[:2])

        assert np.allclose(told.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["plain", "forked"])
def test_softening_divides_the_logits_and_changes_nothing_else(
    pixels: table.Pixels, kind: str
) -> None:
    sharp = networks.build(kind, [4, 4], 0.5)
    soft = networks.copy(sharp)

    networks.soften(soft, 2.5)

    assert np.allclose(answers(soft, pixels), tempered(answers(sharp, pixels), 2.5), atol=1e-5)


@pytest.mark.parametrize("light", ["none", "clahe", "gamma"])
def test_a_copy_answers_alike_and_does_not_change_with_the_original(
    pixels: table.Pixels, light: str
) -> None:
    model = networks.build("plain", [4], 0.5, light=light)
    other = networks.copy(model)
    before = answers(model, pixels)

    model.set_weights([one + 1 for one in model.get_weights()])

    assert np.allclose(answers(other, pixels), before, atol=1e-6)


@pytest.mark.parametrize("kind", ["residual", "forked", "mobilenetv3small"])
def test_frozen_statistics_are_used_and_kept_and_the_rest_learns(
    pixels: table.Pixels, kind: str
) -> None:
    model = networks.build(kind, [4], 0.0)
    whole = len(model.trainable_variables)
    inputs = pixels[..., None].astype(np.float32)

    networks.freeze_statistics(model)

    assert 0 < len(model.trainable_variables) < whole
    told = np.asarray(model(inputs, training=True))
    assert np.allclose(told, answers(model, pixels), atol=1e-5)


def test_the_name_tells_networks_of_other_shapes_and_light_apart() -> None:
    names = {
        networks.build(kind, widths, 0.1, light=light).name
        for kind in ("plain", "residual", "forked", "separable")
        for widths in ([4, 4], [44])
        for light in ("none", "clahe", "gamma")
    }

    assert len(names) == 24


@pytest.mark.parametrize(("kind", "trunks"), [("residual", 1), ("forked", 2)])
def test_votes_are_a_second_answer_of_the_same_layers(
    pixels: table.Pixels, kind: str, trunks: int
) -> None:
    model = networks.build(kind, (4, 8), 0.0)
    faces = pixels[..., None].astype(np.float32)

    told = networks.taught(model, votes=True).predict(faces, verbose=0)

    assert told.shape == (12, trunks, 14)
    assert np.allclose(told[..., :7].sum(axis=-1), 1, atol=1e-5)
    assert np.allclose(told[..., 7:].sum(axis=-1), 1, atol=1e-5)
    assert np.allclose(
        networks.taught(model, votes=False).predict(faces, verbose=0), told[..., :7], atol=1e-6
    )


@pytest.mark.parametrize("kind", ["residual", "forked"])
def test_what_is_taught_is_what_the_network_answers_trunks_together(
    pixels: table.Pixels, kind: str
) -> None:
    model = networks.build(kind, (4, 8), 0.0)
    faces = pixels[..., None].astype(np.float32)

    told = networks.taught(model, votes=True).predict(faces, verbose=0)[..., :7]

    geometric = told.prod(axis=1) ** (1 / told.shape[1])
    together = geometric / geometric.sum(axis=1, keepdims=True)
    assert np.allclose(together, answers(model, pixels), atol=1e-6)


def test_trunks_of_a_forked_network_differ(pixels: table.Pixels) -> None:
    keras.utils.set_random_seed(1)
    model = networks.build("forked", (4, 8), 0.0)

    told = networks.taught(model, votes=False)(pixels[..., None].astype(np.float32))

    assert not np.allclose(told[:, 0], told[:, 1], atol=1e-3)
