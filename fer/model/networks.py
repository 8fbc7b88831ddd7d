"""The networks: grey 48 x 48 faces in, seven probabilities out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import keras
from keras import layers

from fer.emotions import EMOTIONS
from fer.errors import ModelError
from fer.model import transfer
from fer.model.light import LAYERS
from fer.records import SIZE

_HEAD: Final = "logits"
"""What the names of the last layers begin with, one a trunk."""
_STEM: Final = 16
"""Channels of a forked network while a face has its full size."""
_TRUNKS: Final = 2
"""Of a forked network."""
_SQUEEZED: Final = 8
"""Part of the channels that gate all of them, and the least number (Hu et al. 2018 have 16)."""


def build(
    network: str,
    widths: Sequence[int],
    dropout: float,
    *,
    light: str = "none",
) -> keras.Model:
    """Return a new network with random weights.

    Every face is first freed of its own mean and contrast: this is what makes a network survive
    a change of light, and as a layer it travels with the model.

    Args:
        network: "plain" (two convolutions a stage, then pooling), "residual" (ResNet, He et al.
            2016, two blocks a stage, the first convolution with stride 2), "forked" (two
            residual networks with gated channels that share the first stage and answer together),
            "separable" (mini-Xception, Arriaga et al. 2017), or one of `transfer.BACKBONES`.
        widths: Channels of each stage; a backbone has its own.
        dropout: Part of the last features that training drops.
        light: "clahe" or "gamma" first make dark and one-sided light even; "none" does not.

    Input shape:
        `(n, 48, 48, 1)`, float32, 0-255, named `image`.

    Output shape:
        `(n, 7)`, float32, sums to 1, in the order of `EMOTIONS`.
    """
    image = keras.Input((SIZE, SIZE, 1), name="image")
    evened: Any = image if light == "none" else LAYERS[light](name="light")(image)
    features: Any = layers.LayerNormalization(
        axis=[1, 2, 3], center=False, scale=False, name="standardise"
    )(evened)
    if network in transfer.BACKBONES:
        trunks = [transfer.features(features, network)]
    else:
        trunks = _STAGES[network](features, widths)
    logits = []
    for number, trunk in enumerate(trunks, 1):
        pooled = layers.GlobalAveragePooling2D()(trunk)
        kept = layers.Dropout(dropout)(pooled)
        logits.append(layers.Dense(len(EMOTIONS), name=f"{_HEAD}_{number}")(kept))
    together = layers.Average()(logits) if len(logits) > 1 else logits[0]
    output = layers.Softmax(name="probabilities")(together)
    shape = () if network in transfer.BACKBONES else widths
    corrected = () if light == "none" else (light,)
    return keras.Model(image, output, name="-".join([network, *map(str, shape), *corrected]))


def load(path: Path) -> keras.Model:
    """Return the network in `path`, not compiled.

    Raises:
        ModelError: It is no Keras file, or one that carries code.
    """
    try:
        # safe_mode refuses files that carry code.
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # A damaged file comes out of Keras as whatever its parts raise, from KeyError to BadZipFile.
    except Exception as error:
        raise ModelError(f"Expected a Keras model in {path}, received: {error!r}") from error


def taught(model: keras.Model, *, votes: bool) -> keras.Model:
    """Return a network of the same layers with every answer that is taught, for training alone.

    Trunks of a forked network learn each for itself: taught by their mean they would come to rely
    on each other, and the mean of two that err alike is no better than one.

    Args:
        model: What `build` made.
        votes: With a second answer a trunk, the share of votes that each emotion gets. People who
            disagree tell more of a face than the one label does, and the two need not agree.

    Output shape:
        `(n, trunks, 7)`, or `(n, trunks, 14)`: label, then votes.
    """
    answers = []
    for head in _heads(model):
        answer = layers.Softmax()(head.output)
        if votes:
            second = layers.Dense(len(EMOTIONS), activation="softmax")(head.input)
            answer = layers.Concatenate()([answer, second])
        answers.append(answer)
    return keras.Model(model.input, keras.ops.stack(answers, axis=1))


def copy(
    model: keras.Model, made: Callable[[keras.Layer], keras.Layer] | None = None
) -> keras.Model:
    """Return a network of the same shape and weights, in layers of its own.

    Args:
        model: A network, or its learner.
        made: What becomes of each layer, in a backbone too; None: one like it.
    """
    # Without `recursive` Keras would look up a learner's layers in a backbone by their name.
    other = keras.models.clone_model(model, clone_function=made, recursive=True)
    other.set_weights(model.get_weights())
    return other


def freeze_statistics(model: keras.Model) -> None:
    """Keep batch normalisation as it is, in place, also while the rest of `model` learns.

    Batches of an update are no sample of what the model is for: statistics of them would
    misplace every face that it knows already.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            freeze_statistics(layer)  # a backbone
        elif isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def soften(model: keras.Model, temperature: float) -> None:
    """Divide the logits of `model` by `temperature`, in place; its answers stay the same.

    In the last layers' weights: no layer more, and an update starts from the calibrated model.
    """
    for head in _heads(model):
        head.set_weights([weights / temperature for weights in head.get_weights()])


def _heads(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if layer.name.startswith(_HEAD)]


def _plain(features: Any, widths: Sequence[int]) -> list[Any]:
    for width in widths:
        for _ in range(2):
            features = _convolution(features, width)
        features = layers.MaxPooling2D()(features)
    return [features]


def _residual(features: Any, widths: Sequence[int]) -> list[Any]:
    features = _convolution(features, widths[0], stride=2)
    for stage, width in enumerate(widths):
        features = _stage(features, width, stride=1 if stage == 0 else 2)
    return [features]


def _forked(features: Any, widths: Sequence[int]) -> list[Any]:
    """Two residual networks that share the first stage and differ by chance in the others.

    Lee et al. 2015, "Why M Heads are Better than One". Gated channels (Hu et al. 2018,
    "Squeeze-and-Excitation Networks"), a first convolution at full size and shortcuts that skip
    no pixel (He et al. 2019, "Bag of Tricks") cost little time.
    """
    features = _convolution(features, _STEM)
    features = _convolution(features, widths[0], stride=2)
    shared = _stage(features, widths[0], stride=1, gated=True)
    ends = [shared] * _TRUNKS
    for width in widths[1:]:
        ends = [_stage(end, width, stride=2, gated=True) for end in ends]
    return ends


def _separable(features: Any, widths: Sequence[int]) -> list[Any]:
    for _ in range(2):
        features = _convolution(features, widths[0])
    for width in widths:
        shortcut = _shortcut(features, width, 2)
        inner = _separable_convolution(features, width)
        inner = _separable_convolution(inner, width, activate=False)
        inner = layers.MaxPooling2D(3, 2, padding="same")(inner)
        features = layers.Add()([inner, shortcut])
    return [features]


def _stage(features: Any, width: int, *, stride: int, gated: bool = False) -> Any:
    features = _block(features, width, stride=stride, gated=gated)
    return _block(features, width, stride=1, gated=gated)


def _block(features: Any, width: int, *, stride: int, gated: bool) -> Any:
    shortcut = features
    if stride != 1:
        shortcut = _shortcut(features, width, stride, seen=stride if gated else 1)
    inner = _convolution(features, width, stride=stride)
    inner = _convolution(inner, width, activate=False)
    if gated:
        inner = _gate(inner, width)
    return layers.ReLU()(layers.Add()([inner, shortcut]))


def _shortcut(features: Any, width: int, stride: int, *, seen: int = 1) -> Any:
    """Project the mean of `seen` by `seen` pixels at each step.

    Pixels are skipped before the convolution, not by it: where one of stride 2 learns that sees
    fewer than 16 channels, oneDNN writes beyond its memory (uxlfoundation/oneDNN 6035).
    """
    features = layers.AveragePooling2D(seen, stride, padding="same")(features)
    return _convolution(features, width, kernel=1, activate=False)


def _gate(features: Any, width: int) -> Any:
    gate = layers.GlobalAveragePooling2D(keepdims=True)(features)
    few = max(_SQUEEZED, width // _SQUEEZED)
    gate = layers.Conv2D(few, 1, activation="relu")(gate)
    gate = layers.Conv2D(width, 1, activation="sigmoid")(gate)
    return layers.Multiply()([features, gate])


def _convolution(
    features: Any,
    width: int,
    *,
    stride: int = 1,
    kernel: int = 3,
    activate: bool = True,
) -> Any:
    features = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False)(features)
    return _normalised(features, activate=activate)


def _separable_convolution(features: Any, width: int, *, activate: bool = True) -> Any:
    features = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(features)
    return _normalised(features, activate=activate)


def _normalised(features: Any, *, activate: bool) -> Any:
    # 0.9: an update of a few hundred steps must reach the statistics of new faces.
    features = layers.BatchNormalization(momentum=0.9)(features)
    return layers.ReLU()(features) if activate else features


_STAGES: Final[dict[str, Callable[[Any, Sequence[int]], list[Any]]]] = {
    "plain": _plain,
    "residual": _residual,
    "forked": _forked,
    "separable": _separable,
}
