"""How much of its accuracy a model keeps in bad light, far away, or half hidden.

    python -m benchmarks.robustness FER2013 MODEL [OTHER]

FER2013 is the csv, zip or folder; the faces are PublicTest's, as published, and each condition
does the same to them for every model. The models are ONNX files of this product. A face is
changed as a canonical 48 x 48 crop, after it was found.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.data import fer2013_layouts, table
from fer.emotions import INDEX
from fer.model.classifier import Classifier
from fer.records import SIZE

Change = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
"""One face, shape `(48, 48)`, 0-255, to the same face seen otherwise; may leave 0-255."""


def small(face: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    """A face of 16 x 16 pixels, enlarged."""
    far = cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(far, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def turned(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Turned by 20 degrees to the left or right."""
    centre = ((SIZE - 1) / 2, (SIZE - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, float(rng.choice([-20, 20])), 1)
    return np.asarray(cv2.warpAffine(face, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT))


def compressed(face: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    """A JPEG of quality 10."""
    packed = cv2.imencode(".jpg", face.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 10])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.float32)


def occluded(face: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A grey square of 16 x 16 pixels, a ninth of the face, anywhere on it."""
    hidden = face.copy()
    y, x = rng.integers(0, SIZE - 16, 2, endpoint=True)
    hidden[y : y + 16, x : x + 16] = 128
    return hidden


CONDITIONS: Final[dict[str, Change]] = {
    "as published": lambda face, _: face,
    "dark: a fifth of the light": lambda face, _: face / 5,
    "bright: 90 grey levels more, cut off at white": lambda face, _: face + 90,
    "blurred: sigma of 1.5 pixels": lambda face, _: np.asarray(
        cv2.GaussianBlur(face, (0, 0), 1.5)
    ),
    "noisy: sigma of 20 grey levels": lambda face, rng: np.asarray(
        face + rng.normal(0, 20, face.shape), np.float32
    ),
    "small: 16 pixels wide": small,
    "turned by 20 degrees": turned,
    "compressed: JPEG of quality 10": compressed,
    "occluded: a square of 16 pixels": occluded,
}


def seen(pixels: table.Pixels, change: Change) -> table.Pixels:
    """Return all faces changed; the same ones in every call."""
    rng = np.random.default_rng(1)
    changed = [change(face.astype(np.float32), rng) for face in pixels]
    return np.stack(changed).round().clip(0, 255).astype(np.uint8)


def compare(data: Path, models: list[Path]) -> None:
    """Print a line a condition: each model's accuracy, and by how much the second is better."""
    rows = fer2013_layouts.read(data, votes=False).rows
    here = np.array(rows.splits) == "validation"
    pixels, truth = rows.pixels[here], np.array([INDEX[label] for label in rows.labels])[here]
    asked = [Classifier(model, threads=1) for model in models]
    difference = ["difference"] * (len(models) == 2)
    print(" | ".join(["", f"{len(truth):,} faces", *map(str, models), *difference, ""]).strip())
    print("|---" * (1 + len(models) + len(difference)) + "|")
    for name, change in CONDITIONS.items():
        faces = seen(pixels, change)
        right = [np.mean(one.probabilities(faces).argmax(axis=1) == truth) for one in asked]
        cells = [f"{one:.1%}" for one in right]
        if difference:
            cells.append(f"{100 * (right[1] - right[0]):+.1f}")
        print(" | ".join(["", name, *cells, ""]).strip(), flush=True)


def main() -> None:
    """Compare, or say what is needed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="FER2013's csv, zip or folder")
    parser.add_argument("models", type=Path, nargs="*", help="one or two ONNX files")
    arguments = parser.parse_args()
    if not 1 <= len(arguments.models) <= 2:
        print("needs FER2013 and one or two models: python -m benchmarks.robustness CSV MODEL ...")
        return
    compare(arguments.data, arguments.models)


if __name__ == "__main__":
    main()
