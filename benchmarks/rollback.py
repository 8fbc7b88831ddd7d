"""How often votes take the place of a champion that is as good, and of one that is not.

    python -m benchmarks.rollback [--draws N] [--disputed SHARE]

Draws which labelled faces a champion and the version before read rightly, of persons with an
emotion each, and looks after every face. Three rules decide:

- ours: the votes of `fer models feedback`, at `feedback.false_rollbacks`;
- looked at daily: the sign test of the same votes, as if each look were the only one;
- on corrections: ours, on faces that people label four times as often where they see that the
  champion is wrong.

Required: of champions that are as good, ours gives back at most `feedback.false_rollbacks`, but
for what so many draws leave to luck.
"""

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import binom

from benchmarks.gate import DISPUTED, draw, limit
from fer import params
from fer.evaluation.feedback import Tally

REPOSITORY: Final = Path(__file__).parents[1]

FACES: Final = 3000
"""That people label blind before the champion is another one anyway, one vote each at most."""

LOSSES: Final = (0.0, 0.02, 0.05, 0.1, 0.2)
"""True loss of accuracy since the version before; 0 is A/A."""

CORRECTED: Final = 4
"""How much more often people label a face that they see misread."""

Votes = NDArray[np.bool_]
"""Whether each vote is for the version before, in the order they come, shape `(n,)`."""


def votes(
    loss: float, disputed: float, rng: np.random.Generator, *, chosen: bool
) -> tuple[Votes, NDArray[np.int64]]:
    """Return the votes, and how many faces were labelled until each.

    Args:
        loss: True loss of the champion.
        disputed: Share of the faces that one of two equal models reads rightly and the other not.
        rng: Draws.
        chosen: Whether people label what is misread more often.
    """
    before, champion = draw(FACES, loss, disputed, rng)
    if chosen:
        labelled = ~champion | (rng.random(FACES) < 1 / CORRECTED)
        before, champion = before[labelled], champion[labelled]
    places = np.flatnonzero(before != champion)
    return before[places], places + 1


@cache
def _decided(rule: str, champion: int, rival: int, chance: float) -> bool:
    if rule == "looked at daily":
        return bool(binom.sf(rival - 1, champion + rival, 0.5) <= chance)
    return Tally(champion=champion, rival=rival).evidence * chance >= 1


def first_told(rule: str, cast: Votes, faces: NDArray[np.int64], chance: float) -> int | None:
    """Return how many faces were labelled when `rule` gave the place back; None: it never did."""
    for vote, rival in enumerate(np.cumsum(cast), 1):
        if _decided(rule, vote - int(rival), int(rival), chance):
            return int(faces[vote - 1])
    return None


def _in_words(found: list[int | None]) -> str:
    hit = [one for one in found if one is not None]
    if not hit:
        return "0.0%"
    middle, late = np.quantile(hit, (0.5, 0.9), method="inverted_cdf")
    return f"{len(hit) / len(found):.1%} ({middle:,}, {late:,})"


def main() -> int:
    """Print a line a loss; return 1 if too many good champions lose their place."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1000, help="pairs of models a line")
    parser.add_argument("--disputed", type=float, default=DISPUTED, help="share of the faces")
    asked = parser.parse_args()
    chance = params.load(REPOSITORY / "params.yaml").feedback.false_rollbacks or 0.05
    shown = Table(title=f"Rolled back within {FACES:,} faces (after so many: median, 9 of 10)")
    rules = ("ours", "looked at daily", "on corrections")
    for head in ("true loss", *rules):
        shown.add_column(head, justify="right")
    equal = 0.0
    for loss in LOSSES:
        found: dict[str, list[int | None]] = {rule: [] for rule in rules}
        rng = np.random.default_rng(round(1e4 * loss))
        for _ in range(asked.draws):
            for rule in rules:
                drawn = votes(loss, asked.disputed, rng, chosen=rule == "on corrections")
                found[rule].append(first_told(rule, *drawn, chance))
        if not loss:
            equal = sum(one is not None for one in found["ours"]) / asked.draws
        name = f"{100 * loss:g} points" if loss else "none (A/A)"
        shown.add_row(name, *(_in_words(found[rule]) for rule in rules))
    Console(width=99).print(shown)
    most = limit(chance, asked.draws)
    print(f"required of champions that are as good: at most {most:.1%}")
    return int(equal > most)


if __name__ == "__main__":
    sys.exit(main())
