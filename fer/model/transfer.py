"""Networks of Keras Applications on grey faces, with weights learnt on ImageNet or none.

A face is enlarged and coloured inside the network, so that every network takes the same input.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
from keras import applications, layers

from fer.errors import ModelError
from fer.records import SIZE

_SIDE: Final = 96
"""Pixels that a face is enlarged to: the least for which MobileNetV2 has weights of its own."""

# Mean and standard deviation of ImageNet's pixels, as parts of white; a standardised face gets
# the light that the weights were learnt in.
_MEAN, _DEVIATION = 0.449, 0.226


@dataclass(frozen=True)
class _Backbone:
    """One of Keras Applications.

    Args:
        make: Its function.
        weights: Name of its ImageNet weights without the last layers in Keras' cache.
        black: What it takes for black.
        white: What it takes for white.
    """

    make: Callable[..., keras.Model]
    weights: str
    black: float
    white: float


_SUFFIX: Final = "_weights_tf_dim_ordering_tf_kernels_notop.h5"
_V3: Final = "weights_mobilenet_v3_{}_224_1.0_float_no_top_v2.h5"

BACKBONES: Final = {
    # Takes colours less ImageNet's mean.
    "vgg16": _Backbone(applications.VGG16, f"vgg16{_SUFFIX}", -255 * _MEAN, 255 * (1 - _MEAN)),
    "resnet50v2": _Backbone(applications.ResNet50V2, f"resnet50v2{_SUFFIX}", -1, 1),
    "mobilenetv2": _Backbone(
        applications.MobileNetV2,
        f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{_SIDE}_no_top.h5",
        black=-1,
        white=1,
    ),
    "mobilenetv3small": _Backbone(applications.MobileNetV3Small, _V3.format("small"), 0, 255),
    "mobilenetv3large": _Backbone(applications.MobileNetV3Large, _V3.format("large"), 0, 255),
    # Without its Normalization, whose constants Keras leaves out of an ONNX file. For the same
    # reason EfficientNetB0 is not here: it cannot do without.
    "efficientnetv2b0": _Backbone(
        partial(applications.EfficientNetV2B0, include_preprocessing=False),
        "efficientnetv2-b0_notop.h5",
        black=-_MEAN / _DEVIATION,
        white=(1 - _MEAN) / _DEVIATION,
    ),
}
"""By their name in params.yaml."""


def features(standardised: Any, network: str) -> Any:
    """Return the last feature maps of `network` for faces of mean 0 and deviation 1.

    Args:
        standardised: Keras tensor, shape `(n, 48, 48, 1)`.
        network: One of `BACKBONES`.
    """
    chosen = BACKBONES[network]
    with warnings.catch_warnings():
        # MobileNets say for which side they have weights: `load` knows.
        warnings.filterwarnings("ignore", "`input_shape` is undefined")
        inner = chosen.make(include_top=False, weights=None, input_shape=(_SIDE, _SIDE, 3))
    span = chosen.white - chosen.black
    # Not layers.Resizing: it lets Keras export batch normalisation as in training.
    seen = layers.UpSampling2D(_SIDE // SIZE, interpolation="bilinear")(standardised)
    seen = layers.Rescaling(span * _DEVIATION, offset=chosen.black + span * _MEAN)(seen)
    return inner(layers.Concatenate()([seen] * 3))


def backbone(model: keras.Model) -> keras.Model:
    """Return the part of `model` that is of Keras Applications."""
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def load(model: keras.Model, network: str, weights: str) -> None:
    """Give the backbone of `model` weights learnt elsewhere. Nothing is downloaded.

    Args:
        model: What `networks.build` made of one of `BACKBONES`.
        network: Which.
        weights: "imagenet", from Keras' cache, or a file.

    Raises:
        ModelError: There is no such file, or it is of another network.
    """
    kept = _cache() / BACKBONES[network].weights
    file = kept if weights == "imagenet" else Path(weights).expanduser()
    if not file.is_file():
        raise ModelError(
            f"Expected weights for {network} at {file}, found nothing. A training downloads "
            "nothing: have keras.applications fetch them once with include_top=False and "
            f"input_shape=({_SIDE}, {_SIDE}, 3), copy the file there, name another in "
            "train.transfer.weights, or set that to null for random weights."
        )
    try:
        backbone(model).load_weights(file)
    # Keras raises whatever its readers meet: h5py's, zipfile's or its own.
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise ModelError(
            f"Expected weights for {network} without its last layers in {file}, received: {error}"
        ) from error


def _cache() -> Path:
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"


def freeze(model: keras.Model, *, trained: float) -> None:
    """Let a training change the last part of the backbone alone, and what comes after it.

    Statistics of batch normalisation stay as they were learnt: from the few faces of one batch
    they would be worse (Keras' guide to transfer learning).

    Args:
        model: What `networks.build` made of one of `BACKBONES`, or its learner.
        trained: Part of the backbone's layers, from the last; 0: none of them.
    """
    inner = backbone(model).layers
    first = len(inner) - round(trained * len(inner))
    for place, layer in enumerate(inner):
        layer.trainable = place >= first and not isinstance(layer, layers.BatchNormalization)
