"""What a model is worth on some rows, in records."""

from dataclasses import dataclass

import numpy as np

from fer.evaluation.domains import domain_weights


@dataclass(frozen=True)
class ClassScores:
    """Scores of one emotion, 0-1; one that would divide by zero is 0.

    Args:
        precision: Share of the rows answered so that are so.
        recall: Share of the rows that are so that were answered so.
        f1: Harmonic mean of the two.
        support: Rows that are so.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Scores of one model on one set of rows, 0-1, in plain numbers ready for JSON.

    A class without a row has no say in `balanced_accuracy` and `macro_f1`: small captures
    seldom hold all seven emotions, and a zero for the absent ones would say nothing of the model.

    Args:
        rows: Number of faces.
        accuracy: Share answered correctly.
        balanced_accuracy: Mean recall.
        macro_f1: Mean F1.
        per_class: Scores by emotion.
        confusion: Rows by truth, then by answer; 7 x 7, in the order of `EMOTIONS`.
        calibration_error: Expected calibration error; 0 is a model as right as it is sure.
    """

    rows: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    per_class: dict[str, ClassScores]
    confusion: list[list[int]]
    calibration_error: float


def mean_over_domains(by_domain: dict[str, Scores]) -> float:
    """Return the validation accuracy, 0-1: the mean over domains, weighed by `domain_weights`."""
    weights = domain_weights([each.rows for each in by_domain.values()])
    return float(np.average([each.accuracy for each in by_domain.values()], weights=weights))
