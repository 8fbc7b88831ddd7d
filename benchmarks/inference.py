"""Milliseconds a face in batches of five, and accuracy, of one model run in several ways.

    python -m benchmarks.inference [--model CANDIDATE.keras] [--peers FOLDER] [--data FER2013]

The ways take turns in one process, so that whatever else the machine does falls on all alike;
the least of many calls counts. Without --model it takes the shipped champion. The peers are the
networks of the `fer` library (fer_lib_mini_xception.hdf5) and of oarriaga/face_classification
(oarriaga_big_xception.hdf5), run as those do and as fast as they can. With --data, accuracy is
PublicTest's as published, FER2013's labels, no mirror image.
"""

import argparse
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer.data import fer2013_layouts, table
from fer.emotions import INDEX
from fer.model.classifier import Classifier, Lineage
from fer.model.export import export
from fer.paths import SHIPPED_WEIGHTS

BATCH: Final = 5
ROUNDS: Final = 100

PEERS: Final = {
    "fer (mini-Xception)": "fer_lib_mini_xception.hdf5",
    "oarriaga (big Xception)": "oarriaga_big_xception.hdf5",
}

Way = Callable[[table.Pixels], NDArray[np.float32]]
"""Canonical faces, shape `(n, 48, 48)`, to probabilities `(n, 7)`."""

Prepare = Callable[[table.Pixels], NDArray[np.float32]]
"""Canonical faces to what a network takes, shape `(n, side, side, 1)`."""


def as_is(faces: table.Pixels) -> NDArray[np.float32]:
    """Return what our networks take."""
    return faces[..., None].astype(np.float32)


def for_peers(faces: table.Pixels) -> NDArray[np.float32]:
    """Return what both peers take: 64 x 64, -1 to 1."""
    larger = np.stack([cv2.resize(face, (64, 64)) for face in faces])
    return ((larger / 255 - 0.5) * 2)[..., None].astype(np.float32)


def with_predict(model: keras.Model, prepare: Prepare) -> Way:
    """Run a Keras model the usual way."""
    return lambda faces: np.asarray(model.predict(prepare(faces), verbose=0))


def with_function(model: keras.Model, prepare: Prepare) -> Way:
    """Run a Keras model as a compiled function."""
    called = tf.function(lambda given: model(given, training=False), reduce_retracing=True)
    return lambda faces: np.asarray(called(tf.constant(prepare(faces))))


def ours(model: keras.Model, folder: Path) -> dict[str, Way]:
    """Return every way to run our model; exports it on the way, which compares the answers."""
    file = folder / "model.onnx"
    faces = np.random.default_rng(0).integers(0, 256, (64, 48, 48), np.uint8)
    export(model, file, Lineage(0, "", "", None, "unknown", 0, {}, {}), faces)
    return {
        "ours, ONNX Runtime, 1 thread": Classifier(file, threads=1).probabilities,
        "ours, ONNX Runtime, 2 threads": Classifier(file, threads=2).probabilities,
        "ours, tf.function": with_function(model, as_is),
        "ours, Keras predict": with_predict(model, as_is),
    }


def peers(folder: Path) -> dict[str, Way]:
    """Return the two peers in the folder, each in two ways."""
    ways: dict[str, Way] = {}
    for name, file in PEERS.items():
        model = keras.saving.load_model(folder / file, compile=False)
        ways[f"{name}, tf.function"] = with_function(model, for_peers)
        ways[f"{name}, Keras predict"] = with_predict(model, for_peers)
    return ways


def ms_per_face(ways: dict[str, Way]) -> dict[str, float]:
    """Return the least of `ROUNDS` calls of each way, which take turns."""
    faces = np.random.default_rng(1).integers(0, 256, (BATCH, 48, 48), np.uint8)
    for way in ways.values():
        way(faces)
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken = timeit.timeit(lambda way=way: way(faces), number=1)
            seconds[name] = min(seconds[name], taken)
    return {name: 1000 * taken / BATCH for name, taken in seconds.items()}


def accuracies(ways: dict[str, Way], data: Path) -> dict[str, str]:
    """Return the accuracy of each way on PublicTest, in percent."""
    rows = fer2013_layouts.read(data, votes=False).rows
    here = np.array(rows.splits) == "validation"
    faces, truth = rows.pixels[here], np.array([INDEX[label] for label in rows.labels])[here]
    parts = np.split(faces, range(256, len(faces), 256))
    answers = {
        name: np.concatenate([way(part).argmax(axis=1) for part in parts])
        for name, way in ways.items()
    }
    return {name: f"{np.mean(answer == truth):.1%}" for name, answer in answers.items()}


def main() -> None:
    """Print a line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=SHIPPED_WEIGHTS, help="a Keras file (the shipped champion)"
    )
    parser.add_argument("--peers", type=Path, help="folder of the peers' hdf5 files")
    parser.add_argument("--data", type=Path, help="FER2013's csv, zip or folder")
    arguments = parser.parse_args()
    model = keras.saving.load_model(arguments.model, compile=False)
    with tempfile.TemporaryDirectory() as folder:
        ways = ours(model, Path(folder)) | (peers(arguments.peers) if arguments.peers else {})
        taken = ms_per_face(ways)
        right = accuracies(ways, arguments.data) if arguments.data else {}
    print("| way | ms a face | PublicTest |")
    print("|---|---|---|")
    for name, each in taken.items():
        print(f"| {name} | {each:.2f} | {right.get(name, '')} |")


if __name__ == "__main__":
    main()
