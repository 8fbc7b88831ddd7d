"""Evaluate: the candidate on the validation faces, as exported, without TensorFlow."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from fer.data import table
from fer.errors import DataError
from fer.evaluation import answers, metrics, plots
from fer.evaluation.scores import Scores, mean_over_domains
from fer.files import locked, write_json
from fer.model.calibration import tempered
from fer.model.classifier import Classifier
from fer.params import EvaluateParams
from fer.paths import MISTAKES, Paths


@dataclass(frozen=True)
class EvaluateReport:
    """What the candidate is worth.

    Args:
        accuracy: Mean over the domains: what the gate compares.
        overall: Scores over all validation faces.
        domains: Scores on each domain.
        temperature: What training divided the logits by.
        calibration_error_before: Over all validation faces, had it not.
    """

    accuracy: float
    overall: Scores
    domains: dict[str, Scores]
    temperature: float
    calibration_error_before: float


def evaluate(params: EvaluateParams, paths: Paths) -> EvaluateReport:
    """Score the candidate; write metrics, predictions and plots.

    Raises:
        ModelError: The candidate does not load or answer.
        DataError: There are no validation faces.
    """
    with locked(paths.lock("evaluate")):
        faces = table.read(paths.validation)
        if faces.empty:
            raise DataError(
                f"Expected validation faces in {paths.validation}, received none: base has no "
                "validation split (FER2013's PublicTest), and no capture went there."
            )
        pixels = table.decode(faces["image"])
        candidate = Classifier(paths.candidate)
        probabilities = candidate.probabilities(pixels)
        before = tempered(probabilities, 1 / candidate.temperature)
        truth, domains = answers.truth(faces), answers.domains(faces)
        by_domain = metrics.scores_by_domain(truth, probabilities, domains)
        overall = metrics.scores(truth, probabilities)
        report = EvaluateReport(
            accuracy=mean_over_domains(by_domain),
            overall=overall,
            domains=by_domain,
            temperature=candidate.temperature,
            calibration_error_before=metrics.calibration_error(truth, before),
        )
        write_json(paths.report("scores.json"), asdict(report))
        write_json(paths.report("metrics.json"), _headline(report))
        answers.record(faces, probabilities, paths.report("predictions.csv"))
        plots.confusion(overall, paths.report("confusion.png"))
        plots.reliability(truth, probabilities, paths.report("reliability.png"))
        plots.history(pd.read_csv(paths.report("history.csv")), paths.report("history.png"))
        plots.worst_mistakes(
            pixels, truth, probabilities, paths.report(MISTAKES), count=params.worst_mistakes
        )
        return report


def _headline(report: EvaluateReport) -> dict[str, Any]:
    """The few figures that `dvc metrics diff` can show side by side."""
    recall = {name: one.recall for name, one in report.overall.per_class.items()}
    return {
        "accuracy": report.accuracy,
        "calibration_error_before": report.calibration_error_before,
        "overall": _summary(report.overall) | {"recall": recall},
        "domains": {domain: _summary(one) for domain, one in report.domains.items()},
    }


def _summary(scores: Scores) -> dict[str, float]:
    names = ("accuracy", "balanced_accuracy", "macro_f1", "calibration_error")
    return {name: getattr(scores, name) for name in names}
