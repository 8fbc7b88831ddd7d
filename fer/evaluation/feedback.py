"""Feedback: does another version read better than the champion what people have labelled since?

Only faces that were labelled blind count. People correct what they see misread: among such faces
the champion is wrong by choice, and any other version would seem better.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import beta

_FAIR: Final = 0.5
"""Chance that a rival which is as good as the champion gets a vote."""


@dataclass(frozen=True)
class Tally:
    """The votes for two versions.

    Args:
        faces: That both have answered.
        champion: Votes for the champion.
        rival: Votes for the other one.
    """

    faces: int = 0
    champion: int = 0
    rival: int = 0

    @property
    def evidence(self) -> float:
        """Likelihood of the votes if the rival is better, over the one if both are as good; 0 up.

        Where the champion is as good or better it reaches `1 / chance` with that chance at most,
        however often one looks and whenever one stops: it is what a fair bet of 1 would have
        become (Ville 1939, Etude critique de la notion de collectif). "Better" spreads the chance
        of a vote evenly over 1/2 to 1 (Robbins 1970, Statistical Methods Related to the Law of
        the Iterated Logarithm, has such mixtures), so votes may come in any order.
        """
        wins, losses = self.rival + 1, self.champion + 1
        spread = (wins + losses - 1) * math.log(2) + betaln(wins, losses)
        return math.exp(spread + float(beta.logsf(_FAIR, wins, losses)))


def tally(
    group: pd.Series,
    labels: pd.Series,
    champion: NDArray[np.bool_],
    rival: NDArray[np.bool_],
) -> Tally:
    """Count the votes: of each person and emotion the first face that the two read differently.

    Ten pictures of one smile are no ten proofs, and a vote that was cast stays.

    Args:
        group: Person, session or picture of each face, oldest face first; see `splits.groups`.
        labels: What the faces show.
        champion: Which of them the champion reads rightly, shape `(n,)`.
        rival: Likewise.
    """
    votes = pd.DataFrame({"group": group, "label": labels, "rival": rival})[champion != rival]
    first = votes.drop_duplicates(["group", "label"])["rival"]
    return Tally(len(group), int((~first).sum()), int(first.sum()))
