"""In films only faces that stay are told, from their first frame on."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from fer.live.film import staying
from fer.live.reading import Face, Reading


def _film(*tracks: Sequence[int]) -> list[Reading]:
    """A film in whose frames the faces with these numbers are seen."""
    return [
        Reading("film", 8, 8, [_face(number) for number in seen], frame)
        for frame, seen in enumerate(tracks)
    ]


def _face(number: int) -> Face:
    return Face((0, 0, 4, 4), None, None, None, None, number, ())


def _told(film: list[Reading]) -> list[list[int | None]]:
    return [[face.track for face in one.faces] for one in staying(iter(film), frames=3)]


def test_a_face_that_stays_is_told_from_its_first_frame() -> None:
    assert _told(_film([], [1], [1], [1], [1], [])) == [[], [1], [1], [1], [1], []]


def test_a_flicker_is_not_told() -> None:
    assert _told(_film([1], [1, 2], [1, 2], [1], [1, 2], [1])) == [[1]] * 6


def test_a_face_that_stayed_once_is_told_when_it_comes_back() -> None:
    assert _told(_film([1], [1], [1], [], [1], [])) == [[1], [1], [1], [], [1], []]


def test_faces_are_numbered_anew_without_gaps() -> None:
    film = _film([1, 4], [4], [4, 2], [4, 7], [4, 7], [7], [7])
    assert _told(film) == [[1], [1], [1], [1, 2], [1, 2], [2], [2]]


def test_in_a_film_of_few_frames_a_face_must_be_in_all() -> None:
    assert _told(_film([1], [1, 2])) == [[1], [1]]
    assert _told(_film([], [1])) == [[], []]
    assert _told([]) == []


@given(st.lists(st.sets(st.integers(1, 4)), max_size=12))
def test_every_frame_is_told_once_in_order(seen: list[set[int]]) -> None:
    film = _film(*[sorted(one) for one in seen])
    assert [one.frame for one in staying(iter(film), frames=3)] == list(range(len(seen)))
