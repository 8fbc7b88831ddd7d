"""Capture: from frames and what they show to labelled faces in the inbox."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer import audit
from fer.data import inbox, receipts, table
from fer.errors import DataError
from fer.faces.align import canonical
from fer.faces.detect import Detector
from fer.params import CaptureParams
from fer.paths import Paths
from fer.records import Consent, LabelSource, now

CONSENT_TEXT: Final = (
    "Your face is kept as a small grey picture, with the emotion you name, to train the emotion "
    "model of this installation. While self-learning is on, pictures are also taken by themselves "
    "and kept with the emotion that the model sees, until a person has looked at them. They are "
    "not used to recognise you. You may ask for them to be deleted at any time."
)
CONSENT_VERSION: Final = "2"
CONSENT_PURPOSE: Final = "training the emotion model of this installation"


@dataclass(frozen=True)
class Shown:
    """A frame, and what a person says it shows.

    Args:
        frame: BGR, uint8, shape `(height, width, 3)`.
        label: One of `EMOTIONS`.
        subject: Pseudonym of who is seen.
    """

    frame: NDArray[np.uint8]
    label: str
    subject: str


@dataclass(frozen=True)
class Sitting:
    """One stretch of capturing: all faces of it share this.

    Args:
        source: "webcam" or "synthetic".
        domain: Camera or room.
        session: Name of this sitting.
        consent: The person's agreement; `ingest` refuses webcam faces without one.
    """

    source: str
    domain: str
    session: str
    consent: Consent | None


@dataclass(frozen=True)
class CaptureReport:
    """What a session brought.

    Args:
        captured: Faces in the inbox.
        without_face: Frames in which no face was found.
    """

    captured: int
    without_face: int


def consent_now(params: CaptureParams) -> Consent:
    """Return the agreement to `CONSENT_TEXT` that a person gives at this moment."""
    moment = now()
    expiry = moment + timedelta(days=params.consent_days)
    return Consent(CONSENT_VERSION, CONSENT_PURPOSE, moment, expiry)


def keep(
    face: NDArray[np.uint8],
    label: str,
    subject: str,
    sitting: Sitting,
    paths: Paths,
    *,
    label_source: LabelSource = "human",
) -> Path:
    """Put one labelled face into the inbox and return its item; durable when this returns.

    Args:
        face: Canonical, grey, shape `(48, 48)`.
        label: One of `EMOTIONS`.
        subject: Pseudonym of who is seen.
        sitting: Where and under which consent.
        paths: The checkout.
        label_source: Who says that it shows this.

    Raises:
        DataError: The person was forgotten since they agreed, or is being forgotten.
    """
    agreed = sitting.consent
    if agreed is not None and receipts.forgotten_since(paths, subject, agreed.given_at):
        raise DataError(
            "Expected a sitting whose person still agrees, received one of a person who was "
            "forgotten since. Agree again."
        )
    row = {
        "id": table.face_id(face),
        "image": table.encode(face[None])[0],
        "label": label,
        "source": sitting.source,
        "domain": sitting.domain,
        "subject": subject,
        "session": f"{subject}@{sitting.session}",
        "captured_at": now(),
        "label_source": label_source,
        "consent": vars(sitting.consent) if sitting.consent else None,
    }
    item = inbox.put(paths.inbox, table.frame([row]))
    audit.record(paths, "capture", face=row["id"], label_source=label_source)
    return item


def capture(  # noqa: PLR0913  what is written down with every face
    shown: Iterable[Shown],
    paths: Paths,
    detector: Detector,
    *,
    source: str,
    domain: str,
    session: str,
    consent: Consent | None,
) -> CaptureReport:
    """Put the largest face of every frame into the inbox; each is durable when the next is read.

    Args:
        shown: Frames with what they show.
        paths: The checkout.
        detector: Finds the faces.
        source: "webcam" or "synthetic".
        domain: Camera or room.
        session: Name of this sitting.
        consent: The person's agreement; `ingest` refuses webcam faces without one.

    Raises:
        DataError: A person was forgotten since they agreed.
    """
    sitting = Sitting(source, domain, session, consent)
    captured = without_face = 0
    for one in shown:
        found = detector.detect(one.frame)
        if not found:
            without_face += 1
            continue
        face = canonical(one.frame, found[0].box)
        # It was said before the frame was seen.
        keep(face, one.label, one.subject, sitting, paths, label_source="blind")
        captured += 1
    return CaptureReport(captured, without_face)
