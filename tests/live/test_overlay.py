"""What is drawn on a frame is where it belongs, and the frame stays as it was."""

import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer.emotions import EMOTIONS
from fer.live.overlay import TONES, draw
from fer.live.reading import Face
from tests.conftest import REPOSITORY

SHARES = dict.fromkeys(EMOTIONS, 0.02) | {"happy": 0.88}


def _face(x: int = 200, y: int = 150, side: int = 160, emotion: str = "happy") -> Face:
    return Face((x, y, side, side), emotion, 0.88, 4.9, SHARES, 1, ())


def _frame(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 100, np.uint8)


def _changed(drawn: NDArray[np.uint8], frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (drawn != frame).any(axis=2)


def test_the_frame_itself_is_left_alone() -> None:
    frame = _frame()
    drawn = draw(frame, [_face()], probabilities=True)
    assert (frame == 100).all()
    assert not np.shares_memory(drawn, frame)


def test_without_a_face_nothing_is_drawn() -> None:
    np.testing.assert_array_equal(draw(_frame(), [], probabilities=True), _frame())


def test_the_box_has_the_colour_of_the_emotion_and_the_face_stays_visible() -> None:
    drawn = draw(_frame(), [_face()])
    assert tuple(drawn[150 + 80, 200]) == tuple(drawn[150 + 80, 360]) == TONES["happy"]
    assert (drawn[160:300, 210:350] == 100).all()


def test_another_answer_is_another_picture() -> None:
    answers = [draw(_frame(), [_face(emotion=emotion)]) for emotion in EMOTIONS]
    assert len({drawn.tobytes() for drawn in answers}) == len(EMOTIONS)


def test_a_face_without_a_model_has_a_box_and_says_so() -> None:
    unread = Face((200, 150, 160, 160), None, None, None, None, None, ())
    changed = _changed(draw(_frame(), [unread], probabilities=True), _frame())
    assert changed[230, 200]
    assert changed[:150].any()
    assert not changed[320:].any()


def test_flaws_are_written_below_the_face() -> None:
    flawed = Face((200, 150, 160, 160), "happy", 0.88, 4.9, SHARES, 1, ("small", "cut"))
    changed = _changed(draw(_frame(), [flawed]), draw(_frame(), [_face()]))
    assert changed[311:].any()
    assert not changed[:300].any()


def test_probabilities_are_in_the_corner_and_of_the_largest_face() -> None:
    small = Face((400, 20, 60, 60), "sad", 0.5, 3.0, SHARES | {"sad": 0.5}, 2, ())
    plain, bars = (draw(_frame(), [_face(), small], probabilities=one) for one in (False, True))
    # The face's box is thicker, and the corner has bars.
    assert _changed(plain, bars)[350:, :190].any()
    assert not _changed(plain, bars)[:140].any()
    alone = draw(_frame(), [_face()], probabilities=True)
    np.testing.assert_array_equal(bars[330:], alone[330:])


def test_text_grows_with_the_picture() -> None:
    once = _changed(draw(_frame(), [_face()]), _frame())
    large = _face(400, 300, 320)
    twice = _changed(draw(_frame(960, 1280), [large]), _frame(960, 1280))
    assert np.count_nonzero(twice) == pytest.approx(4 * np.count_nonzero(once), rel=0.25)


@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    x=st.integers(-100, 250),
    y=st.integers(-100, 250),
    side=st.integers(1, 300),
)
def test_any_box_in_any_frame_can_be_drawn(
    height: int, width: int, x: int, y: int, side: int
) -> None:
    frame = _frame(height, width)[:, ::-1]
    drawn = draw(frame, [_face(x, y, side)], probabilities=True)
    assert (drawn.shape, drawn.dtype) == (frame.shape, np.uint8)


def test_the_colours_are_those_of_the_page() -> None:
    style = (REPOSITORY / "fer/live/web/static/page.css").read_text("utf-8")
    for emotion, tone in TONES.items():
        found = re.search(rf"--{emotion}: light-dark\(#\w+, #(\w{{6}})\)", style)
        assert found is not None, emotion
        assert bytes.fromhex(found[1])[::-1] == bytes(tone), emotion


def test_it_can_be_written_as_a_film_frame() -> None:
    assert cv2.imencode(".jpg", draw(_frame()[::-1], [_face()]))[0]
