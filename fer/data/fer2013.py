"""FER2013, with the labels of its authors or FER+'s votes, to a face table.

Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414: 35,887 grey faces of 48 x 48 pixels,
found by a search engine and cropped automatically.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import fer2013_layouts, ferplus, near_copies, table
from fer.data.fer2013_csv import Rows
from fer.records import Split

Labels = Literal["fer2013", "ferplus", "both"]

REASONS: Final = (
    *ferplus.LEFT_OUT, "blank", "conflicting", "copies_within_splits", "copies_across_splits",
)  # fmt: skip
"""Why a face is left out, in the order in which they are asked."""

# Standard deviation in grey levels. Plain grey squares have 0 and the flattest faces 4 or more.
_BLANK_BELOW: Final = 2.0

# Correlation above which two faces count as one picture; below, strangers' faces begin.
_NEAR_COPY: Final = 0.95

_STRICTEST_FIRST: Final[tuple[Split, ...]] = ("test", "validation", "train")


@dataclass(frozen=True)
class Loaded:
    """FER2013 as the pipeline takes it.

    Args:
        faces: A face table, with the columns of `records.FACES`, one row an id.
        counts: `rows` in the files, the faces left out for each of `REASONS`, and `faces`, what
            remains; the reasons and `faces` add up to `rows`.
    """

    faces: pd.DataFrame
    counts: dict[str, int]


def load(
    path: Path, *, labels: Labels, keep_copies: bool, validation_share: float = 0, seed: int = 0
) -> Loaded:
    """Return FER2013's faces from any of the layouts of `fer2013_layouts`.

    FER2013 holds some 1,850 exact copies, many on two sides of a split or with two labels, and
    pictures of nothing. In this order, and counted by reason:

    - with FER+'s labels, a face that most voters call contempt, unknown or no face is left out;
    - a blank picture is left out;
    - of copies within a split with one label, the first stays. With several labels none stays
      in train, since no one can tell which is right; in an evaluation split the first stays,
      since what it is measured on should change as little as can be;
    - of copies in several splits, one stays: the test face, else the validation face, so that
      nothing is measured on what was learnt.

    Args:
        path: A csv file, a zip or a folder.
        labels: "fer2013": its authors' labels; "ferplus": label and soft label from FER+'s
            votes; "both": the authors' labels, and the votes where any are for an emotion.
        keep_copies: Keep every training face that has a copy in another split. An id occurs
            once in a table, so it is the copy in the evaluation split that goes.
        validation_share: Part of Training that is validation instead, near-copies together;
            PublicTest then is test, as PrivateTest is. 0: PublicTest is validation.
        seed: Decides which part.

    Raises:
        DataError: Nothing is there, or what is there is not FER2013.
    """
    found = fer2013_layouts.read(path, votes=labels != "fer2013")
    verdicts = ferplus.judge(found.ballots) if found.ballots else None
    names = verdicts.labels if verdicts and labels == "ferplus" else found.rows.labels
    ids = [table.face_id(face) for face in found.rows.pixels]
    splits = found.rows.splits
    if validation_share:
        splits = _split_anew(found.rows, validation_share, seed)
    rows = dataclasses.replace(found.rows, splits=splits)
    order = _STRICTEST_FIRST[::-1] if keep_copies else _STRICTEST_FIRST
    reasons = _reasons(rows, names, ids, order)
    kept = [row for row, reason in enumerate(reasons) if reason is None]
    faces = _face_table(rows, names, ids, kept, verdicts.shares if verdicts else None)
    counted = Counter(reasons)
    counts = {"rows": len(ids), **{reason: counted[reason] for reason in REASONS}}
    return Loaded(faces, counts | {"faces": len(kept)})


def _split_anew(rows: Rows, share: float, seed: int) -> list[Split]:
    """Take validation from train, near-copies together; what was validation is test."""
    splits = np.array(rows.splits)
    learnt = np.flatnonzero(splits == "train")
    prints = near_copies.fingerprints(rows.pixels[learnt])
    cluster = near_copies.clusters(prints, _NEAR_COPY)
    names, sizes = np.unique(cluster, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    held = names[order][np.cumsum(sizes[order]) <= share * len(learnt)]
    splits[splits == "validation"] = "test"
    splits[learnt[np.isin(cluster, held)]] = "validation"
    return list(splits)


def _reasons(
    rows: Rows, labels: Sequence[str], ids: Sequence[str], order: Sequence[Split]
) -> list[str | None]:
    """Return for each row why it is left out, or None where it stays.

    Args:
        rows: n faces.
        labels: n labels, of `EMOTIONS` or `ferplus.LEFT_OUT`.
        ids: n names of faces.
        order: The splits; a face in several stays in the first of them.
    """
    reasons: list[str | None] = [
        label if label in ferplus.LEFT_OUT else "blank" if _is_blank(face) else None
        for face, label in zip(rows.pixels, labels, strict=True)
    ]
    copies: dict[tuple[Split, str], list[int]] = {}
    for row, reason in enumerate(reasons):
        if reason is None:
            copies.setdefault((rows.splits[row], ids[row]), []).append(row)
    taken: set[str] = set()
    for split, face in sorted(copies, key=lambda key: order.index(key[0])):
        first, *others = copies[split, face]
        conflicting = len({labels[row] for row in (first, *others)}) > 1
        _mark(reasons, others, "conflicting" if conflicting else "copies_within_splits")
        if conflicting and split == "train":
            reasons[first] = "conflicting"
        elif face in taken:
            reasons[first] = "copies_across_splits"
        else:
            taken.add(face)
    return reasons


def _mark(reasons: list[str | None], rows: Iterable[int], reason: str) -> None:
    for row in rows:
        reasons[row] = reason


def _is_blank(face: table.Pixels) -> bool:
    return bool(cv2.meanStdDev(face)[1].item() < _BLANK_BELOW)


def _face_table(
    rows: Rows,
    labels: Sequence[str],
    ids: Sequence[str],
    kept: Sequence[int],
    shares: NDArray[np.float32] | None,
) -> pd.DataFrame:
    return table.frame(
        {
            "id": ids[row],
            "image": image,
            "label": labels[row],
            "votes": None if shares is None or not shares[row].any() else shares[row],
            "source": "fer2013",
            "domain": "fer2013",
            "label_source": "human",
            "split": rows.splits[row],
        }
        for row, image in zip(kept, table.encode(rows.pixels[np.asarray(kept, int)]), strict=True)
    )
