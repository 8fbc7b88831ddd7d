"""Drawn faces are the same every time, balanced, and found; people stay themselves."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import cv2.data
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer.data import table
from fer.data.synthetic import CAMERAS, LabelledFrame, draw_faces, draw_frames
from fer.emotions import EMOTIONS
from fer.errors import ParamsError
from fer.records import SIZE

SUBJECTS = ("ada", "ben", "cleo")


def faces(*, camera: str = "studio", subjects: tuple[str, ...] = SUBJECTS,
          per_subject: int = 7, seed: int = 0) -> pd.DataFrame:  # fmt: skip
    return draw_faces(camera=camera, subjects=subjects, per_subject=per_subject, seed=seed)


def average(drawn: pd.DataFrame) -> NDArray[np.float64]:
    """Return the mean face, each face standardised, `(48, 48)`."""
    pixels = table.decode(drawn["image"]).astype(np.float64)
    pixels -= pixels.mean((1, 2), keepdims=True)
    return np.asarray((pixels / pixels.std((1, 2), keepdims=True)).mean(0))


def likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_same_arguments_give_the_same_bytes() -> None:
    pd.testing.assert_frame_equal(faces(), faces())


def test_the_same_arguments_give_the_same_frames() -> None:
    one, other = (
        list(draw_frames(camera="phone", subjects=["ada"], per_subject=2, seed=0)) for _ in "12"
    )
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first.image, second.image)


def test_another_seed_gives_other_faces() -> None:
    assert not set(faces(seed=0)["id"]) & set(faces(seed=1)["id"])


def test_no_two_cameras_give_the_same_pixels() -> None:
    ids = [name for camera in CAMERAS for name in faces(camera=camera)["id"]]
    assert len(set(ids)) == len(CAMERAS) * len(SUBJECTS) * 7


def test_every_emotion_comes_equally_often_for_every_subject() -> None:
    counts = faces(per_subject=14).groupby("subject")["label"].value_counts()
    assert len(counts) == len(SUBJECTS) * len(EMOTIONS)
    assert set(counts) == {2}


def test_a_face_does_not_depend_on_how_many_are_drawn() -> None:
    alone = faces(subjects=("ben",), per_subject=3)
    among = faces(subjects=("cleo", "ben", "ada"), per_subject=8)
    of_ben = among[among["subject"] == "ben"].head(3).reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, of_ben)


def test_a_subject_is_more_like_itself_before_another_camera_than_like_others() -> None:
    names = tuple("abcdefgh")  # two of them may look alike, so all are compared together
    studio, webcam = (
        [average(faces(camera=camera, subjects=(name,), per_subject=14)) for name in names]
        for camera in ("studio", "webcam")
    )
    alike = np.array([[likeness(one, other) for other in webcam] for one in studio])
    itself = np.eye(len(names), dtype=bool)
    assert alike[itself].min() > 0.75
    assert alike[~itself].mean() < 0.65


def test_the_table_can_be_written_and_read_back(tmp_path: Path) -> None:
    drawn = faces(camera="window").assign(split="train")
    table.write(tmp_path / "faces.parquet", drawn)
    back = table.read(tmp_path / "faces.parquet")
    pixels = table.decode(back["image"])
    assert list(back["id"]) == [table.face_id(face) for face in pixels] == list(drawn["id"])
    assert pixels.shape == (len(drawn), SIZE, SIZE)
    assert set(back["domain"]) == {"synthetic-window"}
    assert set(back["session"]) == {f"{name}@window" for name in SUBJECTS}
    assert back["consent"].isna().all()


@pytest.fixture(scope="module")
def frames() -> list[LabelledFrame]:
    """Frames of the studio camera, each with another subject."""
    names = [f"subject {number}" for number in range(20)]
    return list(draw_frames(camera="studio", subjects=names, per_subject=1, seed=0))


def found(image: NDArray[np.uint8]) -> Sequence[int] | None:
    """Return x, y, width and height in pixels of the largest face that OpenCV finds."""
    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_alt2.xml")
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    boxes = cascade.detectMultiScale(grey, 1.1, 3, minSize=(48, 48))
    return max(boxes, key=lambda box: box[2], default=None)


def test_a_detector_finds_the_faces_and_its_crops_look_like_drawn_ones(
    frames: list[LabelledFrame],
) -> None:
    boxes = [found(frame.image) for frame in frames]
    crops = [
        cv2.resize(
            cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)[y : y + side, x : x + side],
            (SIZE, SIZE),
            interpolation=cv2.INTER_AREA,
        )
        for frame, box in zip(frames, boxes, strict=True)
        if box is not None
        for x, y, side, _ in [box]
    ]
    assert len(crops) >= 0.9 * len(frames)
    detected = pd.DataFrame({"image": table.encode(np.stack(crops).astype(np.uint8))})
    names = tuple(frame.subject for frame in frames)
    assert likeness(average(detected), average(faces(subjects=names, per_subject=1))) > 0.9


def test_a_frame_has_the_size_of_a_webcam(frames: list[LabelledFrame]) -> None:
    assert {frame.image.shape for frame in frames} == {(480, 640, 3)}
    assert {frame.label for frame in frames} <= set(EMOTIONS)


@pytest.mark.parametrize("draw", [draw_faces, draw_frames])
def test_an_unknown_camera_is_refused_at_once_with_the_known_ones(draw: object) -> None:
    assert callable(draw)
    with pytest.raises(ParamsError, match=r"studio, window.*'telescope'"):
        draw(camera="telescope", subjects=["ada"], per_subject=1, seed=0)
