"""How often drift is told where there is none, and how soon where there is.

    python -m benchmarks.drift CHECKOUT

The checkout has run `dvc repro` on FER2013: its candidate answers its validation faces. A half of
them, drawn at random, is the reference; the others come before a camera, as they are and then
changed, drawn with replacement. After each window one looks.

Without a checkout only the false alarms are counted, on measures that are drawn instead of seen.

Required: false alarms within `drift.false_alarms`, but for what so many cameras leave to luck.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import params
from fer.data import table
from fer.emotions import EMOTIONS
from fer.evaluation import answers
from fer.evaluation.drift import judge
from fer.evaluation.sketch import EDGES, EMOTION, KEPT, WINDOW, Camera, Sketch, sketch
from fer.model.classifier import Classifier
from fer.paths import Paths

REPOSITORY: Final = Path(__file__).parents[1]

LOOKS: Final = 300
"""Windows that a camera without a shift shows: 15,000 faces."""

CAMERAS: Final = 400
SHIFTED_CAMERAS: Final = 100
AFTER: Final = 60
"""Windows from a shift on, after which it counts as missed."""

BEFORE: Final = 20
"""Windows without a shift before it comes."""

Binned = dict[str, NDArray[np.int64]]
"""Bin of each face in each measure, shape `(n,)`."""


def _dimmed(share: float) -> Callable[[table.Pixels], table.Pixels]:
    return lambda faces: (faces * share).astype(np.uint8)


def _blurred(sigma: float) -> Callable[[table.Pixels], table.Pixels]:
    return lambda faces: np.stack([cv2.GaussianBlur(face, (0, 0), sigma) for face in faces])


def _grained(level: float) -> Callable[[table.Pixels], table.Pixels]:
    def change(faces: table.Pixels) -> table.Pixels:
        noise = np.random.default_rng(0).normal(0, level, faces.shape)
        return (faces + noise).clip(0, 255).astype(np.uint8)

    return change


CHANGES: Final = {
    "none": lambda faces: faces,
    "10 % darker": _dimmed(0.9),
    "20 % darker": _dimmed(0.8),
    "40 % darker": _dimmed(0.6),
    "blurred, sigma 0.5": _blurred(0.5),
    "blurred, sigma 1": _blurred(1.0),
    "blurred, sigma 2": _blurred(2.0),
    "noise of 5 levels": _grained(5.0),
    "noise of 20 levels": _grained(20.0),
}


def seen(faces: table.Pixels, model: Classifier) -> Binned:
    """Return the bins of each face: what its sketch alone would count."""
    shares = model.probabilities(faces)
    each = [sketch(faces[[row]], shares[[row]]) for row in range(len(faces))]
    return {name: np.array([int(one[name].argmax()) for one in each]) for name in each[0]}


def counted(faces: Binned, rows: NDArray[np.int64]) -> Sketch:
    """Return the sketch of some of the faces."""
    bins = {name: len(edges) + 1 for name, edges in EDGES.items()} | {EMOTION: len(EMOTIONS)}
    return {name: np.bincount(faces[name][rows], minlength=bins[name]) for name in bins}


def first_told(windows: Iterable[Sketch], reference: Sketch, chance: float) -> int | None:
    """Return the window, from 1, after which a shift is told; None: after none of them."""
    camera = Camera()
    for look, window in enumerate(windows, 1):
        camera = Camera(look, [*camera.windows, window][-KEPT:])
        if judge("camera", camera, reference, chance).shifted:
            return look
    return None


def false_alarms(faces: Binned, reference_rows: int, chance: float) -> float:
    """Return the share of cameras without a shift that are told to have shifted, 0-1.

    Each has another reference, drawn like its faces.
    """
    count = len(faces[EMOTION])
    told = 0
    for number in range(CAMERAS):
        rng = np.random.default_rng([number, reference_rows])
        reference = counted(faces, rng.integers(count, size=reference_rows))
        windows = (counted(faces, rng.integers(count, size=WINDOW)) for _ in range(LOOKS))
        told += first_told(windows, reference, chance) is not None
    return told / CAMERAS


def delays(before: Binned, after: Binned, chance: float) -> list[int | None]:
    """Return, for each camera, the windows from a shift until it is told; None: missed.

    Of cameras that were not told to have shifted before they had.
    """
    count = len(before[EMOTION])
    found = []
    for number in range(SHIFTED_CAMERAS):
        rng = np.random.default_rng(number)
        shuffled = rng.permutation(count)
        reference, others = counted(before, shuffled[: count // 2]), shuffled[count // 2 :]
        shown = [before] * BEFORE + [after] * AFTER
        windows = (counted(each, rng.choice(others, WINDOW)) for each in shown)
        told = first_told(windows, reference, chance)
        if told is None or told > BEFORE:
            found.append(None if told is None else told - BEFORE)
    return found


def _in_words(found: list[int | None]) -> str:
    hit = sorted(one for one in found if one is not None)
    if not hit:
        return "never told"
    middle, late = (WINDOW * hit[int(share * (len(hit) - 1))] for share in (0.5, 0.9))
    share = len(hit) / len(found)
    return f"told {share:4.0%}, after {middle:4} faces (median), {late:4} (9 of 10)"


def _drawn() -> Binned:
    rng = np.random.default_rng(0)
    drawn = {name: rng.binomial(len(edges), 0.5, 4000) for name, edges in EDGES.items()}
    return {**drawn, EMOTION: rng.integers(len(EMOTIONS), size=4000)}


def main() -> int:
    """Print the false alarms, then a line a shift; return 1 at too many false alarms."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkout", type=Path, nargs="?")
    asked = parser.parse_args()
    chance = params.load(REPOSITORY / "params.yaml").drift.false_alarms
    paths = Paths(asked.checkout) if asked.checkout else None
    if paths:
        rows = table.read(paths.validation, ["image", "label"])
        faces, truth = table.decode(rows["image"]), answers.truth(rows)
        model = Classifier(paths.candidate)
        before = seen(faces, model)
    else:
        before = _drawn()
    most = chance + 3.09 * math.sqrt(chance * (1 - chance) / CAMERAS)
    missed = 0
    print(f"no shift, {CAMERAS} cameras, {LOOKS} looks each ({LOOKS * WINDOW:,} faces)")
    for count in (200, 3500):
        share = false_alarms(before, count, chance)
        missed |= share > most
        print(f"  reference of {count:5,} faces: {share:.1%} ever told; accepted {chance:.1%}")
    if paths:
        print(f"a shift after {BEFORE * WINDOW:,} faces, {SHIFTED_CAMERAS} cameras")
        for name, change in CHANGES.items():
            after = seen(change(faces), model)
            right = np.mean(after[EMOTION] == truth)
            told = _in_words(delays(before, after, chance))
            print(f"  {name:20} accuracy {right:.1%}  {told}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
