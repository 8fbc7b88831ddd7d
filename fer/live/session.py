"""A capture session from the command line: whose face, from where, and did they agree?"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from fer.data import synthetic
from fer.emotions import EMOTIONS, emotion_named
from fer.errors import CameraError, DataError
from fer.faces import camera
from fer.faces.detect import Detector, chosen
from fer.live.capture import CONSENT_TEXT, CaptureReport, Shown, capture, consent_now
from fer.params import CaptureParams
from fer.paths import Paths
from fer.records import now

_DRAWN = "synthetic:"
_DRAWN_PER_SUBJECT = 14


@dataclass(frozen=True)
class Wish:
    """What the person at the keyboard asked for.

    Args:
        source: Camera number, film, stream, folder, or "synthetic:CAMERA".
        domain: Camera or room; None: named after the source.
        label: What is shown; a synthetic camera knows it.
        subject: Pseudonym of who is shown; likewise.
        faces: How many frames to take.
        step: Take each N-th frame.
        consent: Whether the person agreed to `CONSENT_TEXT`.
    """

    source: str
    domain: str | None
    label: str | None
    subject: str | None
    faces: int
    step: int
    consent: bool


def run(wish: Wish, params: CaptureParams, paths: Paths) -> CaptureReport:
    """Capture one session into the inbox.

    Raises:
        DataError: Label, subject or consent is missing for a real face, or a number is not
            positive.
        CameraError: The source gives no frames.
    """
    detector = Detector(chosen(params, paths))
    if wish.source.startswith(_DRAWN):
        name = wish.source.removeprefix(_DRAWN)
        domain = wish.domain or f"synthetic-{name}"
        return capture(
            _drawn(name, wish.faces), paths, detector,
            source="synthetic", domain=domain, session=domain, consent=None,
        )  # fmt: skip
    label, subject = _stated(wish)
    with closing(camera.frames(wish.source)) as frames:
        taken = islice(frames, 0, wish.faces * wish.step, wish.step)
        report = capture(
            (Shown(frame, label, subject) for frame in taken), paths, detector,
            source="webcam", domain=wish.domain or domain_of(wish.source),
            session=f"{now():%Y%m%dT%H%M%S}", consent=consent_now(params),
        )  # fmt: skip
    if report.captured == 0:
        raise CameraError(
            f"Expected a face in front of {wish.source}, found none in {report.without_face} "
            "frames. Look at the camera, with light from the front."
        )
    return report


def _drawn(name: str, faces: int) -> Iterator[Shown]:
    people = -(-faces // _DRAWN_PER_SUBJECT)
    subjects = [f"{name}-{number:03d}" for number in range(people)]
    frames = synthetic.draw_frames(
        camera=name, subjects=subjects, per_subject=_DRAWN_PER_SUBJECT, seed=1
    )
    return (Shown(one.image, one.label, one.subject) for one in islice(frames, faces))


def domain_of(source: str) -> str:
    """Return the name of a camera or film for people: no folder, and no password of a stream."""
    name = urlsplit(source).hostname if "://" in source else Path(source).name
    return f"camera-{name}"


def _stated(wish: Wish) -> tuple[str, str]:
    if wish.faces < 1 or wish.step < 1:
        raise DataError(
            f"Expected --faces and --step of 1 or more, received {wish.faces} and {wish.step}."
        )
    label = emotion_named(wish.label or "")
    if label is None:
        raise DataError(f"Expected --label {'|'.join(EMOTIONS)}, received {wish.label!r}.")
    if not wish.subject:
        raise DataError("Expected --subject with a pseudonym of the person, received none.")
    if not wish.consent:
        raise DataError(
            "Expected the person's consent, received none. Let them read this text, and add "
            f"--consent if they agree:\n\n  {CONSENT_TEXT}"
        )
    return label, wish.subject
