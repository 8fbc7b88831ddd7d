"""Self-learning: faces that the model is sure of go into the inbox, under the model's label.

Nothing is kept before a person agreed and turned it on, and no face but the one that was in view
alone when it began. `ingest` sets what is kept apart until a person has looked at it.
"""

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer.data import inbox, near_copies, quarantine, table, version
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.faces.align import canonical
from fer.faces.detect import Box
from fer.live.capture import Sitting, keep
from fer.live.reading import Answer, Face
from fer.params import SelfLearningParams
from fer.paths import Paths


@dataclass(frozen=True)
class Kept:
    """A face that was kept.

    Args:
        item: Its place in the inbox.
        face: Its id.
        label: What the model called it.
    """

    item: Path
    face: str
    label: str


class Album:
    """What self-learning holds of one person in one sitting; may be shared by threads.

    Args:
        paths: The checkout.
        params: How alike faces may be, and how many are kept.
        subject: Pseudonym of who agreed.
        sitting: Where and under which consent.
    """

    def __init__(
        self, paths: Paths, params: SelfLearningParams, subject: str, sitting: Sitting
    ) -> None:
        self._paths, self._params = paths, params
        self._subject, self._sitting = subject, sitting
        self._held: NDArray[np.float32] | None = None
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many faces this sitting has kept by itself."""
        return self._counts.total()

    def offer(self, face: table.Pixels, label: str) -> Kept | None:
        """Keep a face, unless it is like one that is held or its emotion has enough.

        Args:
            face: Canonical, grey, shape `(48, 48)`.
            label: What the model calls it.

        Raises:
            DataError: The person was forgotten since they agreed.
            OSError: The disk is full, say.
        """
        with self._lock:
            if self._counts[label] >= self._params.per_class:
                return None
            held = self._held
            if held is None:
                held = near_copies.fingerprints(_of(self._subject, self._paths))
            self._held = held
            new = near_copies.fingerprints(face[None])
            if near_copies.nearest(new, held, self._params.near_copy)[0] >= 0:
                return None
            try:
                item = keep(
                    face, label, self._subject, self._sitting, self._paths, label_source="model"
                )
            except DataError:
                self._held = None
                raise
            self._held = np.concatenate([held, new])
            self._counts[label] += 1
            return Kept(item, table.face_id(face), label)

    def rest(self) -> None:
        """Let go of what the faces that are held look like; the next offer looks them up."""
        # Without the lock: an offer that runs may look up many faces, and puts its own back.
        self._held = None


def _of(subject: str, paths: Paths) -> table.Pixels:
    """Every face of a person that waits, was set apart or was taken in, shape `(n, 48, 48)`."""
    tables = [inbox.read(paths.inbox).faces, quarantine.read(paths.quarantine)]
    # A clone without the captures knows fewer faces to compare with.
    with suppress(DataError):
        tables.append(version.captured(paths, version.read(paths.version)))
    images = pd.concat([faces.loc[faces["subject"] == subject, "image"] for faces in tables])
    pixels, readable = table.decode_readable(images)
    return pixels[readable]


class SelfLearner:
    """Watches one live session for faces to keep; for one thread.

    Args:
        album: Of the person who agreed.
        answer: Tells emotions.
        params: How sure the model must be, and for how long.
    """

    def __init__(self, album: Album, answer: Answer, params: SelfLearningParams) -> None:
        self._album, self._answer, self._params = album, answer, params
        self._track: int | None = None
        self._emotion: str | None = None
        self._run = 0
        self.ended: str | None = None
        """Why it has come to its end; None: it goes on."""

    @property
    def count(self) -> int:
        """How many faces the sitting has kept by itself."""
        return self._album.count

    def close(self) -> None:
        """End with the session; nothing that shows the person stays in memory."""
        self._album.rest()

    def look(self, frame: NDArray[np.uint8], faces: list[Face]) -> Kept | None:
        """Return the face of this frame, if it was kept.

        Args:
            frame: BGR, shape `(height, width, 3)`.
            faces: What was read in it, with their tracks.
        """
        self.ended = self.ended or self._ends(faces)
        if self.ended or len(faces) != 1:
            self._run = 0
            return None
        (face,) = faces
        self._track = face.track
        sure = face.confidence is not None and face.confidence >= self._params.confidence
        sure &= not face.quality
        self._run = 1 + self._run * (face.emotion == self._emotion) if sure else 0
        self._emotion = face.emotion
        if self._run < self._params.frames or self._emotion is None:
            return None
        pixels = canonical(frame, Box(*face.box))
        # The reading is smoothed over frames; this very picture has to show it too.
        shares = self._answer(pixels[None])[0]
        if shares[EMOTIONS.index(self._emotion)] < self._params.confidence:
            return None
        try:
            return self._album.offer(pixels, self._emotion)
        except DataError as error:
            self.ended = f"Self-learning ended. {error}"
        except OSError as error:
            # Its file's place on this machine is nobody's business.
            why = error.strerror or error
            self.ended = f"Self-learning ended, because no face can be kept: {why}."
        return None

    def _ends(self, faces: list[Face]) -> str | None:
        """Only the person who agreed may be kept: nobody who comes after, or stood beside."""
        if self._track is None and len(faces) > 1:
            return (
                "Self-learning begins with one face in view. Turn it on again when you are alone."
            )
        if self._track is not None and len(faces) == 1 and faces[0].track != self._track:
            return "Self-learning ended, because the face was away. Turn it on again."
        return None
