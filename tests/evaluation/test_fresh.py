"""A process of its own loads the exported file, and finds what is wrong with it."""

import math
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.errors import Interrupted
from fer.evaluation import answers, fresh
from fer.model.classifier import Classifier


@dataclass
class Candidate:
    """A model, the faces it answered, and the record of its answers."""

    model: Path
    faces: Path
    predictions: Path

    def check(self) -> fresh.FreshCheck:
        """Return what a fresh process says."""
        return fresh.check(self.model, self.faces, self.predictions)


@pytest.fixture
def candidate(
    tmp_path: Path,
    faces: Callable[..., pd.DataFrame],
    written: Callable[..., pd.DataFrame],
    model_file: Callable[..., Path],
) -> Candidate:
    # A blank in the path, as in "My Documents".
    folder = tmp_path / "a folder"
    rows = written(faces(14), np.arange(14) % 7)
    made = Candidate(
        model_file(folder / "candidate.onnx"), folder / "faces.parquet", folder / "said.csv"
    )
    table.write(made.faces, rows)
    told = Classifier(made.model).probabilities(table.decode(rows["image"]))
    answers.record(rows, told, made.predictions)
    return made


def test_a_good_file_loads_repeats_its_answers_and_is_timed(candidate: Candidate) -> None:
    found = candidate.check()

    assert found.loads
    assert found.message == ""
    assert found.max_difference < 1e-6
    assert 0 < found.ms_per_face < 1000


def test_altered_predictions_show(candidate: Candidate) -> None:
    record = pd.read_csv(candidate.predictions)
    record.loc[3, "p_fear"] += 0.25
    record.to_csv(candidate.predictions, index=False)

    found = candidate.check()

    assert found.loads
    assert found.max_difference == pytest.approx(0.25, abs=1e-3)


def test_a_missing_file_does_not_load_and_says_so(candidate: Candidate) -> None:
    candidate.model.unlink()

    found = candidate.check()

    assert not found.loads
    assert "candidate.onnx, found nothing" in found.message
    assert found.max_difference == 1
    assert math.isinf(found.ms_per_face)


def test_answers_to_other_faces_are_no_proof(candidate: Candidate) -> None:
    pd.read_csv(candidate.predictions).head(5).to_csv(candidate.predictions, index=False)

    # In this process: the other tests show that a process of its own tells its last words.
    with pytest.raises(SystemExit, match="expected 14 recorded answers, received 5"):
        fresh._look(candidate.model, candidate.faces, candidate.predictions)


def test_a_process_that_hangs_is_given_up(
    candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_TIMEOUT_SECONDS", 0)

    with pytest.raises(Interrupted, match="no answer in 0 s"):
        candidate.check()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_is_killed_says_nothing_of_the_file(
    candidate: Candidate, monkeypatch: pytest.MonkeyPatch, by: signal.Signals
) -> None:
    def killed(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(-by, command, "", "")

    monkeypatch.setattr(fresh.subprocess, "run", killed)

    with pytest.raises(Interrupted, match=f"killed .{by.name}"):
        candidate.check()
