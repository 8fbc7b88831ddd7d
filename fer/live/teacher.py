"""Teaching before the window: a face, a label and a consent become a row in the inbox."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.errors import DataError
from fer.faces.align import canonical
from fer.faces.camera import Frame
from fer.faces.detect import Detector
from fer.live.capture import CONSENT_PURPOSE, CONSENT_TEXT, Sitting, consent_now, keep
from fer.params import CaptureParams
from fer.paths import Paths
from fer.records import now


@dataclass(frozen=True)
class _Shown:
    label: str
    face: NDArray[np.uint8]


class Teacher:
    """Keeps faces of one person, who is asked for consent before the first.

    Args:
        subject: Pseudonym of the person; None: nothing is kept.
        domain: Camera or room.
        detector: Finds the faces.
        params: How long a consent holds.
        paths: The checkout.
    """

    def __init__(
        self,
        subject: str | None,
        domain: str,
        detector: Detector,
        params: CaptureParams,
        paths: Paths,
    ) -> None:
        """See the class."""
        self.kept = 0
        self.domain = domain
        self._subject = subject
        self._detector, self._params, self._paths = detector, params, paths
        self._sitting: Sitting | None = None
        self._waiting: _Shown | None = None

    @property
    def question(self) -> list[str] | None:
        """What the person must answer before anything else, in paragraphs; None: nothing."""
        if self._waiting is None:
            return None
        return [
            f"To keep this face as {self._waiting.label}, its person must agree:",
            CONSENT_TEXT,
            f"Purpose: {CONSENT_PURPOSE}. Holds for {self._params.consent_days} days.",
            "Y: I agree      any other key: I do not",
        ]

    def teach(self, label: str, frame: Frame) -> str:
        """Keep the largest face of `frame` as `label`, and say what came of it.

        Args:
            label: One of `EMOTIONS`.
            frame: BGR, shape `(height, width, 3)`, values 0-255.
        """
        if not self._subject:
            return "Who is seen? Start with --subject and a pseudonym to keep faces."
        found = self._detector.detect(frame)
        if not found:
            return "There is no face to keep. Look at the camera."
        shown = _Shown(label, canonical(frame, found[0].box))
        if self._sitting is None:
            self._waiting = shown
            return ""
        return self._keep(shown, self._subject, self._sitting)

    def answer(self, key: str) -> str:
        """Take the answer to `question`, and say what came of it."""
        shown, self._waiting = self._waiting, None
        if key != "y" or shown is None or not self._subject:
            return "Nothing was kept."
        self._sitting = Sitting(
            source="webcam",
            domain=self.domain,
            session=f"{now():%Y%m%dT%H%M%S}",
            consent=consent_now(self._params),
        )
        return self._keep(shown, self._subject, self._sitting)

    def _keep(self, shown: _Shown, subject: str, sitting: Sitting) -> str:
        try:
            keep(shown.face, shown.label, subject, sitting, self._paths)
        except OSError as error:
            return f"Not kept: {error}"
        except DataError as error:
            self._sitting = None
            return f"Not kept: {error}"
        self.kept += 1
        return f"Kept as {shown.label}. The next update takes it in."
