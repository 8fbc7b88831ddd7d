"""A face keeps its number while it is in view; boxes and answers become steady."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer.faces.detect import Box
from fer.faces.track import Tracker, overlap

_SIDES = st.integers(1, 400)
_BOXES = st.builds(Box, st.integers(0, 600), st.integers(0, 400), _SIDES, _SIDES)


def _numbers(tracker: Tracker, boxes: list[Box], seconds: float) -> list[int]:
    return [one.number for one in tracker.update(boxes, None, seconds=seconds)]


@given(_BOXES, _BOXES)
def test_overlap_is_a_symmetric_share(first: Box, second: Box) -> None:
    assert 0 <= overlap(first, second) == overlap(second, first) <= 1
    assert overlap(first, first) == 1


def test_boxes_apart_share_nothing() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) == 0


def test_a_moving_face_keeps_its_number() -> None:
    tracker = Tracker()
    for step in range(30):
        assert _numbers(tracker, [Box(10 * step, 50, 100, 100)], step / 30) == [1]


def test_two_faces_keep_theirs_whatever_their_order() -> None:
    tracker = Tracker()
    left, right = Box(0, 0, 100, 100), Box(300, 0, 100, 100)
    assert _numbers(tracker, [left, right], 0.0) == [1, 2]
    assert _numbers(tracker, [right, left], 0.1) == [2, 1]


def test_the_nearer_box_takes_the_number() -> None:
    tracker = Tracker()
    tracker.update([Box(0, 0, 100, 100)], None, seconds=0.0)
    assert _numbers(tracker, [Box(60, 0, 100, 100), Box(5, 0, 100, 100)], 0.1) == [2, 1]


@pytest.mark.parametrize(("away", "number"), [(0.9, 1), (1.1, 2)])
def test_a_face_is_forgotten_after_a_second(away: float, number: int) -> None:
    tracker = Tracker()
    box = Box(0, 0, 100, 100)
    tracker.update([box], None, seconds=0.0)
    assert _numbers(tracker, [], away / 2) == []
    assert _numbers(tracker, [box], away) == [number]


def test_the_first_answer_is_told_as_it_is() -> None:
    answer = np.eye(7, dtype=np.float32)[:1]
    (track,) = Tracker().update([Box(1, 2, 30, 30)], answer, seconds=5.0)
    assert track.box == Box(1, 2, 30, 30)
    np.testing.assert_array_equal(track.probabilities, answer[0])


def test_an_answer_moves_63_percent_in_a_quarter_of_a_second() -> None:
    tracker = Tracker()
    answers = np.eye(7, dtype=np.float32)
    box = [Box(0, 0, 100, 100)]
    tracker.update(box, answers[:1], seconds=0.0)
    (track,) = tracker.update(box, answers[1:2], seconds=0.25)
    assert track.probabilities is not None
    assert track.probabilities[1] == pytest.approx(1 - np.exp(-1), abs=1e-3)
    assert track.probabilities.sum() == pytest.approx(1)


def test_the_number_of_frames_between_makes_no_difference() -> None:
    box, answers = [Box(0, 0, 100, 100)], np.eye(7, dtype=np.float32)
    told = []
    for frames in (3, 30):
        tracker = Tracker()
        tracker.update(box, answers[:1], seconds=0.0)
        for number in range(1, frames + 1):
            (track,) = tracker.update(box, answers[1:2], seconds=0.3 * number / frames)
        assert track.probabilities is not None
        told.append(track.probabilities[1])
    assert told[0] == pytest.approx(told[1], abs=1e-4)


def test_a_model_that_comes_late_is_told_at_once() -> None:
    tracker = Tracker()
    box = [Box(0, 0, 100, 100)]
    tracker.update(box, None, seconds=0.0)
    (track,) = tracker.update(box, np.eye(7, dtype=np.float32)[:1], seconds=0.01)
    assert track.probabilities is not None
    assert track.probabilities[0] == 1
