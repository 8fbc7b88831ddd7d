"""Nothing is kept before its person agreed; then each face lands as it was seen."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer.data import inbox, table
from fer.faces.align import canonical
from fer.faces.detect import Detector
from fer.live.capture import CONSENT_TEXT, CONSENT_VERSION
from fer.live.teacher import Teacher
from fer.paths import Paths
from tests.conftest import SETTINGS

PARAMS = SETTINGS.capture


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture
def teacher(detector: Detector, paths: Paths) -> Teacher:
    return Teacher("anna", "desk", detector, PARAMS, paths)


def test_the_text_comes_before_the_first_face(
    teacher: Teacher, paths: Paths, shown: SimpleNamespace
) -> None:
    assert teacher.question is None

    teacher.teach("happy", shown.image)

    assert teacher.question is not None
    assert CONSENT_TEXT in teacher.question
    assert any(f"{PARAMS.consent_days} days" in line for line in teacher.question)
    assert inbox.count(paths.inbox) == 0


def test_the_face_that_was_seen_is_kept_with_label_name_and_consent(
    teacher: Teacher, detector: Detector, paths: Paths, shown: SimpleNamespace
) -> None:
    teacher.teach("happy", shown.image)
    told = teacher.answer("y")

    (row,) = inbox.read(paths.inbox).faces.to_dict("records")
    face = canonical(shown.image, detector.detect(shown.image)[0].box)
    np.testing.assert_array_equal(table.decode([row["image"]])[0], face)
    assert (row["label"], row["subject"], row["domain"]) == ("happy", "anna", "desk")
    assert (row["source"], row["label_source"]) == ("webcam", "human")
    assert row["consent"]["text"] == CONSENT_VERSION
    assert row["consent"]["given_at"] <= row["captured_at"] < row["consent"]["expires_at"]
    assert "happy" in told
    assert teacher.question is None


def test_who_agreed_is_not_asked_again(
    teacher: Teacher, paths: Paths, shown: SimpleNamespace
) -> None:
    teacher.teach("happy", shown.image)
    teacher.answer("y")
    teacher.teach("sad", shown.image)

    faces = inbox.read(paths.inbox).faces
    assert list(faces["label"]) == ["happy", "sad"]
    assert faces["session"].nunique() == 1
    assert teacher.kept == 2


@pytest.mark.parametrize("key", ["n", "q", "\x1b", " ", "4"])
def test_any_key_but_one_is_no(
    teacher: Teacher, paths: Paths, shown: SimpleNamespace, key: str
) -> None:
    teacher.teach("happy", shown.image)
    teacher.answer(key)

    assert teacher.question is None
    assert inbox.count(paths.inbox) == 0
    teacher.teach("happy", shown.image)
    assert teacher.question is not None


def test_without_a_name_nobody_is_asked(
    detector: Detector, paths: Paths, shown: SimpleNamespace
) -> None:
    teacher = Teacher(None, "desk", detector, PARAMS, paths)

    assert "--subject" in teacher.teach("happy", shown.image)
    assert teacher.question is None


def test_without_a_face_nobody_is_asked(teacher: Teacher) -> None:
    assert "no face" in teacher.teach("happy", np.zeros((240, 320, 3), np.uint8))
    assert teacher.question is None


def test_what_cannot_be_written_is_told(
    teacher: Teacher, paths: Paths, shown: SimpleNamespace
) -> None:
    blocked: Path = paths.inbox
    blocked.parent.mkdir(exist_ok=True)
    blocked.touch()
    teacher.teach("happy", shown.image)

    assert teacher.answer("y").startswith("Not kept: ")
    assert teacher.kept == 0
