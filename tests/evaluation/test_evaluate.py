"""Evaluating writes the scores, the answers and the plots of the exported file."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.errors import DataError, MissingData, ModelError
from fer.evaluation import answers
from fer.evaluation.evaluate import evaluate
from fer.files import read_json
from fer.model.classifier import Classifier
from fer.params import EvaluateParams
from fer.paths import Paths

PARAMS = EvaluateParams(worst_mistakes=4)


@pytest.fixture
def trained(
    paths: Paths,
    faces: Callable[..., pd.DataFrame],
    written: Callable[..., pd.DataFrame],
    model_file: Callable[..., Path],
) -> Paths:
    """A checkout with a candidate that is right on 3 in 4 base faces and every office face;
    both domains have enough faces to count in full."""
    truth = np.arange(300) % 7
    told = truth.copy()
    told[:60] = (told[:60] + 1) % 7
    rows = faces(300, domain=["base"] * 240 + ["office"] * 60, split="validation")
    table.write(paths.validation, written(rows, told))
    model_file(paths.candidate)
    names = ["loss", "accuracy", "monitor_loss", "monitor_accuracy", "learning_rate"]
    history = pd.DataFrame({"epoch": [1, 2], **{name: [0.5, 0.4] for name in names}})
    paths.report("history.csv").parent.mkdir()
    history.to_csv(paths.report("history.csv"), index=False)
    return paths


def test_scores_answers_and_plots_are_written(trained: Paths) -> None:
    report = evaluate(PARAMS, trained)

    told = read_json(trained.report("metrics.json"))
    assert report.accuracy == told["accuracy"] == pytest.approx((0.75 + 1) / 2)
    assert report.overall.accuracy == told["overall"]["accuracy"] == pytest.approx(0.8)
    assert told["domains"]["base"]["macro_f1"] == report.domains["base"].macro_f1
    assert read_json(trained.report("scores.json"))["domains"]["base"]["rows"] == 240
    pixels = table.decode(table.read(trained.validation)["image"])
    assert np.array_equal(
        answers.recorded(trained.report("predictions.csv")),
        Classifier(trained.candidate).probabilities(pixels),
    )
    for name in ("confusion", "reliability", "history", "mistakes"):
        assert trained.report(f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_calibration_error_is_told_before_and_after(
    trained: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It says 98 % and is right on 80 %: let dividing the logits by 0.5 be what made it so sure.
    sure = Classifier(trained.candidate).probabilities(
        table.decode(table.read(trained.validation)["image"])
    )
    assert 0.97 < sure.max() < 0.99
    monkeypatch.setattr(Classifier, "temperature", 0.5)

    report = evaluate(PARAMS, trained)

    assert report.calibration_error_before < report.overall.calibration_error / 2
    told = read_json(trained.report("metrics.json"))
    assert told["calibration_error_before"] == report.calibration_error_before


def test_no_validation_faces_are_refused(trained: Paths) -> None:
    table.write(trained.validation, table.frame([]))

    with pytest.raises(DataError, match="validation faces"):
        evaluate(PARAMS, trained)


def test_a_missing_table_or_candidate_is_refused(trained: Paths) -> None:
    trained.candidate.unlink()
    with pytest.raises(ModelError, match=r"candidate\.onnx"):
        evaluate(PARAMS, trained)

    trained.validation.unlink()
    with pytest.raises(MissingData, match=r"validation\.parquet"):
        evaluate(PARAMS, trained)


def test_evaluate_promote_and_help_load_no_tensorflow() -> None:
    code = """
import contextlib, sys
import fer.evaluation.evaluate, fer.registry.promote
from fer.cli import main
with contextlib.suppress(SystemExit):
    main(["--help"])
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.splitlines()[-1] == "[]"
