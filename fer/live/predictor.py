"""The champion, ready to answer: follows its alias, and goes on when a new model is broken."""

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fer.emotions import EMOTIONS
from fer.errors import ModelError
from fer.live.reading import Answer
from fer.model.classifier import Classifier
from fer.records import SIZE

SHIPPED_VERSION: Final = 0
"""Stands for the champion that comes with the product, which no registry need know."""

_POLL_SECONDS: Final = 3.0

# One thread answers a face in about a millisecond; more would take them from the detector.
_THREADS: Final = 1

_TOLERANCE: Final = 1e-3
"""How far probabilities may sum from 1."""

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Knows which model is to be served."""

    def version(self) -> int | None:
        """Return its number; `SHIPPED_VERSION`: of no registry; None: no model is to answer."""

    def file(self, version: int) -> Path:
        """Return the ONNX file of `version`."""


@dataclass(frozen=True)
class State:
    """What is being served.

    Args:
        name: Such as "version 3", "shipped champion" or a file's name; None: no model yet.
        version: Its number in the registry, or `SHIPPED_VERSION`; None: none, or a file.
        data_version: Number of the data version that it learnt from.
        drawn: Whether it learnt drawn faces alone, and is of no use on people.
        asked: Whether the registry has answered at least once.
        error: Why the champion is not what is served; None: it is.
    """

    name: str | None = None
    version: int | None = None
    data_version: int | None = None
    drawn: bool = False
    asked: bool = False
    error: str | None = None


@dataclass(frozen=True)
class _Served:
    """A model and its class order; replaced as one, so that no answer mixes two models."""

    classifier: Classifier
    order: tuple[int, ...]


class Predictor:
    """Answers with the champion of `source`; may be shared by threads.

    Nothing is loaded before `refresh`, which `follow` calls again and again.

    Args:
        source: Where the champion is looked up; None: only what `of_file` loaded.
    """

    def __init__(self, source: Source | None) -> None:
        """See the class."""
        self._source = source
        self._served: _Served | None = None
        self._state = State()
        self._refreshing = threading.Lock()
        self._closed = threading.Event()

    @classmethod
    def of_file(cls, path: Path) -> "Predictor":
        """Return a predictor that answers with the model in `path` and follows nothing.

        Raises:
            ModelError: The file is no emotion model.
        """
        predictor = cls(None)
        predictor._served = served = _load(path)
        trained_on = served.classifier.lineage.data_version
        predictor._state = State(path.name, data_version=trained_on, asked=True)
        return predictor

    @property
    def state(self) -> State:
        """What is being served now."""
        return self._state

    @property
    def answer(self) -> Answer | None:
        """How emotions are told; None: there is no model yet, and faces have only a box."""
        return self.probabilities if self._state.name else None

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each of `EMOTIONS`, shape `(n, 7)`.

        Args:
            faces: Canonical faces, shape `(n, 48, 48)`.

        Raises:
            ModelError: No model is loaded yet; or another type or shape.
        """
        served = self._served
        if served is None:
            raise ModelError(
                f"Expected a model that answers, found none: {self._state.error or 'not loaded'}. "
                "`fer doctor` tells more; or give a model with --model FILE."
            )
        return served.classifier.probabilities(faces)[:, served.order]

    def refresh(self) -> None:
        """Look the champion up, and serve it if it changed and answers as a model should.

        Whatever goes wrong is written into `state` and the model before goes on.
        """
        with self._refreshing:
            try:
                self._follow_alias()
            # The registry, the network, the file, the model: nothing may stop the serving.
            except Exception as error:  # noqa: BLE001
                self._complain(str(error) or repr(error))

    def follow(self) -> None:
        """Call `refresh` every few seconds in the background until `close`."""
        threading.Thread(target=self._keep_refreshing, name="champion", daemon=True).start()

    def close(self) -> None:
        """End `follow`."""
        self._closed.set()

    def _keep_refreshing(self) -> None:
        while not self._closed.is_set():
            self.refresh()
            self._closed.wait(_POLL_SECONDS)

    def _follow_alias(self) -> None:
        if self._source is None:
            return
        version = self._source.version()
        if version is None:
            self._served, self._state = None, State(asked=True)
            return
        if self._served is not None and version == self._state.version:
            self._state = replace(self._state, asked=True, error=None)
            return
        try:
            served = _load(self._source.file(version))
            lineage = served.classifier.lineage
        except Exception as error:
            if version == SHIPPED_VERSION:
                # The place of the one before was taken away: whom it learnt from may have asked to
                # be forgotten.
                self._served, self._state = None, State(asked=True)
                raise ModelError(f"The shipped champion cannot be served: {error}") from error
            raise ModelError(f"Version {version} cannot be served: {error}") from error
        name = "shipped champion" if version == SHIPPED_VERSION else f"version {version}"
        self._served = served
        self._state = State(
            # Else nobody understands why it misreads people.
            f"{name}, of drawn faces" if lineage.drawn else name,
            version,
            lineage.data_version,
            lineage.drawn,
            asked=True,
        )

    def _complain(self, error: str) -> None:
        if error != self._state.error:
            going_on = self._state.name or "no model"
            _log.warning("%s Going on with %s.", error, going_on)
        self._state = replace(self._state, asked=True, error=error)


def _load(path: Path) -> _Served:
    """Load a model and let it answer once; a file can load and yet be of no use."""
    classifier = Classifier(path, threads=_THREADS)
    if sorted(classifier.labels) != sorted(EMOTIONS):
        raise ModelError(f"Expected a model of {EMOTIONS}, received one of {classifier.labels}.")
    ramp = np.linspace(0, 255, SIZE, dtype=np.uint8)
    answer = classifier.probabilities(np.tile(ramp, (1, SIZE, 1)))
    if answer.shape != (1, len(EMOTIONS)) or not abs(float(answer.sum()) - 1) < _TOLERANCE:
        raise ModelError(f"Expected probabilities that sum to 1, received {answer.tolist()}.")
    return _Served(classifier, tuple(classifier.labels.index(name) for name in EMOTIONS))
