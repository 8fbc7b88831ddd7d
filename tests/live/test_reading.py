"""A frame's faces come with their emotions, numbered where they are followed."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer.faces.detect import Detector
from fer.faces.track import Tracker
from fer.live.predictor import Predictor
from fer.live.reading import follow, read


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def test_a_face_tells_its_emotion(
    shown: SimpleNamespace, make_model: Callable[..., Path], detector: Detector
) -> None:
    (face,) = read(shown.image, detector, Predictor.of_file(make_model("happy")).probabilities)
    assert face.emotion == "happy"
    assert face.probabilities is not None
    assert face.confidence == face.probabilities["happy"] > 0.7
    assert face.score == pytest.approx(5 * (1 - face.probabilities["neutral"]), abs=0.01)
    assert face.track is None


def test_without_a_model_only_the_box_is_told(shown: SimpleNamespace, detector: Detector) -> None:
    (face,) = read(shown.image, detector, None)
    assert face.box[2] > 0
    assert (face.emotion, face.score, face.probabilities) == (None, None, None)


def test_a_followed_face_keeps_its_number(shown: SimpleNamespace, detector: Detector) -> None:
    tracker = Tracker()
    numbers = [
        follow(shown.image, detector, None, tracker, seconds=seconds)[0].track
        for seconds in (0.0, 0.1)
    ]
    assert numbers == [1, 1]


def test_both_ways_of_reading_tell_the_flaws(shown: SimpleNamespace, detector: Detector) -> None:
    far = np.asarray(cv2.resize(shown.image, None, fx=0.25, fy=0.25), np.uint8)
    assert [face.quality for face in read(far, detector, None)] == [("small",)]
    (followed,) = follow(far, detector, None, Tracker(), seconds=0)
    assert followed.quality == ("small",)


@pytest.mark.parametrize(("sure", "told"), [(0.49, ("unsure",)), (0.51, ())])
def test_an_answer_that_is_rather_wrong_than_right_is_called_unsure(
    shown: SimpleNamespace, detector: Detector, sure: float, told: tuple[str, ...]
) -> None:
    shares = np.full((1, 7), (1 - sure) / 6, np.float32)
    shares[0, 3] = sure
    (face,) = read(shown.image, detector, lambda _: shares)
    assert face.quality == told
