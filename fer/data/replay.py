"""Rehearsal: which of the faces that the parent knows are shown to it again."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def choose(faces: pd.DataFrame, cap: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return positions of at most `cap` faces, each domain by the square root of its size.

    Between even shares, which leave the base less with every camera, and shares as they come,
    which drown a camera's few hundred faces in the base's thousands: languages of unequal size
    are sampled so (Conneau et al. 2020, "Unsupervised Cross-lingual Representation Learning at
    Scale"). What a small domain cannot fill goes to the larger ones. Emotions are drawn as they
    come: their mix in a domain is part of what the parent knows, and an even one unteaches it.

    Args:
        faces: Face table.
        cap: Most faces to choose.
        rng: Source of the draw.
    """
    if len(faces) <= cap:
        return np.arange(len(faces))
    shuffled = rng.permutation(len(faces))
    drawn = faces.iloc[shuffled].groupby("domain")["domain"]
    # The k-th face of a domain comes when each has had its share of k.
    turn = (drawn.cumcount() + 1) / np.sqrt(drawn.transform("size"))
    return np.sort(shuffled[np.argsort(turn.to_numpy(), kind="stable")[:cap]])
