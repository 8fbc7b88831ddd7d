"""Which arrivals enter the data version, on which side of the split, and which are refused."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import near_copies, splits, table
from fer.data.consent import consented, ended
from fer.data.table import Pixels
from fer.emotions import EMOTIONS
from fer.params import IngestParams
from fer.records import SIZE, now

_ENDED: Final = "consent: it has ended since the capture"
_FUTURE: Final = "captured_at: it is yet to come; this clock is wrong, or the camera's was"

BY_CLOCK: Final = (_ENDED, _FUTURE)
"""Reasons that are the clock's, which may have been wrong: they are asked for again."""


@dataclass(frozen=True)
class Sorted:
    """Arrivals, told apart.

    Args:
        accepted: Face table with `split` set.
        refused: Face table with the column `reason`.
        repeats: How many faces were known already, with the same label.
        withdrawn: Ids of known faces under a model's label that have to leave.
    """

    accepted: pd.DataFrame
    refused: pd.DataFrame
    repeats: int
    withdrawn: tuple[str, ...]


@dataclass(frozen=True)
class _Batch:
    """A face table and its pixels, shape `(n, 48, 48)`."""

    faces: pd.DataFrame
    pixels: Pixels

    def where(self, rows: "pd.Series[bool]") -> "_Batch":
        return _Batch(self.faces[rows], self.pixels[rows.to_numpy(bool)])

    def with_split(self, split: pd.Series) -> "_Batch":
        return _Batch(self.faces.assign(split=split), self.pixels)

    @property
    def on_validation(self) -> "_Batch":
        return self.where(self.faces["split"] == "validation")


def sort(
    arrivals: pd.DataFrame,
    known: pd.DataFrame,
    rejected: set[str],
    params: IngestParams,
    hold_back: Callable[[pd.DataFrame], pd.Series],
) -> Sorted:
    """Tell accepted, refused and repeated faces apart.

    What people labelled is sorted as if no model had labelled anything. What a model labelled
    has to fit in afterwards, on the training side.

    Args:
        arrivals: Face table, in order of arrival; ids are computed anew.
        known: Face table of everything ingested before.
        rejected: Ids that a person rejected; they do not come back.
        params: How faces are grouped, split and compared.
        hold_back: Gives a reason for each sound face that a person should see first, else an
            empty text. It is asked about what people labelled.
    """
    arrivals = arrivals.reset_index(drop=True)
    pixels, readable = table.decode_readable(arrivals["image"])
    arrivals["id"] = _names(arrivals, pixels, readable)
    reason = _faults(arrivals, readable)
    _judge_repeats(arrivals, known, reason)
    repeats = (reason == _REPEAT) | arrivals["id"].isin(rejected)
    fresh = (reason == "") & ~repeats
    by_model, known_by_model = table.by_model(arrivals), table.by_model(known)
    new, old = _Batch(arrivals, pixels), _Batch(known, table.decode(known["image"]))

    old_said = old.where(~known_by_model)
    said = new.where(fresh & ~by_model)
    reason[said.faces.index] = hold_back(said.faces)
    said = said.where(reason[said.faces.index] == "")
    said = said.with_split(_split(said, old_said, params))
    reason[said.faces.index] = _torn(said, old_said, params)
    entering = said.where(reason[said.faces.index] == "")

    guessed = new.where(fresh & by_model)
    guessed = guessed.with_split(pd.Series("train", guessed.faces.index))
    reason[guessed.faces.index] = _unfit(guessed, old_said, entering, params)

    arrivals["split"] = pd.concat([said.faces["split"], guessed.faces["split"]])
    refused = (reason != "") & ~repeats
    accepted = arrivals[fresh & ~refused]
    # One picture, twice captured: where the other capture is sound, this one adds nothing.
    sound = pd.concat([known[_SAME], accepted[_SAME]])
    again = refused & pd.MultiIndex.from_frame(arrivals[_SAME]).isin(
        pd.MultiIndex.from_frame(sound)
    )
    refused, repeats = refused & ~again, repeats | again
    return Sorted(
        accepted=accepted,
        refused=arrivals[refused].assign(reason=reason[refused]),
        repeats=int(repeats.sum()),
        withdrawn=_displaced(old.where(known_by_model), entering, params),
    )


_REPEAT: Final = "repeat"
_SAME: Final = ["id", "label"]
"""Columns that make two captures the same."""


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
    late = untimely(arrivals)
    reason[allowed & (late != "")] = late
    reason[~readable] = f"image: not a grey picture of {SIZE} x {SIZE}"
    return reason


def untimely(faces: pd.DataFrame) -> pd.Series:
    """Return what this clock has against each face now, one of `BY_CLOCK`, else an empty text."""
    moment = now()
    reason = pd.Series("", index=faces.index)
    reason[ended(faces, moment)] = _ENDED
    reason[faces["captured_at"] > moment] = _FUTURE
    return reason


def _judge_repeats(arrivals: pd.DataFrame, known: pd.DataFrame, reason: pd.Series) -> None:
    """Mark the same pixels seen before: under the same label a repeat, else a conflict.

    A person's picture is held against what people said alone; it takes a model's place.
    """
    labels: dict[str, str] = {}
    for by_model in (False, True):
        before = known[table.by_model(known) == by_model]
        labels = dict(zip(before["id"], before["label"], strict=True)) | labels
        rows = arrivals.index[(table.by_model(arrivals) == by_model) & (reason == "")]
        for row, face, label in arrivals.loc[rows, ["id", "label"]].itertuples():
            if face not in labels:
                labels[face] = label
            else:
                known_as = labels[face]
                reason[row] = (
                    _REPEAT if known_as == label else f"label: the same picture is {known_as}"
                )


def _split(new: _Batch, old: _Batch, params: IngestParams) -> pd.Series:
    sides = dict(zip(_groups(old, params), old.faces["split"], strict=True))
    group = _groups(new, params)
    sides |= _sides_of_copies(new, old, group, params.near_copy)
    split = pd.Series(index=new.faces.index, dtype="str")
    for domain, rows in new.faces.groupby("domain").groups.items():
        before = old.faces.loc[old.faces["domain"] == domain, "split"]
        split[rows] = splits.assign(group[rows], sides, before, share=params.validation_share)
        sides |= dict(zip(group[rows], split[rows], strict=True))
    return split


def _groups(batch: _Batch, params: IngestParams) -> pd.Series:
    by, near_copy = params.group_by, params.near_copy
    return splits.groups(batch.faces, batch.pixels, by=by, near_copy=near_copy)


def _sides_of_copies(
    new: _Batch, old: _Batch, group: pd.Series, near_copy: float
) -> dict[str, str]:
    """A face that nobody named follows the known picture that it copies."""
    unnamed = group.str.startswith("face:").to_numpy(bool)
    found = near_copies.nearest(
        near_copies.fingerprints(new.pixels[unnamed]),
        near_copies.fingerprints(old.pixels),
        near_copy,
    )
    names, split = group[unnamed].to_numpy(), old.faces["split"].to_numpy()
    return {name: split[place] for name, place in zip(names, found, strict=True) if place >= 0}


_TORN: Final = "split: a near-copy of it is on the other side of the split"


def _torn(new: _Batch, old: _Batch, params: IngestParams) -> pd.Series:
    """A reason for each face with a near-copy on the other side of the split, else empty."""
    torn = splits.torn(
        new.pixels,
        new.faces["split"].to_numpy(str),
        old.pixels,
        old.faces["split"].to_numpy(str),
        params.near_copy,
    )
    return pd.Series(np.where(torn, _TORN, ""), index=new.faces.index)


# -- what a model labelled -------------------------------------------------------------------


def _unfit(guessed: _Batch, old: _Batch, entering: _Batch, params: IngestParams) -> pd.Series:
    """A reason for each face under a model's label that cannot enter as it is, else empty.

    Args:
        guessed: Faces under a model's label.
        old: Known faces that people labelled.
        entering: The same, of this batch.
        params: See `sort`.
    """
    if not params.accept_model_labels:
        return pd.Series("model: no person has seen this label", index=guessed.faces.index)
    reason = pd.Series("", index=guessed.faces.index)
    for judges in (old.on_validation, entering.on_validation):
        reason[_copies(guessed, judges, params)] = _TORN
        reason[_of_the_same(guessed, judges, params)] = (
            "model: the faces of this person are in validation, where people alone label"
        )
    return reason


def _displaced(own: _Batch, entering: _Batch, params: IngestParams) -> tuple[str, ...]:
    """Ids of the known faces under a model's label that what enters leaves no room for."""
    judges = entering.on_validation
    leaving = (
        own.faces["id"].isin(entering.faces["id"])
        | _of_the_same(own, judges, params)
        | _copies(own, judges, params)
    )
    return tuple(own.faces.loc[leaving, "id"])


def _of_the_same(some: _Batch, others: _Batch, params: IngestParams) -> "pd.Series[bool]":
    """Which of `some` are of a person or session that is among `others`."""
    return _groups(some, params).isin(_groups(others, params))


def _copies(some: _Batch, others: _Batch, params: IngestParams) -> NDArray[np.bool_]:
    """Which of `some` are near-copies of one of `others`, shape `(n,)`."""
    return near_copies.copied(some.pixels, others.pixels, params.near_copy)
