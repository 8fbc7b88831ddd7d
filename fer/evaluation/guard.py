"""The guard: sessions and people whose labels contradict the champion far more than chance.

A champion errs, and more on some emotions and cameras than on others. What it gets wrong in a
session is held against a binomial test with the error that it has anyway. One labeller who is
wrong throughout stands out; a face mislabelled here and there does not: see `doubts` for those.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtrc

from fer.data import near_copies
from fer.data.review import HELD_BACK
from fer.data.table import Pixels
from fer.emotions import EMOTIONS
from fer.evaluation.domains import FULL_WEIGHT_ROWS


def contradicting(
    faces: pd.DataFrame,
    counted: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    expected: NDArray[np.float64],
    chance: float,
) -> pd.Series:
    """Return a reason for each face of a group that is to be held back, else an empty text.

    Args:
        faces: Face table, n rows.
        counted: Which of them count, shape `(n,)`; see `distinct`.
        wrong: Whether the champion's answer is not the label, shape `(n,)`.
        expected: How probable that is, were the label right, shape `(n,)`; see `expected_errors`.
        chance: How probable one group too many may be, over all groups (Bonferroni).
    """
    reason = pd.Series("", index=faces.index)
    groups = list(_groups(faces))
    for name, rows in groups:
        seen = rows & counted
        count, n, mean = int(wrong[seen].sum()), int(seen.sum()), expected[seen].sum()
        # Of trials that differ, the sum varies less than that of as many at their mean (Hoeffding
        # 1956), so this errs towards letting in.
        if n and bdtrc(count - 1, n, mean / n) * len(groups) < chance:
            reason[rows] = (
                f"{HELD_BACK}{name}: {count} of {n} labels contradict the champion, "
                f"{mean:.0f} would be usual"
            )
    return reason


def expected_errors(
    faces: pd.DataFrame, judged: pd.DataFrame, wrong: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how probably the champion errs on each face if its label is right, shape `(n,)`.

    It is the larger of what it errs on validation faces of the label and on those of the domain.
    A domain with few of them may be a new camera, before which a champion can be as bad as
    guessing: nothing less is expected of it.

    Args:
        faces: Face table, n rows.
        judged: Validation faces.
        wrong: Whether the champion's answer is not the label of each, shape `(len(judged),)`.
    """
    by_label = _errors(judged["label"], wrong)
    by_domain = _errors(judged["domain"], wrong)[
        judged["domain"].value_counts() >= FULL_WEIGHT_ROWS
    ]
    guessing = 1 - 1 / len(EMOTIONS)
    usual = faces["label"].map(by_label).fillna(guessing)
    here = faces["domain"].map(by_domain).fillna(guessing)
    expected: NDArray[np.float64] = np.fmax(usual.to_numpy(float), here.to_numpy(float))
    return expected


def distinct(pixels: Pixels, near_copy: float) -> NDArray[np.bool_]:
    """Return which faces to count: the first of each cluster of near-copies, shape `(n,)`.

    A burst of pictures of one moment is one observation.
    """
    numbers = near_copies.clusters(near_copies.fingerprints(pixels), near_copy)
    counted = np.zeros(len(pixels), bool)
    counted[np.unique(numbers, return_index=True)[1]] = True
    return counted


def _errors(names: pd.Series, wrong: NDArray[np.bool_]) -> pd.Series:
    """Share of wrong answers by name, as if one more of each kind had been seen (Laplace)."""
    found = pd.Series(wrong, names.index).groupby(names)
    return (found.sum() + 1) / (found.count() + 2)


def _groups(faces: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each session, and each person of several sessions, with their rows."""
    session = faces["domain"] + "/" + faces["session"]
    for name, rows in faces.groupby(session).groups.items():
        yield f"session {faces['session'][rows[0]]}", (session == name).to_numpy(bool)
    for name, sessions in session.groupby(faces["subject"]).nunique(dropna=False).items():
        if sessions > 1 or session[faces["subject"] == name].isna().any():
            yield f"person {name}", (faces["subject"] == name).to_numpy(bool)
