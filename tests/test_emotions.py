"""Seven emotions in FER2013's order, and the names people give them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.emotions import EMOJI, EMOTIONS, INDEX, MAX_SCORE, emotion_named, intensity


def test_the_order_is_that_of_fer2013() -> None:
    # The csv's column `emotion`: 0=Angry, 1=Disgust, ..., 6=Neutral. Every model relies on it.
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert [INDEX[emotion] for emotion in EMOTIONS] == list(range(7))


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_goes_by_its_name_in_any_case_and_by_its_number(emotion: str) -> None:
    for name in (emotion, emotion.upper(), f" {emotion.title()}\n", str(INDEX[emotion])):
        assert emotion_named(name) == emotion


@pytest.mark.parametrize(
    ("name", "emotion"),
    [("Happiness", "happy"), ("anger", "angry"), ("AFRAID", "fear"), ("neutrality", "neutral"),
     ("sadness", "sad"), ("surprised", "surprise"), ("Disgusted", "disgust")],
)  # fmt: skip
def test_other_data_sets_names_are_understood(name: str, emotion: str) -> None:
    assert emotion_named(name) == emotion


@pytest.mark.parametrize("name", ["", "contempt", "7", "-1", "0.0", "²", "nan", "unknown"])
def test_what_is_no_emotion_is_none(name: str) -> None:
    assert emotion_named(name) is None


@given(st.text())
def test_any_text_is_an_emotion_or_none(name: str) -> None:
    assert emotion_named(name) in {*EMOTIONS, None}


def test_every_emotion_has_a_face_of_its_own_in_class_order() -> None:
    assert tuple(EMOJI) == EMOTIONS
    assert len(set(EMOJI.values())) == len(EMOTIONS)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_intensity_is_how_far_a_face_is_from_neutral(emotion: str) -> None:
    sure = [float(name == emotion) for name in EMOTIONS]
    assert intensity(sure) == (0 if emotion == "neutral" else MAX_SCORE)


def test_a_number_of_thousands_of_digits_is_no_emotion() -> None:
    assert emotion_named("9" * 5000) is None
