"""A captured face lies in the inbox, whole, with all that is known of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from fer.data import inbox, table
from fer.data.synthetic import draw_frames
from fer.errors import DataError
from fer.faces.detect import Detector
from fer.files import write_json
from fer.live.capture import CaptureReport, Shown, capture, consent_now
from fer.paths import Paths
from fer.records import Consent, now
from tests.conftest import SETTINGS, forgotten

PARAMS = SETTINGS.capture


@pytest.fixture(scope="module")
def shown() -> list[Shown]:
    """A frame without a face, then frames of a synthetic camera."""
    drawn = draw_frames(camera="studio", subjects=["anna", "ben"], per_subject=3, seed=2)
    faces = [Shown(one.image, one.label, one.subject) for one in drawn]
    return [Shown(np.full((240, 320, 3), 90, np.uint8), "happy", "anna"), *faces]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def test_every_face_is_kept_with_what_was_said_of_it(
    shown: list[Shown], detector: Detector, paths: Paths
) -> None:
    consent = consent_now(PARAMS)
    report = capture(
        shown, paths, detector,
        source="webcam", domain="hall", session="monday", consent=consent,
    )  # fmt: skip

    faces = inbox.read(paths.inbox).faces
    assert report == CaptureReport(captured=len(faces), without_face=len(shown) - len(faces))
    assert len(faces) >= 5
    assert report.without_face >= 1
    assert set(zip(faces["label"], faces["subject"], strict=True)) <= {
        (one.label, one.subject) for one in shown
    }
    assert set(faces["source"]) == {"webcam"}
    assert set(faces["domain"]) == {"hall"}
    assert set(faces["session"]) == {"anna@monday", "ben@monday"}
    assert set(faces["label_source"]) == {"blind"}
    assert faces["split"].isna().all()
    assert all(one["text"] == consent.text for one in faces["consent"])
    pixels = table.decode(faces["image"])
    assert [table.face_id(face) for face in pixels] == list(faces["id"])


def test_a_face_is_durable_before_the_next_frame_is_read(
    shown: list[Shown], detector: Detector, paths: Paths
) -> None:
    waiting = []

    def frames() -> Iterator[Shown]:
        for one in shown[1:4]:
            waiting.append(inbox.count(paths.inbox))
            yield one

    capture(frames(), paths, detector, source="synthetic", domain="d", session="s", consent=None)

    assert waiting == [0, 1, 2]


def test_consent_holds_from_now_for_the_days_of_the_settings() -> None:
    consent = consent_now(PARAMS)

    assert consent.covers(now())
    assert (consent.expires_at - consent.given_at).days == PARAMS.consent_days
    assert not consent.covers(consent.expires_at)


def test_who_was_forgotten_since_they_agreed_is_not_kept(
    shown: list[Shown], detector: Detector, paths: Paths
) -> None:
    agreed = consent_now(PARAMS)

    def take(consent: Consent) -> CaptureReport:
        return capture(
            shown[1:3], paths, detector,
            source="webcam", domain="d", session="s", consent=consent,
        )  # fmt: skip

    forgotten(paths, "ben", agreed.given_at + timedelta(days=1))
    forgotten(paths, "anna", agreed.given_at - timedelta(days=1))
    assert take(agreed).captured == 2
    forgotten(paths, "anna", agreed.given_at + timedelta(days=1))
    with pytest.raises(DataError, match="Agree again"):
        take(agreed)
    assert take(replace(agreed, given_at=agreed.given_at + timedelta(days=2))).captured == 2
    assert inbox.count(paths.inbox) == 4


def test_who_is_being_forgotten_is_not_kept_meanwhile(
    shown: list[Shown], detector: Detector, paths: Paths
) -> None:
    write_json(paths.erasure, {"receipt": {}, "person": "anna", "retire": True})

    with pytest.raises(DataError, match="forgotten"):
        capture(
            shown[1:3], paths, detector,
            source="webcam", domain="d", session="s", consent=consent_now(PARAMS),
        )  # fmt: skip

    assert "anna" not in set(inbox.read(paths.inbox).faces["subject"])
