"""The window shows what is read, and each key does what it says; without any display."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer.data import inbox
from fer.emotions import EMOTIONS
from fer.errors import CameraError
from fer.faces.camera import Frame
from fer.faces.detect import Detector
from fer.live import panel
from fer.live.predictor import SHIPPED_VERSION, Predictor
from fer.live.teacher import Teacher
from fer.live.window import Window
from fer.paths import Paths
from tests.conftest import SETTINGS
from tests.live.conftest import Registry

MakeModel = Callable[..., Path]
PARAMS = SETTINGS.capture


class _Display:
    """Gives the keys of a script, one a look, and then none; remembers what it showed."""

    def __init__(self, *keys: str) -> None:
        self.keys = iter(keys)
        self.shown: list[Frame] = []

    def show(self, picture: Frame) -> None:
        self.shown.append(picture)

    def key(self, _: float) -> str:
        return next(self.keys, "")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every line that the bar has shown."""
    seen: list[str] = []
    draw = panel.with_bar

    def drawing(frame: Frame, told: list[str]) -> Frame:
        seen.extend(told)
        return draw(frame, told)

    monkeypatch.setattr(panel, "with_bar", drawing)
    return seen


@pytest.fixture
def watch(detector: Detector, make_model: MakeModel, paths: Paths) -> Callable[..., _Display]:
    """Return a function that shows frames in a window in which `keys` are pressed."""

    def run(
        frames: Iterable[Frame | None],
        *keys: str,
        predictor: Predictor | None = None,
        subject: str | None = "anna",
    ) -> _Display:
        display = _Display(*keys)
        teacher = Teacher(subject, "desk", detector, PARAMS, paths)
        answering = predictor or Predictor.of_file(make_model("happy"))
        Window(display, detector, answering, teacher, paths).watch(iter(frames))
        return display

    return run


Watch = Callable[..., _Display]


def _counted(frame: Frame, taken: list[int]) -> Iterator[Frame]:
    """An endless film that writes down which frames were taken from it."""
    while True:
        taken.append(len(taken))
        yield frame


def _succession(registry: Registry, predictor: Predictor, frame: Frame) -> Iterator[Frame]:
    """A film in the middle of which version 2 becomes champion."""
    predictor.refresh()
    yield frame
    registry.champion = 2
    predictor.refresh()
    yield frame


def test_it_ends_with_the_film(watch: Watch, shown: SimpleNamespace) -> None:
    display = watch([shown.image, None, shown.image])

    _, *pictures = display.shown
    assert len(pictures) == 2
    height, width = shown.image.shape[:2]
    # The box of the face.
    assert (pictures[0][:height, :width] != shown.image).any()


@pytest.mark.parametrize("key", ["q", "\x1b"])
def test_it_ends_at_a_key(watch: Watch, shown: SimpleNamespace, key: str) -> None:
    taken: list[int] = []

    watch(_counted(shown.image, taken), "", key)

    assert len(taken) == 2


def test_quitting_works_before_a_camera_has_given_a_frame(watch: Watch) -> None:
    def silent() -> Iterator[None]:
        while True:
            yield None

    assert len(watch(silent(), "s", "a", " ", "1", "q").shown) == 1


def test_a_pause_takes_no_frame_until_it_ends(watch: Watch, shown: SimpleNamespace) -> None:
    taken: list[int] = []

    watch(_counted(shown.image, taken), " ", "", "", "", " ", "q")

    assert len(taken) == 2


def test_a_lost_camera_is_told(watch: Watch, shown: SimpleNamespace) -> None:
    def losing() -> Iterator[Frame]:
        yield shown.image
        raise CameraError("gone")

    with pytest.raises(CameraError, match="gone"):
        watch(losing())


def test_all_seven_are_shown_and_hidden_again(watch: Watch, shown: SimpleNamespace) -> None:
    _, _, without, with_seven, again, *_ = watch([shown.image], " ", "a", "a", "q").shown

    assert (without != with_seven).any()
    np.testing.assert_array_equal(again, without)


def test_a_saved_picture_is_what_was_seen(
    watch: Watch, paths: Paths, shown: SimpleNamespace
) -> None:
    display = watch([shown.image], "s")

    (file,) = paths.screenshots.iterdir()
    height, width = shown.image.shape[:2]
    np.testing.assert_array_equal(cv2.imread(str(file)), display.shown[-1][:height, :width])


def test_a_picture_that_cannot_be_saved_is_told(
    watch: Watch, paths: Paths, shown: SimpleNamespace, lines: list[str]
) -> None:
    paths.screenshots.parent.mkdir()
    paths.screenshots.touch()

    watch([shown.image], "s")

    assert any(line.startswith("Not saved: ") for line in lines)


def test_each_number_keeps_the_face_under_its_emotion(
    watch: Watch, paths: Paths, shown: SimpleNamespace, lines: list[str]
) -> None:
    watch([shown.image] * 9, "1", "y", *"234567")

    assert list(inbox.read(paths.inbox).faces["label"]) == list(EMOTIONS)
    assert any("7 kept" in line for line in lines)


def test_the_consent_text_stands_until_it_is_answered(
    watch: Watch, paths: Paths, shown: SimpleNamespace
) -> None:
    taken: list[int] = []

    display = watch(_counted(shown.image, taken), "4", "", "", "q", "q")

    # The first q declines, the second one quits.
    assert len(taken) == 2
    assert inbox.count(paths.inbox) == 0
    question = display.shown[2]
    assert question.shape == display.shown[1].shape
    height, width = shown.image.shape[:2]
    assert np.median(question[:height, :width]) < 30


def test_a_new_champion_answers_and_is_told(
    watch: Watch, make_model: MakeModel, shown: SimpleNamespace, lines: list[str]
) -> None:
    registry = Registry({1: make_model("happy"), 2: make_model("sad")})
    predictor = Predictor(registry)
    frames = _succession(registry, predictor, shown.image)

    display = watch(frames, predictor=predictor)

    assert any("Now version 2" in line for line in lines)
    assert lines[0].startswith("version 1")
    height, width = shown.image.shape[:2]
    first, second = (one[:height, :width] for one in display.shown[1:])
    assert (first != second).any()


def test_a_broken_champion_is_told_and_the_old_one_goes_on(
    watch: Watch, make_model: MakeModel, shown: SimpleNamespace, lines: list[str]
) -> None:
    registry = Registry({1: make_model("happy"), 2: Path("missing.onnx")})
    predictor = Predictor(registry)
    frames = _succession(registry, predictor, shown.image)

    watch(frames, predictor=predictor)

    assert any("Version 2 cannot be served" in line for line in lines)
    assert lines[-3].startswith("version 1")


def test_without_a_model_faces_have_a_box_and_it_says_why(
    watch: Watch, make_model: MakeModel, shown: SimpleNamespace, lines: list[str]
) -> None:
    predictor = Predictor(Registry({}, champion=SHIPPED_VERSION))
    predictor.refresh()

    display = watch([shown.image], predictor=predictor)

    height, width = shown.image.shape[:2]
    assert (display.shown[1][:height, :width] != shown.image).any()
    assert lines[0].startswith("no model: fer doctor tells why")
