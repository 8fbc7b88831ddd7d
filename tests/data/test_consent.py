"""A webcam face is kept only under a consent that held when it was taken."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from fer.data.consent import consented, ended

Faces = Callable[..., pd.DataFrame]

GIVEN = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
CONSENT = {"text": "1", "purpose": "training", "given_at": GIVEN, "expires_at": EXPIRES}


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (GIVEN, True),
        (EXPIRES - timedelta(microseconds=1), True),
        (GIVEN - timedelta(microseconds=1), False),
        (EXPIRES, False),
        (None, False),
    ],
)
def test_consent_holds_from_its_giving_until_it_expires(
    faces: Faces, moment: datetime | None, allowed: bool
) -> None:
    webcam = faces(1, source="webcam", consent=CONSENT, captured_at=moment)
    assert list(consented(webcam)) == [allowed]


def test_no_consent_is_none(faces: Faces) -> None:
    assert not consented(faces(2, source="webcam")).any()


@pytest.mark.parametrize("lost", ["text", "purpose", "given_at", "expires_at"])
def test_a_consent_that_is_not_complete_is_none(faces: Faces, lost: str) -> None:
    webcam = faces(1, source="webcam", consent={**CONSENT, lost: None}, captured_at=GIVEN)
    assert not consented(webcam).any()


def test_a_data_set_needs_no_consent_of_ours(faces: Faces) -> None:
    for source in ("import:kdef", "fer2013", "synthetic"):
        assert consented(faces(1, source=source, captured_at=None)).all()


def test_each_face_is_judged_by_its_own_consent(faces: Faces) -> None:
    mixed = faces(3, source=["webcam", "webcam", "import:a"], consent=[None, CONSENT, None])
    mixed.index = pd.Index([7, 3, 5])
    assert consented(mixed).to_dict() == {7: False, 3: True, 5: True}


def test_no_faces_need_no_consent(faces: Faces) -> None:
    assert len(consented(faces(0))) == 0


def test_a_consent_ends_at_its_expiry_and_not_before(faces: Faces) -> None:
    webcam = faces(2, source=["webcam", "import:a"], consent=CONSENT, captured_at=GIVEN)
    assert list(ended(webcam, EXPIRES - timedelta(microseconds=1))) == [False, False]
    assert list(ended(webcam, EXPIRES)) == [True, False]
