"""The learner: a network while it learns, as quickly as this machine can."""

from typing import Any, Final

import keras
from keras import layers

from fer.model import networks
from fer.model.light import LAYERS
from fer.training import hardware

_EXACT: Final = (
    *LAYERS.values(),
    layers.LayerNormalization,
    layers.UpSampling2D,
    layers.Rescaling,
    layers.Concatenate,
    layers.Dense,
    layers.Average,
    layers.Softmax,
)
"""Layers before the hidden ones and after them: in float32 at all times."""


def learner(model: keras.Model) -> keras.Model:
    """Return a network of the same shape and weights, in layers of its own, that learns faster.

    Its hidden layers compute in `hardware.precision()`, and normalise a batch in one operation
    where the backend has one. To be trained, not to be kept: weights, float32 in any case, go
    back with `set_weights`.

    Args:
        model: What `networks.build` made.
    """
    return networks.copy(model, _quick)


def _quick(layer: keras.Layer) -> keras.Layer:
    kind, config = type(layer), layer.get_config()
    if kind is layers.BatchNormalization and keras.backend.backend() == "tensorflow":
        kind = FusedBatchNormalization
    # Keras Applications have bare sums among their layers.
    if isinstance(layer, keras.Layer) and not isinstance(layer, _EXACT):
        config["dtype"] = hardware.precision()
    return kind.from_config(config)


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation as Keras', on TensorFlow, of the last of four axes, in one operation.

    Keras takes a dozen of them, in float32, and goes through every feature map in each; XLA
    would make them one, which is slower on processors ("BatchNorm is slow", keras-core 225).
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002, FBT001  Keras' signature
        """Return `inputs` normalised, by the batch's own statistics if it is to learn them."""
        import tensorflow as tf

        fused = tf.compat.v1.nn.fused_batch_norm
        scaled = inputs, self.gamma, self.beta
        if not (training and self.trainable):
            known = self.moving_mean, self.moving_variance
            return fused(*scaled, *known, self.epsilon, is_training=False)[0]
        out, mean, variance = fused(*scaled, epsilon=self.epsilon)
        # TensorFlow tells the variance of what the batch was drawn from, Keras keeps its own.
        n = tf.cast(tf.size(inputs) / tf.size(mean), tf.float32)
        variance *= (n - 1) / n
        for kept, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(self.momentum * kept + (1 - self.momentum) * found)
        return out
