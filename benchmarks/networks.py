"""Every network of `train.network`: what it weighs, what it computes, how long a face takes.

    python -m benchmarks.networks [NETWORK ...]

Prints the table of docs/networks.md. The weights are random: they decide nothing here. Each
network is exported as `train` does, which compares the answers, and asked by ONNX Runtime on
one thread, five faces at a time; milliseconds are of processor time.
"""

import argparse
import tempfile
import time
import timeit
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from fer.model import networks, transfer
from fer.model.classifier import Classifier, Lineage
from fer.model.export import export

WIDTHS: Final = {
    "plain, 3 stages": ("plain", [32, 64, 128]),
    "plain, 5 stages": ("plain", [32, 64, 128, 192, 256]),
    "residual": ("residual", [32, 64, 128, 192]),
    "forked": ("forked", [48, 64, 128]),
    "separable": ("separable", [16, 32, 64, 128]),
    **{name: (name, []) for name in transfer.BACKBONES},
}
"""A line of the table: the network and its widths."""

CALLS: Final = 60
LINEAGE: Final = Lineage(0, "", "", None, "unknown", 0, {}, {})


def settle(model: keras.Model, faces: NDArray[np.uint8]) -> None:
    """Give batch normalisation the statistics of `faces`.

    As new, a deep network answers the same to every face, and any file would answer as it does.
    """
    inner = [one for layer in model.layers for one in getattr(layer, "layers", [layer])]
    for layer in inner:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(faces[..., None].astype(np.float32), training=True)


def floating_operations(model: keras.Model) -> int:
    """Return the floating point operations for one face; multiplying and adding are two."""
    shape = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    called = tf.function(lambda face: model(face, training=False)).get_concrete_function(shape)
    frozen = convert_variables_to_constants_v2(called)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    counted = tf.compat.v1.profiler.profile(frozen.graph, options=options)
    return int(counted.total_float_ops)


def ms_per_face(classifier: Classifier, faces: NDArray[np.uint8]) -> float:
    """Return the least processor time of many calls: one thread's, whatever else runs."""

    def ask() -> None:
        classifier.probabilities(faces)

    seconds = timeit.repeat(ask, number=1, repeat=CALLS, timer=time.process_time)
    return 1000 * min(seconds) / len(faces)


def line(name: str, faces: NDArray[np.uint8], folder: Path) -> str:
    """Measure one network; return its line of the table."""
    network, widths = WIDTHS[name]
    keras.utils.set_random_seed(1)
    model = networks.build(network, widths, 0.3)
    settle(model, faces)
    path = folder / "model.onnx"
    difference = export(model, path, LINEAGE, faces)
    cells = [
        f"{name}, {'-'.join(map(str, widths))}" if widths else name,
        f"{model.count_params() / 1e6:.2f} M",
        f"{floating_operations(model) / 1e6:,.0f} M",
        f"{ms_per_face(Classifier(path, threads=1), faces):.2f}",
        f"{path.stat().st_size / 1e6:.1f} MB",
        f"{difference:.0e}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", choices=[*WIDTHS, []], metavar="NETWORK")
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)
    print("| network | parameters | operations a face | ms a face | ONNX file | difference |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in parser.parse_args().networks or WIDTHS:
            print(line(name, faces, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
