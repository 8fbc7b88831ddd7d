"""Pictures are whole, show what they should, and come out the same each time."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer.evaluation import answers, metrics, plots

ROWS = 60
GENERATOR = np.random.default_rng(2)
TRUTH = GENERATOR.integers(0, 7, ROWS)
PROBABILITIES = GENERATOR.dirichlet(np.full(7, 0.4), ROWS).astype(np.float32)
FACES = GENERATOR.integers(0, 256, (ROWS, 48, 48), dtype=np.uint8)
HISTORY = pd.DataFrame({
    "epoch": [1, 2, 3],
    "loss": [2.0, 1.5, 1.2],
    "accuracy": [0.2, 0.4, 0.5],
    "monitor_loss": [1.9, 1.6, 1.7],
    "monitor_accuracy": [0.25, 0.4, 0.35],
    "learning_rate": [1e-3, 5e-4, 1e-4],
})  # fmt: skip
DRAW: dict[str, Callable[[Path], None]] = {
    "confusion": lambda path: plots.confusion(metrics.scores(TRUTH, PROBABILITIES), path),
    "reliability": lambda path: plots.reliability(TRUTH, PROBABILITIES, path),
    "history": lambda path: plots.history(HISTORY, path),
    "worst_mistakes": lambda path: plots.worst_mistakes(FACES, TRUTH, PROBABILITIES, path),
}


def grey(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("name", DRAW)
def test_same_input_gives_the_same_legible_file(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / "reports" / "a.png", tmp_path / "b.png"

    DRAW[name](first)
    DRAW[name](second)

    assert first.read_bytes() == second.read_bytes()
    assert min(grey(first).shape) >= 500


def test_one_epoch_is_a_history(tmp_path: Path) -> None:
    plots.history(HISTORY.head(1), tmp_path / "history.png")

    assert (tmp_path / "history.png").is_file()


def drawn_mistakes(
    path: Path, faces: NDArray[np.uint8], probabilities: answers.Probabilities
) -> float:
    """Return the share of pure black in the picture."""
    plots.worst_mistakes(faces, TRUTH, probabilities, path, count=6)
    return float(np.mean(grey(path) == 0))


def test_the_surest_mistakes_are_the_ones_shown(tmp_path: Path) -> None:
    wrong = PROBABILITIES.argmax(axis=1) != TRUTH
    surest = np.argsort(np.where(wrong, -PROBABILITIES.max(axis=1), 1))[:6]
    black_if_sure = np.full_like(FACES, 255)
    black_if_sure[surest] = 0

    assert drawn_mistakes(tmp_path / "mistakes.png", black_if_sure, PROBABILITIES) > 0.4


def test_a_perfect_model_has_no_mistakes_to_show(tmp_path: Path) -> None:
    perfect = np.eye(7, dtype=np.float32)[TRUTH]

    assert drawn_mistakes(tmp_path / "mistakes.png", np.zeros_like(FACES), perfect) < 0.05
