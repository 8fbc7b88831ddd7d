"""Only counts of many faces are written, each face once, and nothing stops the page."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer.evaluation import sketch
from fer.evaluation.sketch import WINDOW
from fer.files import locked
from fer.live.film import STAYING
from fer.live.predictor import Predictor
from fer.live.reading import Face
from fer.live.seen import Agreement, Onlooker, Passers
from fer.paths import Paths
from tests.live.conftest import Registry


@pytest.fixture
def registry(make_model: Callable[..., Path]) -> Registry:
    return Registry({1: make_model("happy"), 2: make_model("sad")})


@pytest.fixture
def predictor(registry: Registry) -> Predictor:
    found = Predictor(registry)
    found.refresh()
    return found


@pytest.fixture
def onlooker(paths: Paths, predictor: Predictor) -> Onlooker:
    return Onlooker(paths, predictor)


def face(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(256, size=(48, 48)).astype(np.uint8)


def show(onlooker: Onlooker, count: int, camera: str = "kiosk") -> None:
    for number in range(count):
        onlooker.add(camera, face(number))


def test_nothing_is_written_before_a_window_is_full(paths: Paths, onlooker: Onlooker) -> None:
    show(onlooker, WINDOW - 1)
    show(onlooker, WINDOW - 1, "hall")

    assert not paths.seen.exists()


def test_a_full_window_is_written_as_counts_alone(paths: Paths, onlooker: Onlooker) -> None:
    show(onlooker, 2 * WINDOW + 7)

    found = sketch.read(paths.seen)
    assert found is not None
    assert found.version == 1
    assert [sketch.rows(one) for one in found.cameras["kiosk"].windows] == [WINDOW, WINDOW]
    told = json.loads(paths.seen.read_text())
    assert set(told) == {"version", "bins", "cameras"}
    assert set(told["cameras"]["kiosk"]) == {"looks", "windows"}


def test_a_new_champion_starts_from_nothing(
    paths: Paths, onlooker: Onlooker, registry: Registry, predictor: Predictor
) -> None:
    show(onlooker, WINDOW + 30)
    registry.champion = 2
    predictor.refresh()
    show(onlooker, WINDOW - 1)
    assert sketch.read(paths.seen).version == 1  # type: ignore[union-attr]

    show(onlooker, 1)

    found = sketch.read(paths.seen)
    assert found is not None
    assert (found.version, found.cameras["kiosk"].looks) == (2, 1)


def test_another_process_that_writes_makes_it_wait(paths: Paths, onlooker: Onlooker) -> None:
    with locked(paths.lock("seen")):
        show(onlooker, WINDOW + 3)
    assert not paths.seen.exists()

    show(onlooker, 1)

    found = sketch.read(paths.seen)
    assert found is not None
    assert sketch.rows(found.cameras["kiosk"].windows[0]) == WINDOW + 4


def test_a_damaged_file_is_begun_anew_and_said(
    paths: Paths, onlooker: Onlooker, caplog: pytest.LogCaptureFixture
) -> None:
    paths.seen.parent.mkdir()
    paths.seen.write_text("{")

    show(onlooker, WINDOW)

    assert sketch.read(paths.seen) is not None
    assert "Counting anew" in caplog.text


def test_a_model_from_a_file_is_not_counted(paths: Paths, make_model: Callable[..., Path]) -> None:
    show(Onlooker(paths, Predictor.of_file(make_model("happy"))), WINDOW)
    show(Onlooker(paths, Predictor(None)), WINDOW)

    assert not paths.seen.exists()


# -- beside the champion -----------------------------------------------------------------------


def test_a_shadow_answers_the_same_faces_and_only_how_often_alike_stays(
    paths: Paths, registry: Registry, predictor: Predictor
) -> None:
    unseen = Registry(dict(registry.files), champion=2)
    shadow = Predictor(unseen)
    onlooker = Onlooker(paths, predictor, shadow)
    show(onlooker, 3)
    assert onlooker.agreement is None
    shadow.refresh()
    show(onlooker, 3)
    assert onlooker.agreement == Agreement(champion=1, shadow=2, faces=3, alike=0)
    registry.champion = 2
    unseen.champion = 1
    for one in (predictor, shadow):
        one.refresh()
    show(onlooker, 2)
    assert onlooker.agreement == Agreement(champion=2, shadow=1, faces=2, alike=0)
    unseen.champion = 2
    shadow.refresh()
    show(onlooker, 4)
    assert onlooker.agreement == Agreement(champion=2, shadow=2, faces=4, alike=4)


def test_a_shadow_whose_name_was_taken_away_answers_no_more(
    paths: Paths, predictor: Predictor, make_model: Callable[..., Path]
) -> None:
    class Named(Registry):
        def version(self) -> int | None:  # type: ignore[override]
            return self.champion or None

    named = Named({2: make_model("sad")}, champion=2)
    shadow = Predictor(named)
    shadow.refresh()
    onlooker = Onlooker(paths, predictor, shadow)
    show(onlooker, 1)
    assert onlooker.agreement is not None
    named.champion = 0
    shadow.refresh()
    show(onlooker, 1)
    assert (onlooker.agreement, shadow.answer, shadow.state.error) == (None, None, None)


# -- which faces count -------------------------------------------------------------------------


@pytest.fixture
def counted() -> SimpleNamespace:
    """Stands for an onlooker and keeps what it was shown."""
    cameras: list[str] = []
    return SimpleNamespace(cameras=cameras, add=lambda camera, _: cameras.append(camera))


def seen(*tracks: int) -> list[Face]:
    return [Face((10, 10, 60, 60), "happy", 0.9, 3.0, {}, track, ()) for track in tracks]


FRAME = np.zeros((120, 160, 3), np.uint8)


def test_a_face_that_stays_counts_once(counted: SimpleNamespace) -> None:
    passers = Passers(counted, "kiosk")
    for _ in range(5 * STAYING):
        passers.look(FRAME, seen(1, 2))

    assert counted.cameras == ["kiosk", "kiosk"]


def test_a_face_that_flickers_does_not_count(counted: SimpleNamespace) -> None:
    passers = Passers(counted, "kiosk")
    for _ in range(3):
        for _ in range(STAYING - 1):
            passers.look(FRAME, seen(1))
        passers.look(FRAME, seen())

    assert counted.cameras == []
