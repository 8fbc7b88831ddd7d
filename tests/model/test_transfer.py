"""Networks of Keras Applications: grey faces in, weights from a file, the last blocks first."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pandas as pd
import pytest
from keras.src.utils import file_utils

from fer.data import table
from fer.errors import ModelError
from fer.model import networks, transfer
from fer.model.classifier import Classifier, Lineage
from fer.model.export import export
from fer.params import Transfer

LINEAGE = Lineage(0, "", "", None, "unknown", 1, {}, {})

SMALL = "mobilenetv3small"


@pytest.fixture
def pixels(faces: Callable[..., pd.DataFrame]) -> table.Pixels:
    return table.decode(faces(4)["image"])


@pytest.fixture(scope="module")
def small(faces: Callable[..., pd.DataFrame]) -> keras.Model:
    """Return a network that tells faces apart: its statistics are of faces, as when trained."""
    keras.utils.set_random_seed(1)
    model = networks.build(SMALL, [4], 0.0)
    for layer in transfer.backbone(model).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(table.decode(faces(8)["image"])[..., None].astype(np.float32), training=True)
    return model


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return Keras' cache of a user who has downloaded nothing."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def answers(model: keras.Model, faces: table.Pixels) -> np.ndarray:
    return np.asarray(model(faces[..., None].astype(np.float32), training=False))


def test_params_know_the_same_networks() -> None:
    assert set(get_args(Transfer)) == set(transfer.BACKBONES)


@pytest.mark.parametrize("network", transfer.BACKBONES)
def test_every_network_takes_a_face(network: str) -> None:
    model = networks.build(network, [4], 0.5)

    assert model.name == network
    assert model.input_shape == (None, 48, 48, 1)
    assert model.output_shape == (None, 7)
    assert transfer.backbone(model).input_shape == (None, 96, 96, 3)


def test_it_answers_with_probabilities_that_light_does_not_change(
    small: keras.Model, pixels: table.Pixels
) -> None:
    told = answers(small, pixels)

    assert told.shape == (4, 7)
    assert np.ptp(told, axis=0).max() > 0.05
    assert np.allclose(told.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(answers(small, pixels // 2 + 20), told, atol=1e-2)


def test_the_exported_file_answers_as_the_network(
    small: keras.Model, pixels: table.Pixels, tmp_path: Path
) -> None:
    export(small, tmp_path / "small.onnx", LINEAGE, pixels[:2])

    told = Classifier(tmp_path / "small.onnx").probabilities(pixels)
    assert np.abs(told - answers(small, pixels)).max() < 1e-4


class _Asked(Exception):
    """What Keras wanted to download."""


@pytest.mark.parametrize("network", transfer.BACKBONES)
def test_the_file_is_the_one_that_keras_keeps(
    network: str, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    def get_file(fname: str, *_: Any, **__: Any) -> None:
        raise _Asked(fname)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(_Asked) as asked, warnings.catch_warnings(action="ignore"):
        transfer.BACKBONES[network].make(include_top=False, input_shape=(96, 96, 3))

    with pytest.raises(ModelError, match=r"found nothing") as refused:
        transfer.load(keras.Sequential(), network, "imagenet")

    assert f"{cache}/{asked.value}," in str(refused.value)


@pytest.mark.parametrize("place", ["imagenet", "a file"])
def test_weights_come_from_the_cache_or_a_file(
    small: keras.Model, pixels: table.Pixels, cache: Path, place: str
) -> None:
    file = cache / (transfer.BACKBONES[SMALL].weights if place == "imagenet" else "mine.h5")
    # As Keras' own files: without the backbone's last layers.
    transfer.backbone(small).save(file, include_optimizer=False)
    other = networks.build(SMALL, [4], 0.5)

    transfer.load(other, SMALL, "imagenet" if place == "imagenet" else str(file))

    features = [transfer.backbone(one).get_weights() for one in (small, other)]
    assert all(np.array_equal(one, two) for one, two in zip(*features, strict=True))


def test_a_file_of_another_network_is_refused(small: keras.Model, cache: Path) -> None:
    file = cache / "other.h5"
    networks.build("plain", [4], 0.5).save(file, include_optimizer=False)

    with pytest.raises(ModelError, match=r"other\.h5"):
        transfer.load(small, SMALL, str(file))


@pytest.mark.parametrize("content", [b"", b"junk" * 100])
def test_a_file_that_holds_no_weights_is_refused(
    small: keras.Model, cache: Path, content: bytes
) -> None:
    file = cache / "junk.weights.h5"
    file.write_bytes(content)

    with pytest.raises(ModelError, match=r"junk\.weights\.h5"):
        transfer.load(small, SMALL, str(file))


def test_stages_train_the_head_then_the_last_layers_and_never_the_statistics(
    small: keras.Model,
) -> None:
    inner = transfer.backbone(small).layers

    transfer.freeze(small, trained=0)
    head = {weight.path for weight in small.trainable_variables}
    transfer.freeze(small, trained=0.3)
    part = {weight.path for weight in small.trainable_variables}
    transfer.freeze(small, trained=1)
    every = {weight.path for weight in small.trainable_variables}

    assert head < part < every
    assert all("logits" in path for path in head)
    assert any(weight.path in part for layer in inner[-20:] for weight in layer.weights)
    assert not any(weight.path in part for layer in inner[:50] for weight in layer.weights)
    normal = [one for one in inner if isinstance(one, keras.layers.BatchNormalization)]
    assert not any(weight.path in every for layer in normal for weight in layer.weights)
