"""How often the gate promotes models that are equal, and finds models that are better.

    python -m benchmarks.gate [--draws N] [--disputed SHARE]

Draws the answers of a champion and a candidate of known accuracy, and lets three rules decide:

- the gate: all its conditions, with the settings of params.yaml, and its first one alone
  ("better on the whole"), which has to be sure;
- greater: both answer the same faces, and the candidate has the higher accuracy;
- stored: the candidate's accuracy against the score that the champion once had on as many other
  faces.

Required: of equal models, the gate promotes at most `1 - promote.confidence`, but for what so many
draws leave to luck.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fer import params
from fer.emotions import EMOTIONS
from fer.evaluation.answers import Probabilities, Truth
from fer.evaluation.compare import compare
from fer.evaluation.fresh import FreshCheck
from fer.evaluation.gate import Evidence, decide
from fer.params import PromoteParams

REPOSITORY: Final = Path(__file__).parents[1]

ROWS: Final = (300, 1000, 3500)
"""Validation faces."""

GAINS: Final = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05)
"""True gains in accuracy; 0 is A/A."""

ACCURACY: Final = 0.65
"""Of the champion: of a model of FER2013's."""

DISPUTED: Final = 0.123
"""Share of the faces that one of two equal models answers correctly and the other does not.

Measured on two champions trained on FER2013; see docs/experiments.md.
"""

MIX: Final = np.array([0.13, 0.02, 0.14, 0.25, 0.18, 0.11, 0.17])
"""Of labels, about FER2013's."""

FRESH: Final = FreshCheck(loads=True, max_difference=0.0, ms_per_face=1.0, message="")

Correct = NDArray[np.bool_]


def draw(
    rows: int, gain: float, disputed: float, rng: np.random.Generator
) -> tuple[Correct, Correct]:
    """Return which faces a candidate and a champion answer correctly, each shape `(rows,)`."""
    disputed = max(disputed, gain)
    won, lost = (disputed + gain) / 2, (disputed - gain) / 2
    chances = [won, lost, ACCURACY - lost, 1 - ACCURACY - won]
    kind = rng.choice(4, size=rows, p=chances)
    return np.isin(kind, (0, 2)), np.isin(kind, (1, 2))


def answered(truth: Truth, correct: Correct, rng: np.random.Generator) -> Probabilities:
    """Return sure answers that are right where `correct`, and any other emotion elsewhere."""
    other = (truth + rng.integers(1, len(EMOTIONS), len(truth))) % len(EMOTIONS)
    return np.eye(len(EMOTIONS), dtype=np.float32)[np.where(correct, truth, other)]


def promoted(
    rows: int, gain: float, disputed: float, judged: PromoteParams, rng: np.random.Generator
) -> dict[str, bool]:
    """Return what each rule decides on one pair of models."""
    candidate, champion = draw(rows, gain, disputed, rng)
    stored = rng.binomial(rows, ACCURACY)
    domains = np.full(rows, "base")
    found = compare(
        candidate, champion, domains,
        confidence=judged.confidence, resamples=judged.resamples, seed=judged.seed,
    )  # fmt: skip
    sure = found.difference > 0 and found.lower_bound > 0
    whole = sure
    if sure:
        truth = rng.choice(len(EMOTIONS), size=rows, p=MIX / MIX.sum())
        evidence = Evidence(
            truth,
            domains,
            answered(truth, candidate, rng),
            answered(truth, champion, rng),
            FRESH,
            data_accepted=True,
        )
        whole = decide(evidence, judged).promote
    return {
        "gate": whole,
        "sure": sure,
        "greater": bool(candidate.sum() > champion.sum()),
        "stored": bool(candidate.sum() > stored),
    }


def shares(
    rows: int, gain: float, disputed: float, draws: int, judged: PromoteParams
) -> dict[str, float]:
    """Return how often each rule promotes, 0-1."""
    rng = np.random.default_rng([rows, round(1e4 * gain)])
    told = [promoted(rows, gain, disputed, judged, rng) for _ in range(draws)]
    return {rule: sum(each[rule] for each in told) / draws for rule in told[0]}


def limit(alpha: float, draws: int) -> float:
    """Return the largest share that a rule of true share `alpha` shows but once in a thousand."""
    return alpha + 3.09 * math.sqrt(alpha * (1 - alpha) / draws)


def main() -> int:
    """Print a line a case; return 1 if too many equal models are promoted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=2000, help="pairs of models a case")
    parser.add_argument("--disputed", type=float, default=DISPUTED, help="share of the faces")
    asked = parser.parse_args()
    judged = params.load(REPOSITORY / "params.yaml").promote
    most = limit(1 - judged.confidence, asked.draws)
    missed = 0
    shown = Table(
        title=f"Promoted, {asked.draws} pairs a line, {asked.disputed:.1%} of the faces disputed"
    )
    for head in ("faces", "true gain", "gate", "its first condition", "greater", "stored score"):
        shown.add_column(head, justify="right")
    for rows in ROWS:
        for gain in GAINS:
            found = shares(rows, gain, asked.disputed, asked.draws, judged)
            cells = (f"{found[rule]:.1%}" for rule in ("gate", "sure", "greater", "stored"))
            shown.add_row(
                f"{rows:,}", f"{100 * gain:+.1f} points" if gain else "none (A/A)", *cells,
                end_section=gain == GAINS[-1],
            )  # fmt: skip
            missed |= gain == 0 and found["sure"] > most
    Console(width=99).print(shown)
    print(f"required of equal models: at most {most:.1%}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
