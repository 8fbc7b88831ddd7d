"""Rehearsal: which of the faces that the parent knows are shown to it again."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def choose(faces: pd.DataFrame, cap: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return positions of at most `cap` faces, even over domains and emotions.

    Every domain gets an equal part, every emotion an equal part of its domain's; what a small
    cell cannot fill goes to the larger ones. This is greedy class balancing (Prabhu et al. 2020,
    "GDumb") with the domain as a second axis.

    Args:
        faces: Face table.
        cap: Most faces to choose.
        rng: Source of the draw.
    """
    if len(faces) <= cap:
        return np.arange(len(faces))
    shuffled = rng.permutation(len(faces))
    cells = faces[["domain", "label"]].iloc[shuffled]
    # Turn k takes the k-th face of every cell; ties between cells fall as they were shuffled.
    turn = cells.groupby(["domain", "label"]).cumcount().to_numpy()
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:cap]])
