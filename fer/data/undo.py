"""Undo: a capture that a person did not mean."""

from pathlib import Path
from typing import Literal

from fer import audit
from fer.data import inbox
from fer.errors import Busy
from fer.files import locked
from fer.paths import Paths
from fer.records import Decision


def take_back(paths: Paths, item: Path, face: str) -> Literal["removed", "rejected"]:
    """Remove a face from the inbox, or have the next `ingest` leave it out.

    Args:
        paths: The checkout.
        item: What `inbox.put` returned; holds this face alone.
        face: Its id.

    Returns:
        "removed": it never was there. "rejected": `ingest` has read it, or is reading; a
        decision takes it out again.
    """
    outcome: Literal["removed", "rejected"] = "rejected"
    try:
        with locked(paths.lock("ingest")):
            if item.is_file():
                inbox.remove([item])
                outcome = "removed"
    except Busy:
        pass
    if outcome == "rejected":
        inbox.put_decision(paths.inbox, Decision(face, "reject"))
    audit.record(paths, "undo", face=face)
    return outcome
