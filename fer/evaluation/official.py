"""A model on FER2013's own evaluation splits, as papers report it; for people, for no choice.

`fer evaluate --split test|validation`. Nothing in the product reads what comes out: the
pipeline judges by its validation table, and opens the test split nowhere but here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from fer.data import fer2013_layouts, ferplus, table
from fer.data.fer2013_csv import USAGES
from fer.emotions import EMOTIONS, INDEX
from fer.errors import DataError
from fer.evaluation import metrics
from fer.evaluation.answers import Probabilities, Truth
from fer.evaluation.scores import ClassScores
from fer.model.classifier import Classifier

_CONFIDENCE: Final = 0.95
_RESAMPLES: Final = 9999
_SEED: Final = 1

# FER+'s protocol has an eighth class, which our models never answer: each such face counts as
# wrong. -1: no label, left out.
_CODES: Final = {**INDEX, "contempt": len(EMOTIONS)}


@dataclass(frozen=True)
class Estimate:
    """A figure, 0-1, and the ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One way to count.

    Args:
        labels: Whose labels.
        leaked: Whether faces that are pixel for pixel in FER2013's training split are in.
        mirrored: Whether the answer is the mean of the face's and its mirror image's.
        faces: How many.
        accuracy: Share answered correctly.
        macro_f1: Mean F1 of the classes that are there.
        calibration_error: Expected calibration error, 15 bins.
    """

    labels: str
    leaked: bool
    mirrored: bool
    faces: int
    accuracy: Estimate
    macro_f1: Estimate
    calibration_error: float


@dataclass(frozen=True)
class OfficialReport:
    """A model on one official split.

    Args:
        model: Name of its file.
        usage: FER2013's name of the split.
        lines: Every way to count.
        per_class: Scores by emotion: FER2013's labels, all faces, not mirrored.
    """

    model: str
    usage: str
    lines: list[Line]
    per_class: dict[str, ClassScores]


def official(model: Path, data: Path, split: Literal["validation", "test"]) -> OfficialReport:
    """Score `model` on a split of FER2013 as published.

    By FER2013's labels, and, where FER+'s votes lie beside the faces, by their majority over
    eight classes and over the seven that a model here knows.

    Args:
        model: ONNX file of this product.
        data: FER2013's csv, zip or folder.
        split: "validation" is PublicTest, "test" is PrivateTest.

    Raises:
        ModelError: The file is no emotion model.
        DataError: There is no FER2013, or no such split in it.
    """
    classifier = Classifier(model)
    usage = next(name for name, meant in USAGES.items() if meant == split)
    found = fer2013_layouts.read(data, votes=None)
    splits = np.array(found.rows.splits)
    here = splits == split
    if not here.any():
        raise DataError(
            f"Expected {usage} faces in {data}, received none among its {len(splits)} faces."
        )
    pixels = found.rows.pixels[here]
    leaked = _leaked(pixels, found.rows.pixels[splits == "train"])
    truths = {"FER2013": _codes(found.rows.labels, here)}
    if found.ballots:
        votes = _codes(ferplus.majority(found.ballots), here)
        truths["FER+, 8 classes"] = votes
        truths["FER+, 7 classes"] = np.where(votes < len(EMOTIONS), votes, -1)
    told = classifier.probabilities(pixels)
    seen_in_a_mirror = classifier.probabilities(pixels[:, :, ::-1])
    both = np.asarray((told + seen_in_a_mirror) / 2, np.float32)
    lines = [
        _line(name, truth, answer, leaked if clean else None, mirrored=mirrored)
        for name, truth in truths.items()
        for clean in (False, True)
        for mirrored, answer in ((False, told), (True, both))
    ]
    per_class = metrics.scores(truths["FER2013"], told).per_class
    return OfficialReport(model.name, usage, lines, per_class)


def _codes(labels: Sequence[str | None], here: NDArray[np.bool_]) -> Truth:
    codes = [-1 if label is None else _CODES[label] for label in labels]
    return np.array(codes, np.int64)[here]


def _leaked(faces: table.Pixels, learnt: table.Pixels) -> NDArray[np.bool_]:
    known = {table.face_id(face) for face in learnt}
    return np.array([table.face_id(face) in known for face in faces])


def _line(
    labels: str,
    truth: Truth,
    answers: Probabilities,
    leaked: NDArray[np.bool_] | None,
    *,
    mirrored: bool,
) -> Line:
    """Score the rows that have a label; those that are not `leaked` where it is given."""
    rows = truth >= 0 if leaked is None else (truth >= 0) & ~leaked
    truth, answers = truth[rows], answers[rows]
    accuracy, macro_f1 = _estimates(truth, answers.argmax(axis=1))
    return Line(
        labels=labels,
        leaked=leaked is None,
        mirrored=mirrored,
        faces=len(truth),
        accuracy=accuracy,
        macro_f1=macro_f1,
        calibration_error=metrics.calibration_error(truth, answers),
    )


def _estimates(truth: Truth, predicted: Truth) -> list[Estimate]:
    """Return accuracy and macro-F1 with percentile intervals over other draws of the faces."""
    classes = len(EMOTIONS) + 1
    pairs = truth * classes + predicted

    def figures(drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:  # noqa: ARG001  SciPy's
        """Shape `(draws, faces)` to `(2, draws)`."""
        draws = drawn.reshape(-1, len(pairs))
        numbered = draws + np.arange(len(draws))[:, None] * classes**2
        counts = np.bincount(numbered.ravel(), minlength=len(draws) * classes**2)
        confusion = counts.reshape(-1, classes, classes)
        right = np.diagonal(confusion, axis1=1, axis2=2)
        true, told = confusion.sum(axis=2), confusion.sum(axis=1)
        f1 = 2 * right / np.maximum(true + told, 1)
        there = true > 0
        macro = (f1 * there).sum(axis=1) / there.sum(axis=1)
        return np.stack([right.sum(axis=1) / len(pairs), macro])

    found = bootstrap(
        (pairs,), figures, n_resamples=_RESAMPLES, batch=100, confidence_level=_CONFIDENCE,
        method="percentile", vectorized=True, rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    values, interval = figures(pairs)[:, 0], found.confidence_interval
    return [
        Estimate(float(value), float(low), float(high))
        for value, low, high in zip(values, interval.low, interval.high, strict=True)
    ]


def as_text(report: OfficialReport) -> Iterator[str]:
    """Yield the lines of the report for people."""
    yield f"{report.model} on FER2013's {report.usage}, as published; 95 % bootstrap intervals"
    yield ""
    yield (
        f"{'labels':16} {'leaked copies':13} {'mirrored too':12} {'faces':>6}  "
        f"{'accuracy':20} {'macro-F1':20} {'ECE':>6}"
    )
    for line in report.lines:
        yield (
            f"{line.labels:16} {'in' if line.leaked else 'out':13} "
            f"{'yes' if line.mirrored else 'no':12} {line.faces:6,}  "
            f"{_told(line.accuracy):20} {_told(line.macro_f1):20} {line.calibration_error:6.1%}"
        )
    yield ""
    yield f"{'FER2013 labels':16} {'faces':>6} {'precision':>10} {'recall':>7} {'F1':>6}"
    for emotion, one in report.per_class.items():
        yield (
            f"{emotion:16} {one.support:6,} {one.precision:10.1%} {one.recall:7.1%} {one.f1:6.1%}"
        )
    yield ""
    yield "Leaked copies are pixel for pixel in FER2013's training split, which `base` leaves out."
    yield "For people to compare with papers. Nothing here reads it; choose nothing by it."


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.1%} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"
