"""True labels and predicted probabilities to scores."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from fer.emotions import EMOTIONS
from fer.errors import DataError, ModelError
from fer.evaluation.answers import Probabilities, Truth
from fer.evaluation.scores import ClassScores, Scores

BINS: Final = 15
"""Of confidence, equally wide: the number of Guo et al. 2017."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Rows by how sure the model was, in `BINS` bins; an empty bin has zeros.

    Args:
        confidence: Mean probability of the answer, shape `(15,)`, values 0-1.
        accuracy: Share answered correctly, shape `(15,)`, values 0-1.
        count: Rows, shape `(15,)`.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]


def scores(truth: Truth, probabilities: Probabilities) -> Scores:
    """Return the scores of a model that answered `probabilities` where `truth` was right.

    Raises:
        DataError: There are no rows, or not as many answers as rows.
        ModelError: The answers are no probabilities.
    """
    _check(truth, probabilities)
    predicted = probabilities.argmax(axis=1)
    per_class = _per_class(truth, predicted)
    supported = [each for each in per_class.values() if each.support]
    return Scores(
        rows=len(truth),
        accuracy=float(np.mean(predicted == truth)),
        balanced_accuracy=float(np.mean([each.recall for each in supported])),
        macro_f1=float(np.mean([each.f1 for each in supported])),
        per_class=per_class,
        confusion=confusion_matrix(truth, predicted, labels=range(len(EMOTIONS))).tolist(),
        calibration_error=calibration_error(truth, probabilities),
    )


def scores_by_domain(
    truth: Truth, probabilities: Probabilities, domains: NDArray[np.str_]
) -> dict[str, Scores]:
    """Return the scores on each domain's rows, by name. `domains` has shape `(n,)`."""
    return {
        str(domain): scores(truth[domains == domain], probabilities[domains == domain])
        for domain in np.unique(domains)
    }


def reliability(truth: Truth, probabilities: Probabilities) -> Reliability:
    """Return how often the model was right, by how sure it was.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 2; bins are
    closed above, as there.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == truth
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    rows = np.maximum(count, 1)
    return Reliability(
        confidence=np.bincount(bins, weights=confidence, minlength=BINS) / rows,
        accuracy=np.bincount(bins, weights=correct, minlength=BINS) / rows,
        count=count,
    )


def calibration_error(truth: Truth, probabilities: Probabilities) -> float:
    """Return by how much, on average, the model was surer or less sure than it was right, 0-1.

    Source: as `reliability`; the expected calibration error of equation 3.
    """
    bins = reliability(truth, probabilities)
    return float(np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.count))


def _per_class(truth: Truth, predicted: Truth) -> dict[str, ClassScores]:
    columns = precision_recall_fscore_support(
        truth, predicted, labels=range(len(EMOTIONS)), zero_division=0
    )
    return {
        emotion: ClassScores(float(precision), float(recall), float(f1), int(support))
        for emotion, precision, recall, f1, support in zip(EMOTIONS, *columns, strict=True)
    }


def _check(truth: Truth, probabilities: Probabilities) -> None:
    if not len(truth) or probabilities.shape != (len(truth), len(EMOTIONS)):
        raise DataError(
            f"Expected answers of shape (n, {len(EMOTIONS)}) for n rows, at least one. "
            f"Received: {probabilities.shape} for {len(truth)} rows."
        )
    # Also catches NaN, which argmax would count as an answer, and logits.
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) or probabilities.min() < 0:
        raise ModelError(
            "Expected probabilities that sum to 1 in each row, received other numbers. "
            "Was the model exported without its softmax, or did its training diverge?"
        )
