"""Review: what people say of faces that were set apart, or taken in under a wrong label."""

from typing import Final

import pandas as pd

from fer import audit
from fer.data import inbox, quarantine, table, version
from fer.emotions import EMOTIONS, emotion_named
from fer.errors import DataError
from fer.paths import Paths
from fer.records import Decision

BINDING: Final = ("image: ", "consent: ", "split: ")
"""Reasons of `ingest` that no person's word can lift."""

HELD_BACK: Final = "guard: "
"""Begin of the reason where a session was held back as a whole."""


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
    """Hand in what a person said of a face that waits, or else of one of the data version.

    The next `ingest` acts on it.

    Args:
        paths: The checkout.
        face: Its id, or the first digits of it.
        verdict: "accept" or "reject".
        label: Another label to accept it under; None keeps the one it has.

    Raises:
        DataError: No face, or more than one, begins so; or the verdict or label is unknown.
        MissingData: No face that waits begins so, and the captures are not here.
    """
    _check(verdict)
    named = _named(paths, face)
    labels = dict(zip(named["id"], named["label"], strict=True))
    reasons = dict(zip(named["id"], named["reason"], strict=True))
    found = sorted(labels)
    if len(found) != 1:
        raise DataError(
            "Expected the first digits of one face that waits or was taken in, received "
            f"{face!r}: {len(found)} begin so. See `fer review list` and `fer review doubts`."
        )
    emotion = emotion_named(label) if label else None
    if label and emotion is None:
        raise DataError(f"Expected one of {', '.join(EMOTIONS)}, received {label!r}.")
    if verdict == "accept" and reasons[found[0]].startswith(BINDING):
        raise DataError(
            "Expected a face that a person may let in, received one that only a new capture can "
            f"mend: {reasons[found[0]]}. Reject it, or leave it."
        )
    return _hand_in(paths, found[0], verdict, emotion or labels[found[0]])


def decide_session(paths: Paths, session: str, verdict: str) -> list[Decision]:
    """Hand in what a person said of all faces of a session that was held back as a whole.

    Args:
        paths: The checkout.
        session: Its name, as `waiting` has it.
        verdict: "accept", each under the label it has, or "reject".

    Raises:
        DataError: No such session was held back, or the verdict is unknown.
    """
    _check(verdict)
    apart = quarantine.read(paths.quarantine)
    held = apart[(apart["session"] == session) & apart["reason"].str.startswith(HELD_BACK)]
    if not len(held):
        raise DataError(
            f"Expected a session that was held back, received {session!r}. See `fer review list`."
        )
    return [
        _hand_in(paths, face, verdict, label)
        for face, label in held[["id", "label"]].itertuples(index=False)
    ]


def _check(verdict: str) -> None:
    if verdict not in ("accept", "reject"):
        raise DataError(f"Expected accept or reject, received {verdict!r}.")


def _hand_in(paths: Paths, face: str, verdict: str, label: str | None) -> Decision:
    if verdict == "accept":
        # Its own label too: two captures of one picture may disagree on it.
        decision = Decision(face, "accept", label if label in EMOTIONS else None)
    else:
        decision = Decision(face, "reject")
    inbox.put_decision(paths.inbox, decision)
    audit.record(paths, "review", face=face, verdict=verdict)
    return decision


def _named(paths: Paths, face: str) -> pd.DataFrame:
    """Return the faces that begin so, with their `reason`; of the data version if none waits."""
    waits = waiting(paths)
    found = waits[waits["id"].str.startswith(face)] if face and len(waits) else waits.head(0)
    if len(found) or not face:
        return found
    taken_in = version.captured(paths, version.read(paths.version)).assign(reason="")
    return taken_in[taken_in["id"].str.startswith(face)]
