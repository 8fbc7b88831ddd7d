"""Review: the way back for faces that were set apart."""

from typing import Final

import pandas as pd

from fer.data import inbox, quarantine, table
from fer.emotions import EMOTIONS, emotion_named
from fer.errors import DataError
from fer.paths import Paths
from fer.records import Decision

_BINDING: Final = ("image: ", "consent: ", "split: ")
"""Reasons of `ingest` that no person's word can lift."""


def waiting(paths: Paths) -> pd.DataFrame:
    """Return the faces set apart by `ingest` and by `validate`, with the column `reason`.

    Those of the base data are not among them: decisions are about captured faces.
    """
    apart = quarantine.read(paths.quarantine)
    if not paths.refused.is_file():
        return apart
    refused = table.read(paths.refused).rename(columns={"rules": "reason"})
    if paths.base.is_file():
        refused = refused[~refused["id"].isin(table.read(paths.base, ["id"])["id"])]
    filled = [faces for faces in (apart, refused) if len(faces)]
    return pd.concat(filled, ignore_index=True) if filled else apart


def decide(paths: Paths, face: str, verdict: str, label: str | None) -> Decision:
    """Hand in what a person said of a face that waits; the next `ingest` acts on it.

    Args:
        paths: The checkout.
        face: Its id, or the first digits of it.
        verdict: "accept" or "reject".
        label: Another label to accept it under; None keeps the one it has.

    Raises:
        DataError: No face, or more than one, begins so; or the verdict or label is unknown.
    """
    if verdict not in ("accept", "reject"):
        raise DataError(f"Expected accept or reject, received {verdict!r}.")
    waits = waiting(paths)
    waits = waits[waits["id"].str.startswith(face)] if face and len(waits) else waits.head(0)
    labels = dict(zip(waits["id"], waits["label"], strict=True))
    reasons = dict(zip(waits["id"], waits["reason"], strict=True))
    found = sorted(labels)
    if len(found) != 1:
        raise DataError(
            f"Expected the first digits of one face that waits, received {face!r}: "
            f"{len(found)} begin so. See `fer review list`."
        )
    emotion = emotion_named(label) if label else None
    if label and emotion is None:
        raise DataError(f"Expected one of {', '.join(EMOTIONS)}, received {label!r}.")
    if verdict == "accept" and reasons[found[0]].startswith(_BINDING):
        raise DataError(
            "Expected a face that a person may let in, received one that only a new capture can "
            f"mend: {reasons[found[0]]}. Reject it, or leave it."
        )
    if verdict == "accept":
        # Written down, for where two captures of one picture disagree on its label.
        kept = labels[found[0]] if labels[found[0]] in EMOTIONS else None
        decision = Decision(found[0], "accept", emotion or kept)
    else:
        decision = Decision(found[0], "reject")
    inbox.put_decision(paths.inbox, decision)
    return decision
