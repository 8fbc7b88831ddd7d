"""What cameras see, as counts of many faces: nothing of one face is kept, here or in a file."""

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer.errors import Busy, DataError, ModelError
from fer.evaluation import sketch
from fer.evaluation.answers import Probabilities
from fer.faces.align import canonical
from fer.faces.detect import Box
from fer.files import locked
from fer.live.film import STAYING
from fer.live.predictor import Predictor
from fer.live.reading import Face
from fer.paths import Paths

_CAMERAS: Final = 16
"""The most that wait for a full window at once."""


@dataclass(frozen=True)
class Agreement:
    """How often the champion and its shadow said the same of a face.

    Args:
        champion: Its number.
        shadow: Likewise.
        faces: That both have answered.
        alike: Of these with the same emotion.
    """

    champion: int
    shadow: int
    faces: int = 0
    alike: int = 0


_log = logging.getLogger(__name__)


class Onlooker:
    """Counts the faces that a champion sees; may be shared by threads.

    What is not a full window yet is in memory alone, as counts, and is lost with the process.

    Args:
        paths: The checkout.
        predictor: Tells emotions; a model that has no number, being a file, is not counted.
        shadow: Answers the same faces, and nobody sees what; None: nothing does.
    """

    def __init__(
        self, paths: Paths, predictor: Predictor, shadow: Predictor | None = None
    ) -> None:
        """See the class."""
        self._paths, self._predictor, self._shadow = paths, predictor, shadow
        self.agreement: Agreement | None = None
        """Since the two are what they are, in this process; None: there is no shadow."""
        self._waiting: dict[str, sketch.Sketch] = {}
        self._version: int | None = None
        self._lock = threading.Lock()

    def add(self, camera: str, face: NDArray[np.uint8]) -> None:
        """Count one face.

        Args:
            camera: Or room; the domain that its faces would be kept under.
            face: Canonical, grey, shape `(48, 48)`.
        """
        version, answer = self._predictor.state.version, self._predictor.answer
        if version is None or answer is None:
            return
        told = answer(face[None])
        new = sketch.sketch(face[None], told)
        beside = self._beside(face)
        with self._lock:
            self._compare(version, told, beside)
            if version != self._version:
                self._waiting, self._version = {}, version
            before = self._waiting.pop(camera, None)
            window = sketch.together([before, new]) if before else new
            if sketch.rows(window) < sketch.WINDOW or not self._written(camera, window, version):
                self._waiting[camera] = window
                for oldest in list(self._waiting)[:-_CAMERAS]:
                    del self._waiting[oldest]

    def _beside(self, face: NDArray[np.uint8]) -> tuple[int, Probabilities] | None:
        """The shadow's number and answer; None: there is none."""
        version = self._shadow.state.version if self._shadow else None
        if self._shadow is None or version is None:
            return None
        # It may have lost its name in this moment.
        with suppress(ModelError):
            return version, self._shadow.probabilities(face[None])
        return None

    def _compare(
        self, champion: int, told: Probabilities, beside: tuple[int, Probabilities] | None
    ) -> None:
        if beside is None:
            self.agreement = None
            return
        new = Agreement(champion, beside[0])
        before = self.agreement
        if before is None or (before.champion, before.shadow) != (new.champion, new.shadow):
            before = new
        alike = int(told.argmax() == beside[1].argmax())
        self.agreement = replace(before, faces=before.faces + 1, alike=before.alike + alike)

    def _written(self, camera: str, window: sketch.Sketch, version: int) -> bool:
        """Whether the file has it now; where not, the next face tries again."""
        try:
            with locked(self._paths.lock("seen")):
                seen = self._before()
                if seen is None or seen.version != version:
                    seen = sketch.Seen(version)
                seen.add(camera, window)
                sketch.write(self._paths.seen, seen)
        except Busy:
            return False
        except OSError as error:
            _log.warning("What cameras see could not be written down, and is left out: %s", error)
        return True

    def _before(self) -> sketch.Seen | None:
        try:
            return sketch.read(self._paths.seen)
        except DataError as error:
            _log.warning("Counting anew. %s", error)
            return None


class Passers:
    """Shows an `Onlooker` each face of one camera or session once; for one thread.

    Pictures of a face that stays are alike, and a test would take them for many people. A face
    counts when it has stayed: false ones flicker.

    Args:
        onlooker: Counts them.
        camera: See `Onlooker.add`.
    """

    def __init__(self, onlooker: Onlooker, camera: str) -> None:
        """See the class."""
        self._onlooker, self._camera = onlooker, camera
        self._runs: dict[int | None, int] = {}
        self._counted: set[int | None] = set()

    def look(self, frame: NDArray[np.uint8], faces: list[Face]) -> None:
        """Count the faces that have stayed just long enough.

        Args:
            frame: BGR, shape `(height, width, 3)`.
            faces: What was read in it, with their tracks.
        """
        self._runs = {face.track: self._runs.get(face.track, 0) + 1 for face in faces}
        for face in faces:
            if self._runs[face.track] >= STAYING and face.track not in self._counted:
                self._counted.add(face.track)
                self._onlooker.add(self._camera, canonical(frame, Box(*face.box)))
