"""Pictures of how a model does, as PNG files."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fer.emotions import EMOTIONS
from fer.evaluation import metrics
from fer.evaluation.answers import Probabilities, Truth
from fer.evaluation.metrics import BINS
from fer.evaluation.scores import Scores
from fer.files import replacing

_BLUE: Final = "#1f6fb2"
_ORANGE: Final = "#e07a1f"
_GREY: Final = "#8a8f98"
_COLUMNS: Final = 6
_DOTS_PER_INCH: Final = 130
_DARK: Final = 0.5


def confusion(scores: Scores, path: Path) -> None:
    """Draw what each emotion was taken for, in percent of its rows, with the number of faces."""
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    axes = figure.subplots()
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        _cell(axes, (row, column), count=int(count), share=shares[row, column])
    names = [
        f"{emotion}\n{int(rows)} faces"
        for emotion, rows in zip(EMOTIONS, counts.sum(axis=1), strict=True)
    ]
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    axes.set_yticks(range(len(EMOTIONS)), names)
    axes.set(xlabel="answered", ylabel="true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"{scores.accuracy:.1%} of {scores.rows} faces correct, macro-F1 {scores.macro_f1:.1%}"
    )
    _save(figure, path)


def reliability(truth: Truth, probabilities: Probabilities, path: Path) -> None:
    """Draw how often the model is right against how sure it is; on the diagonal it knows."""
    bins = metrics.reliability(truth, probabilities)
    error = metrics.scores(truth, probabilities).calibration_error
    figure = Figure(figsize=(6, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    used = bins.count > 0
    sure, right = bins.confidence[used], bins.accuracy[used]
    upper.plot([0, 1], [0, 1], "--", color=_GREY, label="as right as sure")
    upper.vlines(sure, sure, right, color=_ORANGE, linewidth=5, label="error")
    upper.plot(sure, right, "o-", color=_BLUE, label="the model")
    upper.set(ylabel="share correct", xlim=(0, 1), ylim=(0, 1.02))
    upper.set_title(f"Calibration error {error:.1%} over {len(truth)} faces")
    upper.legend(loc="upper left", frameon=False)
    lower.bar((np.arange(BINS) + 0.5) / BINS, bins.count, width=0.9 / BINS, color=_GREY)
    lower.set(xlabel="how sure the model is", ylabel="faces")
    _tidy(upper, lower)
    _save(figure, path)


def history(history: pd.DataFrame, path: Path) -> None:
    """Draw a training: loss, accuracy and learning rate.

    Args:
        history: One row an epoch; columns `epoch`, `loss`, `accuracy`, `monitor_loss`,
            `monitor_accuracy`, `learning_rate`. Accuracies are 0-1.
        path: PNG to write.
    """
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    panels = figure.subplot_mosaic(
        [["loss", "accuracy"], ["learning_rate", "learning_rate"]], height_ratios=(3, 1)
    )
    for name in ("loss", "accuracy"):
        _curves(panels[name], history, name)
    epochs, accuracy = history["epoch"].to_numpy(), history["monitor_accuracy"].to_numpy()
    best = accuracy.argmax()
    panels["accuracy"].plot(epochs[best], accuracy[best], "o", color=_ORANGE)
    panels["accuracy"].set_title(
        f"Best on held-out faces: {accuracy[best]:.1%} in epoch {epochs[best]}"
    )
    panels["learning_rate"].plot(history["epoch"], history["learning_rate"], color=_GREY)
    panels["learning_rate"].set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
    _tidy(*panels.values())
    _save(figure, path)


def worst_mistakes(
    faces: NDArray[np.uint8],
    truth: Truth,
    probabilities: Probabilities,
    path: Path,
    *,
    count: int = 24,
) -> None:
    """Draw the mistakes the model was surest of: bad labels and blind spots show first.

    Args:
        faces: Grey, shape `(n, 48, 48)`, values 0-255.
        truth: Labels of the faces.
        probabilities: What the model answers to them.
        path: PNG to write.
        count: Faces to show at most.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    confidence = probabilities.max(axis=1)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    lines = max(1, -(-len(shown) // _COLUMNS))
    figure = Figure(figsize=(1.6 * _COLUMNS, 2.0 * lines + 0.5))
    figure.suptitle(f"{len(wrong)} of {len(truth)} faces wrong; the surest mistakes first")
    # One picture of all: axes for each face take four times as long.
    axes = figure.add_axes((0, 0, 1, 2.0 * lines / (2.0 * lines + 0.5)))
    axes.set_axis_off()
    for place, row in enumerate(shown):
        left, top = 1.6 * (place % _COLUMNS) + 0.1, 2.0 * (place // _COLUMNS) + 0.5
        extent = (left, left + 1.4, top + 1.4, top)
        axes.imshow(faces[row], cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
        said = f"{EMOTIONS[truth[row]]}\n→ {EMOTIONS[predicted[row]]} {confidence[row]:.0%}"
        axes.text(left + 0.7, top - 0.06, said, ha="center", va="bottom", fontsize=9)
    # Each picture sets the limits to its own.
    axes.set(xlim=(0, 1.6 * _COLUMNS), ylim=(2.0 * lines, 0))
    _save(figure, path)


def _cell(axes: Axes, at: tuple[int, int], *, count: int, share: float) -> None:
    row, column = at
    text = f"{share:.0%}\n{count}" if count else "·"
    axes.text(
        column, row, text, ha="center", va="center", fontsize=9,
        color="white" if share > _DARK else "black",
    )  # fmt: skip


def _curves(axes: Axes, history: pd.DataFrame, name: str) -> None:
    axes.plot(history["epoch"], history[name], color=_BLUE, label="training faces")
    axes.plot(history["epoch"], history[f"monitor_{name}"], color=_ORANGE, label="held-out faces")
    axes.set(xlabel="epoch", ylabel=name)
    axes.legend(loc="best", frameon=False)


def _tidy(*every: Axes) -> None:
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as temporary:
        # Without the version of matplotlib, equal pictures are equal files.
        figure.savefig(temporary, dpi=_DOTS_PER_INCH, metadata={"Software": None})
