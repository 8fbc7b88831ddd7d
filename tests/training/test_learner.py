"""A learner is the network it was made of, and learns what that would learn."""

from collections.abc import Callable

import keras
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.model import networks, transfer
from fer.training import hardware
from fer.training.learner import FusedBatchNormalization, learner

BACKBONE = "mobilenetv3small"
KINDS = ["plain", "residual", "forked", "separable", BACKBONE]


@pytest.fixture
def shown(faces: Callable[..., pd.DataFrame]) -> np.ndarray:
    return table.decode(faces(12)["image"])[..., None].astype(np.float32)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "precision", lambda: "mixed_bfloat16")


def gradients(model: keras.Model, shown: np.ndarray) -> np.ndarray:
    """Return those of a loss by every weight; the model learns its statistics meanwhile."""
    import tensorflow as tf

    wanted = np.eye(7, dtype=np.float32)[np.arange(len(shown)) % 7]
    with tf.GradientTape() as tape:
        told = model(shown, training=True)
        loss = keras.ops.mean(keras.losses.categorical_crossentropy(wanted, told))
    found = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
    return np.concatenate([np.ravel(one) for one in found])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("coarse")
def test_it_has_the_weights_of_the_network_and_gives_them_back(
    kind: str, shown: np.ndarray
) -> None:
    keras.utils.set_random_seed(1)
    model = networks.build(kind, [4, 6], 0.5)
    before, told = model.get_weights(), np.asarray(model(shown, training=False))

    quick = learner(model)

    assert quick.name == model.name
    assert [one.path for one in quick.weights] == [one.path for one in model.weights]
    assert {str(weight.dtype) for weight in quick.get_weights()} == {"float32"}
    assert all(map(np.array_equal, quick.get_weights(), before))
    close = 0.05 if kind == BACKBONE else 0.02
    assert np.allclose(np.asarray(quick(shown, training=False)), told, atol=close)
    quick.set_weights([one + 1 for one in before])
    assert all(map(np.array_equal, model.get_weights(), before))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize(("precision", "close"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_it_learns_what_the_network_would(
    kind: str,
    frozen: bool,
    precision: str,
    close: float,
    shown: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "precision", lambda: precision)
    keras.utils.set_random_seed(1)
    model = networks.build(kind, [4, 6], 0.0)
    # Statistics as after some training: those of a new network would hide that they are not used.
    model(shown[:6], training=True)
    quick = learner(model)
    if frozen:
        networks.freeze_statistics(model)
        networks.freeze_statistics(quick)

    wanted, found = gradients(model, shown), gradients(quick, shown)

    cosine = wanted @ found / (np.linalg.norm(wanted) * np.linalg.norm(found))
    assert 1 - cosine < close
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(wanted), rel=4 * close)
    for one, other in zip(model.non_trainable_weights, quick.non_trainable_weights, strict=True):
        assert np.allclose(one, other, rtol=4 * close, atol=close)


@pytest.mark.parametrize("pixels", [1, 2])
def test_statistics_of_one_face_are_its_own(pixels: int) -> None:
    usual, fused = keras.layers.BatchNormalization(), FusedBatchNormalization()
    shown = np.random.default_rng(1).normal(3, 2, (1, pixels, pixels, 5)).astype(np.float32)

    told = [np.asarray(layer(shown, training=True)) for layer in (usual, fused)]

    assert np.allclose(*told, atol=1e-5)
    assert np.allclose(usual.moving_mean, fused.moving_mean, atol=1e-6)
    assert np.allclose(usual.moving_variance, fused.moving_variance, atol=1e-6)


@pytest.mark.usefixtures("coarse")
def test_where_there_is_no_such_operation_normalisation_stays_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")

    found = {type(layer) for layer in learner(networks.build("forked", [4], 0.5)).layers}

    assert keras.layers.BatchNormalization in found
    assert FusedBatchNormalization not in found


@pytest.mark.parametrize("light", ["none", "clahe", "gamma"])
@pytest.mark.usefixtures("coarse")
def test_what_a_face_and_an_answer_pass_through_stays_exact(light: str) -> None:
    model = learner(networks.build("forked", [4, 6], 0.5, light=light))

    by_kind: dict[str, set[str]] = {}
    for layer in model.layers:
        by_kind.setdefault(type(layer).__name__, set()).add(layer.compute_dtype)

    hidden = {kind for kind, dtypes in by_kind.items() if dtypes == {"bfloat16"}}
    assert {"Conv2D", "FusedBatchNormalization", "ReLU", "Add"} <= hidden
    assert by_kind["LayerNormalization"] == by_kind["Dense"] == by_kind["Softmax"] == {"float32"}
    assert model.layers[1].compute_dtype == "float32"


@pytest.mark.usefixtures("coarse")
def test_a_backbone_learns_in_the_same_arithmetic() -> None:
    before = keras.config.dtype_policy().name

    model = learner(networks.build(BACKBONE, [4], 0.5))

    inner = transfer.backbone(model).layers
    assert {layer.compute_dtype for layer in inner if isinstance(layer, keras.layers.Conv2D)} == {
        "bfloat16"
    }
    assert any(isinstance(layer, FusedBatchNormalization) for layer in inner)
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("kind", ["forked", BACKBONE])
def test_it_can_be_copied_as_a_parent(kind: str, shown: np.ndarray) -> None:
    model = learner(networks.build(kind, [4], 0.5))
    model.set_weights([one + 0.1 for one in model.get_weights()])

    other = networks.copy(model)

    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))
    told = other.predict(shown, verbose=0)
    assert np.allclose(told, model.predict(shown, verbose=0), atol=1e-6)
