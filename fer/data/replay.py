"""Rehearsal: which of the faces that the parent knows are shown to it again."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def choose(faces: pd.DataFrame, cap: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return positions of at most `cap` faces, even over domains.

    What a small domain cannot fill goes to the larger ones. This is greedy balancing (Prabhu et
    al. 2020, "GDumb") of domains, not of emotions: their mix in a domain is part of what the
    parent knows, and few faces of an even mix would unteach it.

    Args:
        faces: Face table.
        cap: Most faces to choose.
        rng: Source of the draw.
    """
    if len(faces) <= cap:
        return np.arange(len(faces))
    shuffled = rng.permutation(len(faces))
    # Turn k takes the k-th face of every domain; ties between them fall as they were shuffled.
    turn = faces.iloc[shuffled].groupby("domain").cumcount().to_numpy()
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:cap]])
