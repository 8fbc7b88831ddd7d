"""What learning a stream came to, in the measures that are usual, and their drawing.

R[t, i] is the accuracy on domain i after update t, domain 0 the base, update 0 none. Backward
transfer is the mean of R[t, i] - R[i, i] over i < t, forgetting is its negative, forward transfer
is the mean of R[i-1, i] - R[0, i] over i > 1, what other lessons gave before the own one
(Lopez-Paz & Ranzato 2017, Gradient Episodic Memory). Avalanche's `StreamForgetting`, `StreamBWT`
and `StreamForwardTransfer` say the same of a learner that is handed the base model: forgetting is
the fall from just after the own lesson, not from the best ever, and R[0] is before any lesson.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Accuracy = NDArray[np.float64]
"""R, shape `(updates + 1, domains)`, 0-1."""


@dataclass(frozen=True)
class Measures:
    """What `update` updates came to; parts of 1, NaN where there is nothing to compare yet.

    Args:
        average: Mean accuracy on all domains, those to come too.
        average_seen: Mean accuracy on the base and the domains learnt.
        base: Accuracy on the base.
        backward: Backward transfer.
        forgetting: Its negative.
        base_forgetting: How far the base has fallen since before the first update.
        forward: Forward transfer.
    """

    average: float
    average_seen: float
    base: float
    backward: float
    forgetting: float
    base_forgetting: float
    forward: float


def measures(accuracy: Accuracy, update: int) -> Measures:
    """Return the measures after `update`, 0 being the base model."""
    now, domains = accuracy[update], accuracy.shape[1]
    own = accuracy.diagonal()[:update]
    backward = _mean(now[:update] - own)
    ahead = range(2, min(update + 2, domains))
    return Measures(
        average=float(now.mean()),
        average_seen=float(now[: update + 1].mean()),
        base=float(now[0]),
        backward=backward,
        forgetting=-backward,
        base_forgetting=float(accuracy[0, 0] - now[0]),
        forward=_mean([accuracy[i - 1, i] - accuracy[0, i] for i in ahead]),
    )


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def gains(accuracy: Accuracy, bound: Accuracy) -> NDArray[np.float64]:
    """Return which part of the gain of `bound` each domain but the base has in the end."""
    whole = (bound[-1] - bound[0])[1:]
    # Where nothing can be gained, there is no part of it.
    return np.divide(
        (accuracy[-1] - accuracy[0])[1:], whole, out=np.full_like(whole, np.nan), where=whole > 0
    )


def plot(runs: dict[str, Accuracy], names: Sequence[str], path: Path) -> None:
    """Draw a panel a domain, and one of their mean: accuracy after every update, by way.

    Args:
        runs: R of each way; one of a single update is drawn as a line across.
        names: Of the domains.
        path: PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6.4), layout="constrained")
    panels = figure.subplots(2, 4, sharex=True, sharey=True).ravel()
    for place, (panel, name) in enumerate(zip(panels, [*names, "mean"], strict=True)):
        for number, (way, accuracy) in enumerate(runs.items()):
            told = 100 * (accuracy.mean(axis=1) if name == "mean" else accuracy[:, place])
            if len(told) == len(names):
                panel.plot(told, "o-", markersize=3, color=f"C{number}", label=way)
            else:
                panel.axhline(told[-1], linestyle="--", color=f"C{number}", label=way)
        if 0 < place < len(names):
            panel.axvline(place, color="0.8", linewidth=6, zorder=0)
        panel.set_title(name)
        panel.grid(alpha=0.3)
        panel.set_xticks(range(len(names)), names, rotation=90)
    for panel in (panels[0], panels[4]):
        panel.set_ylabel("% right")
    panels[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
