"""Which side of the train / validation split a face is on, fixed at first sight.

Faces of one group (a person; else a session; else a cluster of near-copies) stay together.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import near_copies
from fer.data.table import Pixels

GroupBy = Literal["subject", "session"]


def groups(faces: pd.DataFrame, pixels: Pixels, *, by: GroupBy, near_copy: float) -> pd.Series:
    """Return the group of each face, as a name.

    Args:
        faces: Face table, n rows.
        pixels: Their pixels, shape `(n, 48, 48)`.
        by: What keeps faces together first.
        near_copy: Correlation above which two faces without subject and session are one group.
    """
    subject = "subject:" + faces["subject"].astype("str")
    session = "session:" + faces["domain"].astype("str") + "/" + faces["session"].astype("str")
    ordered = [("subject", subject), ("session", session)]
    group = _clusters(faces, pixels, near_copy)
    # The last one written wins, so the preferred one comes last.
    for column, name in ordered if by == "session" else reversed(ordered):
        group = name.where(faces[column].notna(), group)
    return group


def _clusters(faces: pd.DataFrame, pixels: Pixels, near_copy: float) -> pd.Series:
    alone = (faces["subject"].isna() & faces["session"].isna()).to_numpy()
    names = faces["id"].astype("str")
    if alone.any():
        numbers = near_copies.clusters(near_copies.fingerprints(pixels[alone]), near_copy)
        # A cluster is named by its first face.
        firsts = names[alone].groupby(numbers).transform("min")
        names = names.where(~alone, firsts.reindex(names.index))
    return "face:" + names


def assign(
    group: pd.Series, sides: Mapping[str, str], known: pd.Series, *, share: float
) -> pd.Series:
    """Return "train" or "validation" for each face of one domain.

    Groups seen before keep their side. The others are taken in the order of their hash, and go
    to validation as long as that brings its share nearer to `share`. As soon as there are two
    groups, each side has one.

    Args:
        group: Group of each new face.
        sides: Side of every group seen before, in any domain.
        known: Splits of the faces that the domain has already.
        share: Wanted part of the domain's faces in validation.
    """
    settled = group.map(sides)
    validation = (known == "validation").sum() + (settled == "validation").sum()
    missing = share * (len(known) + len(group)) - validation
    fresh: dict[str, str] = {}
    sizes = group[settled.isna()].value_counts()
    for name in sorted(sizes.index, key=_order):
        fresh[name] = "validation" if sizes[name] < 2 * missing else "train"
        missing -= sizes[name] * (fresh[name] == "validation")
    present = {*known, *settled.dropna(), *fresh.values()}
    one_sided = len(present) == 1 and (len(fresh) > 1 or len(known) + settled.notna().sum() > 0)
    if 0 < share < 1 and fresh and one_sided:
        smallest = min(fresh, key=lambda name: (sizes[name], _order(name)))
        fresh[smallest] = "train" if "validation" in present else "validation"
    return group.map({**sides, **fresh})


def _order(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()


def torn(
    pixels: Pixels,
    split: NDArray[np.str_],
    known_pixels: Pixels,
    known_split: NDArray[np.str_],
    near_copy: float,
) -> NDArray[np.bool_]:
    """Return which new faces have to leave because a near-copy is on the other side.

    Args:
        pixels: New faces, shape `(n, 48, 48)`.
        split: Their sides, shape `(n,)`.
        known_pixels: Faces ingested before, shape `(m, 48, 48)`.
        known_split: Their sides, shape `(m,)`.
        near_copy: Correlation above which two faces are the same picture.

    Returns:
        Shape `(n,)`. Of two new faces, the one in training leaves: validation is scarcer.
    """
    new, old = near_copies.fingerprints(pixels), near_copies.fingerprints(known_pixels)
    leaving = np.zeros(len(new), bool)
    for side in np.unique(split):
        here = split == side
        across = old[known_split != side]
        if side == "train":
            across = np.concatenate([across, new[~here]])
        leaving[here] = near_copies.nearest(new[here], across, near_copy) >= 0
    return leaving
