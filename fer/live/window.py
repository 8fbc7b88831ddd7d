"""The champion at work in a window, and people who teach it with seven keys."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import cv2

from fer.emotions import EMOTIONS
from fer.faces.camera import Frame
from fer.faces.detect import Detector, chosen
from fer.faces.track import Tracker
from fer.files import replacing
from fer.live import feed, overlay, panel
from fer.live.champion import Champion
from fer.live.predictor import Predictor
from fer.live.reading import Face, follow
from fer.live.screen import Screen
from fer.live.seen import Onlooker, Passers
from fer.live.session import domain_of
from fer.live.teacher import Teacher
from fer.params import CaptureParams
from fer.paths import Paths
from fer.records import now

_KEYS: Final = "Q quit   S save picture   A all seven   space pause   1-7 keep face as"
_LABELS: Final = "  ".join(f"{number} {name}" for number, name in enumerate(EMOTIONS, 1))
_ESCAPE: Final = "\x1b"

_NOTICE_SECONDS: Final = 4.0
_IDLE_SECONDS: Final = 0.005
_STILL_SECONDS: Final = 0.05

_RATE_STEADY: Final = 0.9
"""What stays of the frame rate shown with each new frame."""

_RATE_LONGEST: Final = 1.0
"""Seconds between frames beyond which they have no rate: pictures of a folder, a pause."""


def run(
    source: str,
    params: CaptureParams,
    paths: Paths,
    *,
    domain: str | None,
    subject: str | None,
    model: Path | None,
) -> None:
    """Show `source` until it ends or the window is closed.

    Args:
        source: Camera number, film, stream, picture or folder of pictures.
        params: Detector and consent.
        paths: The checkout.
        domain: Camera or room; None: named after the source.
        subject: Pseudonym of who is seen; None: no face can be kept.
        model: ONNX file to serve; None: the champion, wherever its alias moves.

    Raises:
        FerError: No window can open here.
        CameraError: The source gives no frames, or a camera no more.
        ModelError: The file is no emotion model, or the detector's no detector.
    """
    detector = Detector(chosen(params, paths))
    predictor = Predictor.of_file(model) if model else Predictor(Champion(paths))
    teacher = Teacher(subject, domain or domain_of(source), detector, params, paths)
    screen = Screen()
    predictor.follow()
    try:
        with closing(feed.of(source)) as frames:
            Window(screen, detector, predictor, teacher, paths).watch(frames)
    finally:
        predictor.close()
        screen.close()


class Display(Protocol):
    """Where pictures are shown and keys come from; see `screen.Screen`."""

    def show(self, picture: Frame) -> None:
        """Show `picture`: BGR, shape `(height, width, 3)`, values 0-255."""

    def key(self, seconds: float) -> str:
        """Return the key that is pressed within `seconds`, in lower case, or nothing."""


class Window:
    """What is seen, and which key does what.

    Args:
        display: Shows pictures and gives keys.
        detector: Finds the faces.
        predictor: Tells their emotions.
        teacher: Keeps faces.
        paths: The checkout.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        display: Display,
        detector: Detector,
        predictor: Predictor,
        teacher: Teacher,
        paths: Paths,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """See the class."""
        self._display, self._detector, self._predictor = display, detector, predictor
        self._teacher, self._paths, self._clock = teacher, paths, clock
        self._tracker = Tracker()
        self._passers = Passers(Onlooker(paths, predictor), teacher.domain)
        self._frame: Frame | None = None
        self._faces: list[Face] = []
        self._seen_seconds = self._seconds_a_frame = 0.0
        self._told = predictor.state
        self._notice, self._notice_ends = "", 0.0
        self._done = self._paused = self._all_seven = False

    def watch(self, frames: Iterator[Frame | None]) -> None:
        """Show `frames` and obey the keys, until the frames end or someone quits.

        Raises:
            CameraError: As `frames` says.
        """
        self._display.show(panel.sheet(["Opening the camera ..."], 640, 360))
        while not self._done:
            still = self._paused or self._teacher.question is not None
            if not still:
                try:
                    frame = next(frames)
                except StopIteration:
                    return
                if frame is not None:
                    self._look(frame)
                    self._draw(frame)
            if key := self._display.key(_STILL_SECONDS if still else _IDLE_SECONDS):
                self._press(key)

    def _look(self, frame: Frame) -> None:
        seconds = self._clock()
        passed = seconds - self._seen_seconds
        if passed < _RATE_LONGEST:
            kept = _RATE_STEADY if self._seconds_a_frame else 0.0
            self._seconds_a_frame = kept * self._seconds_a_frame + (1 - kept) * passed
        self._seen_seconds = seconds
        self._frame = frame
        answer = self._predictor.answer
        self._faces = follow(frame, self._detector, answer, self._tracker, seconds=seconds)
        self._passers.look(frame, self._faces)
        self._follow_champion()

    def _follow_champion(self) -> None:
        before, self._told = self._told, self._predictor.state
        if self._told.error and self._told.error != before.error:
            self._tell(self._told.error)
        elif before.name and self._told.name != before.name:
            self._tell(f"Now {self._told.name} answers; before, it was {before.name}.")

    # -- what is seen ------------------------------------------------------------------------

    def _draw(self, frame: Frame) -> None:
        notice = self._notice if self._clock() < self._notice_ends else _KEYS
        picture = panel.with_bar(self._drawn(frame), [self._status(), notice, _LABELS])
        question = self._teacher.question
        if question is not None:
            height, width = picture.shape[:2]
            picture = panel.sheet(question, width, height)
        self._display.show(picture)

    def _drawn(self, frame: Frame) -> Frame:
        return overlay.draw(frame, self._faces, probabilities=self._all_seven)

    def _status(self) -> str:
        state = self._predictor.state
        model = state.name or ("no model: fer doctor tells why" if state.asked else "a moment ...")
        rate = f"{1 / self._seconds_a_frame:.0f} frames/s" if self._seconds_a_frame else ""
        kept = f"{self._teacher.kept} kept" if self._teacher.kept else ""
        return "   ".join(filter(None, [model, "paused" if self._paused else rate, kept]))

    def _tell(self, notice: str) -> None:
        self._notice, self._notice_ends = notice, self._clock() + _NOTICE_SECONDS

    # -- keys --------------------------------------------------------------------------------

    def _press(self, key: str) -> None:
        actions: dict[str, Callable[[Frame], None]] = {
            "s": self._save,
            "a": self._toggle_all_seven,
            " ": self._toggle_pause,
            **{str(number): partial(self._teach, name) for number, name in enumerate(EMOTIONS, 1)},
        }
        if self._teacher.question is not None:
            self._tell(self._teacher.answer(key))
        elif key in ("q", _ESCAPE):
            self._done = True
        elif self._frame is not None and key in actions:
            actions[key](self._frame)
        if self._frame is not None:
            self._draw(self._frame)

    def _toggle_all_seven(self, _: Frame) -> None:
        self._all_seven = not self._all_seven

    def _toggle_pause(self, _: Frame) -> None:
        self._paused = not self._paused

    def _teach(self, label: str, frame: Frame) -> None:
        self._tell(self._teacher.teach(label, frame))

    def _save(self, frame: Frame) -> None:
        path = self._paths.screenshots / f"{now():%Y%m%dT%H%M%S.%f}.png"
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(cv2.imencode(".png", self._drawn(frame))[1].tobytes())
        except OSError as error:
            self._tell(f"Not saved: {error}")
        else:
            self._tell(f"Saved: {path.relative_to(self._paths.root)}")
