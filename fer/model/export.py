"""From a trained network to the file that serves, compared answer by answer."""

import logging
import warnings
from pathlib import Path
from typing import Final

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.files import replacing
from fer.model.classifier import Classifier, Lineage, metadata

TOLERANCE: Final = 1e-4
"""Largest difference of a probability; rounding alone gives about 1e-6."""


def export(
    model: keras.Model,
    path: Path,
    lineage: Lineage,
    faces: NDArray[np.uint8],
    *,
    temperature: float = 1.0,
) -> float:
    """Write `model` as ONNX with its labels and lineage, if it answers as `model` does.

    Args:
        model: Float32 network that `networks.build` made.
        path: ONNX file to replace; left alone on an error.
        lineage: Where the model comes from.
        faces: Faces to compare on, shape `(n, 48, 48)`, n >= 1.
        temperature: What `networks.soften` divided the logits of `model` by.

    Returns:
        The largest difference of a probability.

    Raises:
        ModelError: The exported file answers otherwise.
    """
    # Keras refuses to export a network that was never called.
    expected = model.predict(faces[..., None].astype(np.float32), verbose=0)
    with replacing(path) as temporary:
        # It tells, with a traceback, of each simplification that it could not make.
        logging.getLogger("tf2onnx.optimizer").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            # Keras asks NumPy for a name that NumPy is about to give away.
            warnings.simplefilter("ignore", FutureWarning)
            model.export(temporary, format="onnx", verbose=False)
        graph = _canonical(onnx.load(temporary))
        onnx.helper.set_model_props(graph, metadata(lineage, temperature=temperature))
        onnx.checker.check_model(graph)
        onnx.save(graph, temporary)
        answered = Classifier(temporary).probabilities(faces)
        difference = float(np.abs(answered - expected).max())
        if not difference <= TOLERANCE:
            raise ModelError(
                f"Expected the exported model to answer as the trained one within {TOLERANCE}, "
                f"received a difference of {difference:.2g}. Nothing was written."
            )
    return difference


def _canonical(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Call the output `probabilities`, and leave out what differs from process to process.

    TensorFlow's converter calls the output `Identity:0`.
    """
    old, new = graph.graph.output[0].name, "probabilities"
    for node in graph.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
    graph.graph.output[0].name = new
    # It tells how many functions TensorFlow had made before: other bytes after a resumed training.
    graph.graph.doc_string = ""
    return graph
