"""Dark and one-sided light made even: layers, so that the correction travels with the model."""

from typing import Any, Final

import keras
from keras import layers, ops

from fer.records import SIZE

_WHITE: Final = 255.0

_MIDDLE: Final = 0.5
_EXPONENTS: Final = (0.4, 2.5)
"""Beyond these, a black or a white picture would be noise and nothing else."""

_TILE: Final = 12
_BINS: Final = 32
"""A tile has 144 pixels: with one bin a grey level, nearly all would be empty."""

_CLIP: Final = 2.0


@keras.saving.register_keras_serializable("fer")
class Gamma(layers.Layer):
    """Raises each face to the power that takes its mean grey to the middle.

    Input and output shape: `(n, 48, 48, 1)`, float32, 0-255.
    """

    def call(self, image: Any) -> Any:
        """Return the corrected faces."""
        share = ops.clip(image, 1.0, _WHITE - 1) / _WHITE
        mean = ops.mean(share, axis=[1, 2, 3], keepdims=True)
        exponent = ops.clip(ops.log(_MIDDLE) / ops.log(mean), *_EXPONENTS)
        return _WHITE * ops.power(share, exponent)


@keras.saving.register_keras_serializable("fer")
class Clahe(layers.Layer):
    """Equalises each neighbourhood's histogram, with a limit on how far contrast may rise.

    Zuiderveld 1994, Contrast Limited Adaptive Histogram Equalization, with 4 x 4 tiles. Built of
    ops that can be exported; a pixel counts for the two bins it lies between, in proportion.

    Input and output shape: `(n, 48, 48, 1)`, float32, 0-255.
    """

    def call(self, image: Any) -> Any:
        """Return the corrected faces."""
        place = image * ((_BINS - 1) / _WHITE) - ops.arange(_BINS, dtype="float32")
        share = ops.relu(1 - ops.abs(place))  # (n, 48, 48, bins)
        histogram = ops.average_pool(share, _TILE)  # (n, 4, 4, bins)
        clipped = ops.minimum(histogram, _CLIP / _BINS)
        excess = 1 - ops.sum(clipped, axis=-1, keepdims=True)
        rank = ops.cumsum(clipped + excess / _BINS, axis=-1)
        near = ops.image.resize(rank, (SIZE, SIZE), interpolation="bilinear")
        return _WHITE * ops.sum(share * near, axis=-1, keepdims=True)


LAYERS: Final[dict[str, Any]] = {"clahe": Clahe, "gamma": Gamma}
"""By their names in params.yaml."""
