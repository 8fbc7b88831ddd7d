"""Self-learning keeps what the model is sure of, of the person who agreed, and not twice."""

import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer.data import inbox, quarantine, table
from fer.emotions import EMOTIONS
from fer.live.capture import Sitting, consent_now
from fer.live.learning import Album, SelfLearner
from fer.live.reading import Face
from fer.params import SelfLearningParams
from fer.paths import Paths
from tests.conftest import SETTINGS, forgotten

Faces = Callable[..., pd.DataFrame]

PARAMS = SelfLearningParams(enabled=True, confidence=0.8, frames=3, near_copy=0.9, per_class=2)
SITTING = Sitting("webcam", "desk", "monday", None)


def told(emotion: str = "happy", confidence: float = 0.9, track: int = 1, place: int = 0) -> Face:
    shares = dict.fromkeys(EMOTIONS, (1 - confidence) / 6) | {emotion: confidence}
    return Face((place, 0, 48, 48), emotion, confidence, 5.0, shares, track, ())


class Model:
    """Answers one emotion, as surely as `sure` says."""

    emotion, sure = "happy", 0.9

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        shares = np.full((len(faces), 7), (1 - self.sure) / 6, np.float32)
        shares[:, EMOTIONS.index(self.emotion)] = self.sure
        return shares


@pytest.fixture
def album(paths: Paths) -> Album:
    return Album(paths, PARAMS, "ana", SITTING)


@pytest.fixture
def frames(faces: Faces) -> list[NDArray[np.uint8]]:
    """Frames that are a face each, all different."""
    return [cv2.cvtColor(one, cv2.COLOR_GRAY2BGR) for one in table.decode(faces(20)["image"])]


def kept(
    album: Album, frames: list[NDArray[np.uint8]], seen: list[list[Face]], model: Model
) -> tuple[list[int], SelfLearner]:
    """Return the numbers of the frames whose face was kept."""
    learner = SelfLearner(album, model, PARAMS)
    looked = [learner.look(frame, faces) for frame, faces in zip(frames, seen, strict=False)]
    return [number for number, one in enumerate(looked) if one], learner


def test_a_face_is_kept_once_it_was_sure_for_long_enough(
    album: Album, frames: list[NDArray[np.uint8]], paths: Paths
) -> None:
    found, _ = kept(album, frames, [[told()]] * 4, Model())
    assert found == [2, 3]
    rows = inbox.read(paths.inbox).faces
    assert set(rows["label"]) == {"happy"}
    assert set(rows["label_source"]) == {"model"}
    np.testing.assert_array_equal(
        table.decode(rows["image"]), [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in frames[2:4]]
    )


@pytest.mark.parametrize(
    "between", [[told(confidence=0.7)], [told("sad")], [replace(told(), quality=("cut",))], [],
     [told(), told(track=2, place=50)]],
    ids=["unsure", "another emotion", "cut off", "no face", "somebody beside"],
)  # fmt: skip
def test_a_break_starts_the_count_anew(
    album: Album, frames: list[NDArray[np.uint8]], between: list[Face]
) -> None:
    found, _ = kept(album, frames, [[told()], [told()], between, *[[told()]] * 3], Model())
    assert found == [5]


def test_the_picture_itself_has_to_show_what_the_smoothed_reading_says(
    album: Album, frames: list[NDArray[np.uint8]]
) -> None:
    model = Model()
    model.sure = 0.5
    assert kept(album, frames, [[told()]] * 6, model)[0] == []
    model.sure, model.emotion = 0.9, "sad"
    assert kept(album, frames, [[told()]] * 6, model)[0] == []


def test_without_a_model_nothing_is_kept(album: Album, frames: list[NDArray[np.uint8]]) -> None:
    blank = replace(told(), emotion=None, confidence=None, score=None, probabilities=None)
    assert kept(album, frames, [[blank]] * 6, Model())[0] == []


def test_nobody_who_comes_after_is_kept(album: Album, frames: list[NDArray[np.uint8]]) -> None:
    seen = [*[[told()]] * 2, [], *[[told(track=2)]] * 6]
    found, learner = kept(album, frames, seen, Model())
    assert found == []
    assert "ended" in str(learner.ended)
    # Not even when the first face is back.
    assert [learner.look(frames[0], [told()]) for _ in range(5)] == [None] * 5


def test_of_several_it_does_not_choose_one(album: Album, frames: list[NDArray[np.uint8]]) -> None:
    both = [told(), told(track=2, place=50)]
    found, learner = kept(album, frames, [both, *[[told()]] * 6], Model())
    assert found == []
    assert "alone" in str(learner.ended)


def test_an_emotion_has_its_cap_over_all_sessions_of_a_sitting(
    album: Album, frames: list[NDArray[np.uint8]]
) -> None:
    for first in (0, 10):
        kept(album, frames[first:], [[told()]] * 10, Model())
    assert album.count == PARAMS.per_class
    model = Model()
    model.emotion = "sad"
    kept(album, frames[10:], [[told("sad")]] * 10, model)
    assert album.count == 2 * PARAMS.per_class


@pytest.mark.parametrize("place", ["inbox", "quarantine"])
def test_what_is_like_a_face_of_the_person_that_is_held_is_not_kept(
    album: Album, faces: Faces, paths: Paths, place: str
) -> None:
    one = faces(2, subject=["ana", "ben"])
    junk = faces(1, first=2, subject="ana", image=b"junk")
    if place == "inbox":
        inbox.put(paths.inbox, pd.concat([one, junk], ignore_index=True))
    else:
        quarantine.put(paths.quarantine, pd.concat([one, junk]).assign(reason="a reason"))
    darker = table.decode(one["image"]) // 2 + 20
    assert album.offer(darker[0], "happy") is None
    assert album.offer(darker[1], "happy") is not None


def test_a_full_disk_ends_it_with_a_sentence(
    album: Album, frames: list[NDArray[np.uint8]], paths: Paths
) -> None:
    paths.inbox.mkdir(parents=True)
    learner = SelfLearner(album, Model(), PARAMS)
    with pytest.MonkeyPatch.context() as patched:
        full = OSError(errno.ENOSPC, "No space left on device", "/somewhere/inbox")
        patched.setattr(inbox, "put", Mock(side_effect=full))
        assert [learner.look(frame, [told()]) for frame in frames[:4]] == [None] * 4
    assert "No space left on device." in str(learner.ended)
    assert "somewhere" not in str(learner.ended)
    assert learner.look(frames[5], [told()]) is None


def test_who_is_forgotten_meanwhile_is_kept_no_more(
    frames: list[NDArray[np.uint8]], paths: Paths
) -> None:
    consent = consent_now(SETTINGS.capture)
    album = Album(paths, PARAMS, "ana", replace(SITTING, consent=consent))
    learner = SelfLearner(album, Model(), PARAMS)
    first = [learner.look(frame, [told()]) for frame in frames[:3]]
    forgotten(paths, "ana", consent.given_at + timedelta(minutes=1))
    after = [learner.look(frame, [told()]) for frame in frames[3:9]]
    assert [*map(bool, first)] == [False, False, True]
    assert after == [None] * 6
    assert album.count == 1
    assert album._held is None
    assert "Agree again" in str(learner.ended)


def test_an_ended_session_holds_no_face_and_the_next_one_still_knows_them(
    album: Album, frames: list[NDArray[np.uint8]]
) -> None:
    assert album.offer(cv2.cvtColor(frames[0], cv2.COLOR_BGR2GRAY), "happy") is not None
    learner = SelfLearner(album, Model(), PARAMS)

    learner.close()

    assert album._held is None
    assert album.offer(cv2.cvtColor(frames[0], cv2.COLOR_BGR2GRAY), "happy") is None
    assert album.offer(cv2.cvtColor(frames[1], cv2.COLOR_BGR2GRAY), "happy") is not None
