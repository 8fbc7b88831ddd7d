"""Which arrivals enter the data version, on which side of the split, and which are refused."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import near_copies, splits, table
from fer.data.consent import consented, ended
from fer.data.table import Pixels
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.params import IngestParams
from fer.records import SIZE, now


@dataclass(frozen=True)
class Sorted:
    """Arrivals, told apart.

    Args:
        accepted: Face table with `split` set.
        refused: Face table with the column `reason`.
        repeats: How many faces were known already, with the same label.
    """

    accepted: pd.DataFrame
    refused: pd.DataFrame
    repeats: int


def sort(
    arrivals: pd.DataFrame, known: pd.DataFrame, rejected: set[str], params: IngestParams
) -> Sorted:
    """Tell accepted, refused and repeated faces apart.

    Args:
        arrivals: Face table, in order of arrival; ids are computed anew.
        known: Face table of everything ingested before.
        rejected: Ids that a person rejected; they do not come back.
        params: How faces are grouped, split and compared.
    """
    arrivals = arrivals.reset_index(drop=True)
    pixels, readable = _pixels(arrivals)
    arrivals["id"] = _names(arrivals, pixels, readable)
    reason = _faults(arrivals, readable)
    _judge_repeats(arrivals, known, reason)
    repeats = (reason == _REPEAT) | arrivals["id"].isin(rejected)
    fresh = (reason == "") & ~repeats
    known_pixels = table.decode(known["image"])
    split = _split(arrivals[fresh], pixels[fresh], known, known_pixels, params)
    arrivals.loc[fresh, "split"] = split
    reason[fresh] = _torn(arrivals[fresh], pixels[fresh], known, known_pixels, params)
    refused = (reason != "") & ~repeats
    return Sorted(
        accepted=arrivals[fresh & ~refused],
        refused=arrivals[refused].assign(reason=reason[refused]),
        repeats=int(repeats.sum()),
    )


_REPEAT = "repeat"


def _pixels(arrivals: pd.DataFrame) -> tuple[Pixels, NDArray[np.bool_]]:
    """All faces, black where unreadable, and which are readable."""
    pixels = np.zeros((len(arrivals), SIZE, SIZE), np.uint8)
    readable = np.zeros(len(arrivals), bool)
    for number, image in enumerate(arrivals["image"]):
        try:
            pixels[number] = table.decode([image])[0]
            readable[number] = True
        except DataError:
            continue  # `readable` says so, and the face goes to quarantine with a reason
    return pixels, readable


def _names(arrivals: pd.DataFrame, pixels: Pixels, readable: NDArray[np.bool_]) -> list[str]:
    """The id is what a face holds, whatever its writer called it."""
    return [
        table.face_id(face) if fine else hashlib.sha256(image).hexdigest()
        for face, fine, image in zip(pixels, readable, arrivals["image"], strict=True)
    ]


def _faults(arrivals: pd.DataFrame, readable: NDArray[np.bool_]) -> pd.Series:
    """A reason for each face that cannot enter as it is, else an empty text."""
    reason = pd.Series("", index=arrivals.index)
    label = arrivals["label"].astype("str").where(arrivals["label"].notna(), "none")
    reason[~label.isin(EMOTIONS)] = "label: expected one of the seven emotions, received " + label
    allowed = consented(arrivals)
    reason[~allowed] = "consent: no complete one on record for the time of capture"
    reason[allowed & ended(arrivals, now())] = "consent: it has ended since the capture"
    reason[~readable] = f"image: not a grey picture of {SIZE} x {SIZE}"
    return reason


def _judge_repeats(arrivals: pd.DataFrame, known: pd.DataFrame, reason: pd.Series) -> None:
    """Mark the same pixels seen before: under the same label a repeat, else a conflict."""
    labels = dict(zip(known["id"], known["label"], strict=True))
    for row, face, label in zip(arrivals.index, arrivals["id"], arrivals["label"], strict=True):
        if reason[row]:
            continue
        before = labels.setdefault(face, None)
        if before is None:
            labels[face] = label
        else:
            reason[row] = _REPEAT if before == label else f"label: the same picture is {before}"


def _split(
    faces: pd.DataFrame,
    pixels: Pixels,
    known: pd.DataFrame,
    known_pixels: Pixels,
    params: IngestParams,
) -> pd.Series:
    by, near_copy = params.group_by, params.near_copy
    old = splits.groups(known, known_pixels, by=by, near_copy=near_copy)
    group = splits.groups(faces, pixels, by=by, near_copy=near_copy)
    sides = dict(zip(old, known["split"], strict=True))
    sides |= _sides_of_copies(pixels, known_pixels, known["split"], group, near_copy)
    split = pd.Series(index=faces.index, dtype="str")
    for domain, rows in faces.groupby("domain").groups.items():
        before = known.loc[known["domain"] == domain, "split"]
        split[rows] = splits.assign(group[rows], sides, before, share=params.validation_share)
        sides |= dict(zip(group[rows], split[rows], strict=True))
    return split


def _sides_of_copies(
    pixels: Pixels,
    known_pixels: Pixels,
    known_split: pd.Series,
    group: pd.Series,
    near_copy: float,
) -> dict[str, str]:
    """A face that nobody named follows the known picture that it copies."""
    unnamed = group.str.startswith("face:").to_numpy()
    found = near_copies.nearest(
        near_copies.fingerprints(pixels[unnamed]),
        near_copies.fingerprints(known_pixels),
        near_copy,
    )
    names, split = group[unnamed].to_numpy(), known_split.to_numpy()
    return {name: split[old] for name, old in zip(names, found, strict=True) if old >= 0}


def _torn(
    faces: pd.DataFrame,
    pixels: Pixels,
    known: pd.DataFrame,
    known_pixels: Pixels,
    params: IngestParams,
) -> pd.Series:
    """A reason for each face with a near-copy on the other side of the split, else empty."""
    torn = splits.torn(
        pixels,
        faces["split"].to_numpy(str),
        known_pixels,
        known["split"].to_numpy(str),
        params.near_copy,
    )
    return pd.Series(
        np.where(torn, "split: a near-copy of it is on the other side of the split", ""),
        index=faces.index,
    )
