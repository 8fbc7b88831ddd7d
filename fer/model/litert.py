"""A trained network as a LiteRT file, for phones and small boards; compared answer by answer."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.files import replacing
from fer.model import networks
from fer.model.export import TOLERANCE
from fer.records import SIZE

_COMPARED = 32


def export(weights: Path, path: Path) -> float:
    """Write the network in `weights` as LiteRT, if that answers as the network does.

    The file takes `image`, float32, shape `(n, 48, 48, 1)`, 0-255, and gives `output_0`, shape
    `(n, 7)`, in the order of `EMOTIONS`. Unlike the ONNX file it carries no lineage.

    Args:
        weights: Keras file that `train` wrote.
        path: File to replace, ending in `.tflite`; left alone on an error.

    Returns:
        The largest difference of a probability, on random pictures.

    Raises:
        ModelError: `weights` is no such file, `path` ends otherwise, or the exported file
            answers otherwise.
    """
    if path.suffix != ".tflite":
        raise ModelError(f"Expected a file that ends in .tflite, received {path}.")
    model = networks.load(weights)
    pictures = np.random.default_rng(1).uniform(0, 255, (_COMPARED, SIZE, SIZE, 1))
    faces = pictures.astype(np.float32)
    expected = model.predict(faces, verbose=0)
    with replacing(path) as temporary:
        model.export(temporary, format="litert", verbose=False)
        difference = float(np.abs(_answers(temporary, faces) - expected).max())
        if not difference <= TOLERANCE:
            raise ModelError(
                f"Expected the LiteRT file to answer as the network within {TOLERANCE}, received "
                f"a difference of {difference:.2g}. Nothing was written."
            )
    return difference


def _answers(path: Path, faces: NDArray[np.float32]) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        # It points to a package of its own, which this one check is not worth.
        warnings.filterwarnings("ignore", r"(?s).*tf\.lite\.Interpreter is deprecated")
        interpreter: Any = tf.lite.Interpreter(str(path))
    return np.asarray(interpreter.get_signature_runner()(image=faces)["output_0"])
