"""Drift: do the faces before a camera still look like those that the champion was judged on?"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer.data import table
from fer.evaluation import answers
from fer.evaluation.sketch import EDGES, KEPT, WINDOW, Camera, Sketch, read, rows, sketch, together
from fer.model.classifier import Classifier
from fer.params import DriftParams
from fer.paths import Paths

_OF_ITS_OWN: Final = 200
"""Validation faces from which a camera is compared with its own; else with all."""

_SPANS: Final = tuple(2**power for power in range(KEPT.bit_length()))
"""How many of the last windows are looked at together: few find a large shift soon, many a small
one at all."""


@dataclass(frozen=True)
class Measure:
    """One measure of one camera, where it is farthest beyond its limit or nearest to it.

    Args:
        name: One of `sketch.EDGES`.
        distance: Largest difference of the two cumulative distributions, 0-1: Kolmogorov and
            Smirnov's, on bins.
        limit: What it would exceed by chance too rarely.
        moved: Median of the camera less median of the reference, in the measure's unit, to a bin.
        faces: Of the camera, that it is about.
    """

    name: str
    distance: float
    limit: float
    moved: float
    faces: int

    @property
    def shifted(self) -> bool:
        """Whether chance does not explain it."""
        return self.distance > self.limit


@dataclass(frozen=True)
class Finding:
    """What is found at one camera.

    Args:
        camera: Its name.
        looks: Windows that were seen since the champion answers.
        measures: One of each in `sketch.EDGES`.
    """

    camera: str
    looks: int
    measures: tuple[Measure, ...]

    @property
    def shifted(self) -> bool:
        """Whether any measure is."""
        return any(each.shifted for each in self.measures)


def drift(params: DriftParams, paths: Paths, *, model: Path, version: int) -> list[Finding]:
    """Compare what each camera saw with the validation faces; empty: nothing was seen yet.

    Args:
        params: How many false alarms are accepted.
        paths: The checkout.
        model: The champion's ONNX file.
        version: Its number; what another model saw does not count.

    Raises:
        DataError: The file of what was seen is damaged.
        MissingData: There are no validation faces.
        ModelError: The champion does not load.
    """
    seen = read(paths.seen)
    if seen is None or seen.version != version:
        return []
    faces = table.read(paths.validation, ["image", "domain"])
    pixels, domains = table.decode(faces["image"]), answers.domains(faces)
    probabilities = Classifier(model).probabilities(pixels)
    found = []
    for name, camera in seen.cameras.items():
        own = domains == name
        chosen = own if own.sum() >= _OF_ITS_OWN else np.full(len(faces), fill_value=True)
        reference = sketch(pixels[chosen], probabilities[chosen])
        found.append(judge(name, camera, reference, params.false_alarms))
    return found


def judge(name: str, camera: Camera, reference: Sketch, false_alarms: float) -> Finding:
    """Return what is found at one camera.

    However often one looks, and for however long: a camera whose faces are drawn as the reference
    is told to have shifted with a chance of `false_alarms` at most. Look k may spend
    `false_alarms / (k (k + 1))`, which sums to `false_alarms`, in equal parts on each measure and
    span (Lan and DeMets 1983, Discrete Sequential Boundaries for Clinical Trials, spend so; that
    chances of errors add up at most is Bonferroni's). Looking again at the same windows is free.

    Which emotions are seen is no measure: people before a camera smile less than those in a data
    set, and no training mends it.

    Args:
        name: The camera's.
        camera: What it saw, at least one window.
        reference: Sketch of the faces to compare with.
        false_alarms: Accepted chance, 0-1.
    """
    spans = [span for span in _SPANS if span <= len(camera.windows)]
    spent = false_alarms / (camera.looks * (camera.looks + 1)) / len(spans) / len(EDGES)
    lately = [together(camera.windows[-span:]) for span in spans]
    measures = (
        max(
            (_measure(measure, one, reference, spent) for one in lately),
            key=lambda found: found.distance - found.limit,
        )
        for measure in EDGES
    )
    return Finding(name, camera.looks, tuple(measures))


def _measure(name: str, faces: Sketch, reference: Sketch, chance: float) -> Measure:
    new, old = (np.cumsum(one[name]) / one[name].sum() for one in (faces, reference))
    counts = rows(faces), rows(reference)
    return Measure(
        name=name,
        distance=float(np.abs(new - old).max()),
        limit=_limit(*counts, chance),
        moved=_median(name, new) - _median(name, old),
        faces=counts[0],
    )


def _limit(first: int, second: int, chance: float) -> float:
    """Return the distance that two samples of one distribution exceed with `chance` at most.

    Source: Wei and Dudley 2012, Two-sample Dvoretzky-Kiefer-Wolfowitz Inequalities; holds for any
    distribution, and bins make the distance smaller, never larger.
    """
    return math.sqrt((first + second) / (2 * first * second) * math.log(2 / chance))


def _median(name: str, cumulative: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    edges = EDGES[name]
    return float(edges[min(int(np.searchsorted(cumulative, 0.5)), len(edges) - 1)])


def as_text(found: list[Finding]) -> list[str]:
    """Return a line a camera and measure, for people."""
    if not found:
        return [f"No camera has shown {WINDOW} faces to this champion yet."]
    lines = [f"{'camera':20} {'measure':11} {'faces':>5}  {'distance':>8}  {'limit':>5}  median"]
    for one in found:
        for each in one.measures:
            sign = "  shifted" if each.shifted else ""
            lines.append(
                f"{one.camera:20} {each.name:11} {each.faces:5}  {each.distance:8.2f}  "
                f"{each.limit:5.2f}  {each.moved:+.3g}{sign}"
            )
    return lines
