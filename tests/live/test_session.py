"""A session needs a label, a name and a consent, unless its camera is drawn."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.data import inbox
from fer.data.synthetic import draw_frames
from fer.emotions import EMOTIONS
from fer.errors import CameraError, DataError, ParamsError
from fer.live import session
from fer.live.capture import CONSENT_TEXT
from fer.live.session import Wish, run
from fer.paths import Paths
from tests.conftest import SETTINGS

PARAMS = SETTINGS.capture
DRAWN = Wish("synthetic:studio", None, None, None, faces=7, step=10, consent=False)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, read as if it were a film."""
    folder = tmp_path_factory.mktemp("a film")
    frames = draw_frames(camera="studio", subjects=["anna"], per_subject=4, seed=3)
    for number, one in enumerate(frames):
        cv2.imwrite(str(folder / f"{number}.png"), one.image)
    return folder


@pytest.fixture
def agreed(film: Path) -> Wish:
    return Wish(str(film), "hall", "happiness", "anna", faces=20, step=1, consent=True)


def test_a_drawn_session_lands_in_the_inbox_with_its_labels(paths: Paths) -> None:
    report = run(DRAWN, PARAMS, paths)

    faces = inbox.read(paths.inbox).faces
    assert len(faces) == report.captured >= 5
    assert len(set(faces["label"])) == report.captured
    assert set(faces["label"]) <= set(EMOTIONS)
    assert set(faces["source"]) == {"synthetic"}
    assert set(faces["domain"]) == {"synthetic-studio"}
    assert faces["consent"].isna().all()


def test_an_unknown_drawn_camera_is_refused_with_the_known_ones(paths: Paths) -> None:
    with pytest.raises(ParamsError, match="studio"):
        run(dataclasses.replace(DRAWN, source="synthetic:moon"), PARAMS, paths)


def test_a_webcam_row_carries_label_name_and_consent(agreed: Wish, paths: Paths) -> None:
    report = run(agreed, PARAMS, paths)

    faces = inbox.read(paths.inbox).faces
    assert len(faces) == report.captured >= 3
    assert set(faces["label"]) == {"happy"}
    assert set(faces["subject"]) == {"anna"}
    assert set(faces["source"]) == {"webcam"}
    assert set(faces["domain"]) == {"hall"}
    for one in faces["consent"]:
        assert (one["expires_at"] - one["given_at"]).days == PARAMS.consent_days


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"consent": False}, CONSENT_TEXT[:40]),
        ({"label": None}, "--label angry"),
        ({"label": "hungry"}, "'hungry'"),
        ({"subject": None}, "--subject"),
        ({"subject": ""}, "--subject"),
    ],
)
def test_a_real_face_needs_consent_label_and_name(
    agreed: Wish, paths: Paths, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(DataError) as refused:
        run(dataclasses.replace(agreed, **changes), PARAMS, paths)

    assert told in str(refused.value)
    assert inbox.count(paths.inbox) == 0


@pytest.mark.parametrize("changes", [{"faces": 0}, {"faces": -3}, {"step": 0}])
def test_numbers_of_faces_and_frames_are_positive(
    agreed: Wish, paths: Paths, changes: dict[str, object]
) -> None:
    with pytest.raises(DataError, match="1 or more"):
        run(dataclasses.replace(agreed, **changes), PARAMS, paths)


def test_a_source_without_a_face_is_told_from_an_empty_one(
    agreed: Wish, paths: Paths, tmp_path: Path
) -> None:
    empty = dataclasses.replace(agreed, source=str(tmp_path / "nothing here"))
    with pytest.raises(CameraError, match="Expected frames"):
        run(empty, PARAMS, paths)

    walls = tmp_path / "walls"
    walls.mkdir()
    cv2.imwrite(str(walls / "1.png"), np.full((240, 320, 3), 120, np.uint8))
    with pytest.raises(CameraError, match="found none in 1 frames"):
        run(dataclasses.replace(agreed, source=str(walls)), PARAMS, paths)


def test_no_more_frames_than_asked_for_are_taken(agreed: Wish, paths: Paths) -> None:
    report = run(dataclasses.replace(agreed, faces=2, step=2), PARAMS, paths)

    assert report.captured + report.without_face == 2


@pytest.mark.parametrize(
    ("source", "domain"),
    [
        ("0", "camera-0"),
        ("/home/anna/party.mp4", "camera-party.mp4"),
        ("rtsp://anna:secret@10.0.0.7:554/live", "camera-10.0.0.7"),
    ],
)
def test_a_camera_is_named_without_folders_and_passwords(source: str, domain: str) -> None:
    assert session.domain_of(source) == domain
