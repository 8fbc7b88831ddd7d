"""Many faces as a few counts: what the live page may write down of people who agreed to nothing.

A sketch has a histogram of each measure and no more: which brightness goes with which confidence
is lost, and no face can be made from it. Only sketches of `WINDOW` faces are written, without the
time, and only the last `KEPT` of a camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer.data.pictures import describe
from fer.data.table import Pixels
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.evaluation.answers import Probabilities
from fer.files import read_json, write_json

WINDOW: Final = 50
"""Faces of a sketch that is written: fewer are never."""

KEPT: Final = 16
"""Windows of a camera that are kept."""

_CAMERAS: Final = 16
"""The most that are kept; the one that was seen longest ago goes first."""

EDGES: Final[dict[str, NDArray[np.float64]]] = {
    "brightness": np.arange(8.0, 256, 8),
    "contrast": np.arange(4.0, 128, 4),
    "sharpness": 2.0 ** np.arange(0, 15.5, 0.5),
    "confidence": np.arange(0.175, 1, 0.025),
}
"""Where each measure's bins meet; the first and the last bin have no end.

The first three as `data.pictures.describe` says, and the probability of the model's answer."""

EMOTION: Final = "emotion"
"""The answers, counted in the order of `EMOTIONS`."""

Sketch = dict[str, NDArray[np.int64]]
"""Faces by bin of each measure in `EDGES`, and by `EMOTION`."""


def sketch(faces: Pixels, probabilities: Probabilities) -> Sketch:
    """Return the sketch of some faces.

    Args:
        faces: Canonical, shape `(n, 48, 48)`.
        probabilities: What the model answers, shape `(n, 7)`.
    """
    values = dict(describe(faces).items()) | {"confidence": probabilities.max(axis=1)}
    binned = {
        str(name): np.bincount(
            np.searchsorted(EDGES[str(name)], column, side="right"),
            minlength=len(EDGES[str(name)]) + 1,
        )
        for name, column in values.items()
    }
    emotions = np.bincount(probabilities.argmax(axis=1), minlength=len(EMOTIONS))
    return {**binned, EMOTION: emotions}


def together(sketches: Iterable[Sketch]) -> Sketch:
    """Return one sketch of the faces of several, at least one."""
    several = list(sketches)
    return {name: np.sum([one[name] for one in several], axis=0) for name in several[0]}


def rows(faces: Sketch) -> int:
    """Return how many faces a sketch is of."""
    return int(faces[EMOTION].sum())


@dataclass
class Camera:
    """What was seen before one camera.

    Args:
        looks: Windows since the model answers, those that are no longer kept too.
        windows: The last of them, oldest first, each of `WINDOW` faces.
    """

    looks: int = 0
    windows: list[Sketch] = field(default_factory=list)


@dataclass
class Seen:
    """What was seen since a model answers: another one's confidence has to be counted anew.

    Args:
        version: The model's number in the registry.
        cameras: By name, the one seen last at the end.
    """

    version: int
    cameras: dict[str, Camera] = field(default_factory=dict)

    def add(self, name: str, window: Sketch) -> None:
        """Take in one window of a camera; the oldest go."""
        if rows(window) < WINDOW:
            raise ValueError(f"Expected at least {WINDOW} faces, received {rows(window)}.")
        camera = self.cameras.pop(name, None) or Camera()
        camera.looks += 1
        camera.windows = [*camera.windows, window][-KEPT:]
        self.cameras = {**self.cameras, name: camera}
        for oldest in list(self.cameras)[:-_CAMERAS]:
            del self.cameras[oldest]


def read(path: Path) -> Seen | None:
    """Return what was seen, or None where nothing was yet, or by another release.

    Raises:
        DataError: The file is damaged.
    """
    if not path.is_file():
        return None
    try:
        told = read_json(path)
        # Bins of another release mean something else.
        if told["bins"] != _bins():
            return None
        cameras = {
            name: Camera(one["looks"], [_sketch(window) for window in one["windows"]])
            for name, one in told["cameras"].items()
        }
        return Seen(told["version"], cameras)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"Expected counts of faces in {path}, received: {error!r}. Delete it; it is "
            "begun anew where faces are seen."
        ) from error


def write(path: Path, seen: Seen) -> None:
    """Replace what was seen, whole or not at all."""
    cameras = {
        name: {
            "looks": camera.looks,
            "windows": [
                {measure: counts.tolist() for measure, counts in window.items()}
                for window in camera.windows
            ],
        }
        for name, camera in seen.cameras.items()
    }
    write_json(path, {"version": seen.version, "bins": _bins(), "cameras": cameras})


def _sketch(told: dict[str, list[int]]) -> Sketch:
    return {measure: np.array(counts, np.int64) for measure, counts in told.items()}


def _bins() -> dict[str, list[float]]:
    return {measure: edges.tolist() for measure, edges in EDGES.items()}
