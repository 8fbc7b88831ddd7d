"""FER+, ten people's votes on each face of FER2013, to labels.

Source of the file and the rules: Barsoum et al. 2016, https://arxiv.org/abs/1608.01041, and
https://github.com/microsoft/FERPlus (`fer2013new.csv`, `src/ferplus.py`).
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fer.data.fer2013_csv import USAGES
from fer.emotions import EMOTIONS, emotion_named
from fer.errors import DataError
from fer.records import Split

_COLUMNS: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear",
    "contempt", "unknown", "NF",
)  # fmt: skip
_NO_LABEL: Final = {"contempt": "contempt", "unknown": "unknown", "NF": "not_a_face"}
_NAMES: Final = tuple(emotion_named(name) or _NO_LABEL[name] for name in _COLUMNS)
_MOST_VOTES: Final = 255  # Ten people voted; what does not fit a byte is no vote.

LEFT_OUT: Final = tuple(_NO_LABEL.values())
"""What a face may be voted that is none of the seven emotions."""


@dataclass(frozen=True)
class Ballots:
    """The votes, a row for each row of `fer2013.csv`.

    Args:
        votes: Shape `(n, 10)`, people, in the order of the file's columns: neutral to fear,
            contempt, unknown, not a face.
        splits: n splits.
    """

    votes: NDArray[np.uint8]
    splits: list[Split]


@dataclass(frozen=True)
class Verdicts:
    """What the votes say.

    Args:
        labels: n names, of `EMOTIONS` or of `LEFT_OUT`.
        shares: float32, shape `(n, 7)`, in the order of `EMOTIONS`; a row sums to 1 where the
            label is an emotion.
    """

    labels: list[str]
    shares: NDArray[np.float32]


def read(stream: BinaryIO, name: str) -> Ballots:
    """Return the votes in a `fer2013new.csv`.

    Args:
        stream: The file, at its start.
        name: What messages call it.

    Raises:
        DataError: The file is none; the message names the data row, counted from 1.
    """
    rows = _rows(stream, name)
    header = [cell.strip() for cell in next(rows, [])]
    missing = [column for column in ("Usage", *_COLUMNS) if column not in header]
    if missing:
        raise DataError(f"{name}: expected FER+'s columns, {missing} not found in {header}.")
    usage_at = header.index("Usage")
    votes_at = [header.index(column) for column in _COLUMNS]
    votes, splits = [], []
    for number, row in enumerate(filter(None, rows), 1):
        if len(row) != len(header) or row[usage_at] not in USAGES:
            raise DataError(
                f"{name}, data row {number}: expected {len(header)} columns and a Usage of "
                f"{tuple(USAGES)}, received {row}. Is the file cut short?"
            )
        splits.append(USAGES[row[usage_at]])
        votes.append(_votes([row[place] for place in votes_at], f"{name}, data row {number}"))
    return Ballots(np.array(votes, np.uint8).reshape(-1, len(_COLUMNS)), splits)


def _rows(stream: BinaryIO, name: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.TextIOWrapper(stream, "utf-8-sig", errors="replace"))
    except csv.Error as error:
        raise DataError(f"{name}: expected FER+'s csv file, received: {error}.") from error


def _votes(cells: list[str], row: str) -> list[int]:
    # The length first: Python refuses to read a number of thousands of digits.
    digits = len(str(_MOST_VOTES))
    if not all(
        cell.isdecimal() and len(cell) <= digits and int(cell) <= _MOST_VOTES for cell in cells
    ):
        raise DataError(f"{row}: expected ten numbers of votes, received {cells}.")
    return [int(cell) for cell in cells]


def check_order(ballots: Ballots, splits: Sequence[Split], name: str) -> None:
    """Check that the votes belong to faces with these splits, row by row.

    The file has no other key: an image name in it is only the row's number.

    Raises:
        DataError: They do not.
    """
    if len(ballots.splits) != len(splits):
        raise DataError(
            f"{name}: expected a row of votes for each face. Received votes "
            f"{dict(Counter(ballots.splits))} for faces {dict(Counter(splits))}."
        )
    for row, (vote, face) in enumerate(zip(ballots.splits, splits, strict=True), 1):
        if vote != face:
            raise DataError(
                f"{name}, data row {row}: expected the order of FER2013's rows, received a vote "
                f"on a {vote} face where the face is {face}."
            )


def judge(ballots: Ballots) -> Verdicts:
    """Return what the votes say.

    The rule is FER+'s outlier removal and most-voted label: a single vote is noise and becomes
    none; the column with most votes is the label. Of columns with equally many the first in
    the file wins, as in FER+'s `np.argmax`: emotions before unknown, neutral first. A face
    without two equal votes is unknown.
    """
    votes = np.where(ballots.votes > 1, ballots.votes, 0)
    first = np.where(votes.any(axis=1), votes.argmax(axis=1), _NAMES.index("unknown"))
    seven = votes[:, [_NAMES.index(emotion) for emotion in EMOTIONS]].astype(np.float32)
    total = seven.sum(axis=1, keepdims=True)
    shares = np.divide(seven, total, out=np.zeros_like(seven), where=total > 0)
    return Verdicts([_NAMES[column] for column in first], shares)


def majority(ballots: Ballots) -> list[str | None]:
    """Return what more than half of the votes on each face say, as FER+'s papers count.

    FER+'s mode "majority": a single vote becomes none, then a column needs more than half of
    what is left; else, and where it is unknown or no face, the face has no label.

    Returns:
        n names of `EMOTIONS` or "contempt", or None.
    """
    votes = np.where(ballots.votes > 1, ballots.votes, 0).astype(np.int64)
    won = 2 * votes.max(axis=1) > votes.sum(axis=1)
    names = [_NAMES[column] for column in votes.argmax(axis=1)]
    counted = (*EMOTIONS, "contempt")
    return [
        name if clear and name in counted else None for name, clear in zip(names, won, strict=True)
    ]
