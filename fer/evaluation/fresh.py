"""Does the exported file work where nothing of its training is? Asked in a process of its own.

`python -m fer.evaluation.fresh MODEL FACES PREDICTIONS` prints what `check` returns, as JSON.
"""

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer.data import table
from fer.errors import FerError, Interrupted
from fer.evaluation import answers
from fer.model.classifier import Classifier

_TIMEOUT_SECONDS: Final = 300
_TIMED_CALLS: Final = 50
_ASKED: Final = 256
"""Faces to answer: another arithmetic, or another model, shows in every one of them."""


@dataclass(frozen=True)
class FreshCheck:
    """What a process that never saw the training found of the exported file.

    Args:
        loads: Whether the file loads.
        max_difference: Largest difference from the recorded probabilities, 0-1.
        ms_per_face: Time to answer one face, in milliseconds.
        message: The error where it does not load, else empty.
    """

    loads: bool
    max_difference: float
    ms_per_face: float
    message: str


def check(model: Path, faces: Path, predictions: Path) -> FreshCheck:
    """Load `model` in a new process, let it answer some faces again and time it.

    Args:
        model: Exported ONNX file.
        faces: Table of the faces that it answered.
        predictions: What `answers.record` wrote of its answers.

    Raises:
        Interrupted: The process was killed, or did not answer in time: of the file that says
            nothing.
    """
    module = "fer.evaluation.fresh"
    command: list[str | Path] = [sys.executable, "-m", module, model, faces, predictions]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        if error.returncode < 0:
            killed = signal.Signals(-error.returncode).name
            raise Interrupted(
                _lost(f"one that was killed ({killed}), perhaps for memory")
            ) from None
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        return FreshCheck(loads=False, max_difference=1, ms_per_face=float("inf"), message=last)
    except subprocess.TimeoutExpired:
        raise Interrupted(_lost(f"no answer in {_TIMEOUT_SECONDS} s")) from None
    return FreshCheck(**json.loads(done.stdout))


def _lost(received: str) -> str:
    return (
        f"Expected the answers of a fresh process to judge the candidate by, received {received}. "
        "Nothing was decided: run it again."
    )


def _look(model: Path, faces: Path, predictions: Path) -> FreshCheck:
    images, before = table.read(faces, ["image"])["image"], answers.recorded(predictions)
    if len(before) != len(images):
        raise SystemExit(f"expected {len(images)} recorded answers, received {len(before)}")
    # From the first to the last, so that each domain has its share.
    rows = np.unique(np.linspace(0, len(images) - 1, _ASKED).astype(int))
    pixels = table.decode(images.iloc[rows])
    again = Classifier(model).probabilities(pixels)
    return FreshCheck(
        loads=True,
        max_difference=float(np.abs(again - before[rows]).max()),
        ms_per_face=_ms_per_face(Classifier(model, threads=1), pixels),
        message="",
    )


def _ms_per_face(classifier: Classifier, pixels: table.Pixels) -> float:
    """One face at a time on one thread, as the live app asks; the median of many calls."""
    seconds = []
    for number in range(_TIMED_CALLS):
        face = pixels[[number % len(pixels)]]
        began = time.perf_counter()
        classifier.probabilities(face)
        seconds.append(time.perf_counter() - began)
    return 1000 * float(np.median(seconds))


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(_look(*map(Path, sys.argv[1:])))))  # noqa: T201  the answer
    except FerError as error:
        sys.exit(str(error))
