"""Predict: photos, folders and films to the emotions of their faces."""

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.faces import camera
from fer.faces.detect import Detector
from fer.live.film import of_film
from fer.live.reading import Answer, Face, Reading, read

_CSV_HEAD: Final = (
    "path", "frame", "track", "x", "y", "width", "height", "emotion", "confidence", "score",
    *EMOTIONS, "quality",
)  # fmt: skip

_log = logging.getLogger(__name__)


def predict(paths: Sequence[Path], detector: Detector, answer: Answer) -> Iterator[Reading]:
    """Yield what is read in every picture, and in every frame of every film.

    One frame is in memory at a time. In films only faces that stay are told. A picture that
    cannot be read is skipped with a warning.

    Args:
        paths: Photos, films and folders of photos.
        detector: Finds the faces.
        answer: Tells their emotions.

    Raises:
        DataError: A path does not exist, or none of the photos can be read.
        CameraError: A file is neither a photo nor a film.
    """
    for path in paths:
        if not path.exists():
            raise DataError(f"Expected a photo, a film or a folder, found nothing at {path}.")
    return _readings(paths, detector, answer)


def _readings(paths: Sequence[Path], detector: Detector, answer: Answer) -> Iterator[Reading]:
    refused: list[DataError] = []
    readable = 0
    for path in _files(paths):
        if path.suffix.lower() not in camera.SUFFIXES:
            yield from of_film(path, detector, answer)
            readable += 1
            continue
        try:
            frame = camera.read_picture(path)
        except DataError as error:
            _log.warning("%s", error)
            refused.append(error)
        else:
            readable += 1
            height, width = frame.shape[:2]
            yield Reading(str(path), width, height, read(frame, detector, answer))
    if refused and not readable:
        raise refused[0]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from camera.pictures_in(path) if path.is_dir() else [path]


def watched(readings: Iterator[Reading], paths: Sequence[Path]) -> Iterator[Reading]:
    """Yield `readings`, and show on a terminal how many of those in `paths` are done."""
    with Progress(
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames and pictures"),
        TimeElapsedColumn(),
        console=Console(stderr=True, soft_wrap=True),
        transient=True,
        # On one terminal, lines go above the bar; into a file, they go as they are.
        redirect_stdout=sys.stdout.isatty(),
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=_expected(paths))
        for reading in readings:
            yield reading
            progress.advance(task)


def _expected(paths: Sequence[Path]) -> int | None:
    """Return how many readings will come, as far as the films say; None: one of them does not."""
    counts = [
        1 if path.suffix.lower() in camera.SUFFIXES else camera.header(path).frames
        for path in _files(paths)
    ]
    return None if None in counts else sum(count for count in counts if count)


# -- how it is written -----------------------------------------------------------------------


def as_json(readings: Iterator[Reading]) -> Iterator[str]:
    """Yield the lines of one JSON list, a line a reading."""
    before = "["
    for reading in readings:
        yield before + _json_of(reading)
        before = ","
    yield "[]" if before == "[" else "]"


def _json_of(reading: Reading) -> str:
    told = asdict(reading)
    if reading.frame is None:
        del told["frame"]
    return json.dumps(told, ensure_ascii=False)


def as_csv(readings: Iterator[Reading]) -> Iterator[str]:
    """Yield a head and a line a face; a picture without a face has none."""
    yield ",".join(_CSV_HEAD)
    for reading in readings:
        for face in reading.faces:
            yield ",".join(_quoted(value) for value in _csv_row(reading, face))


def _csv_row(reading: Reading, face: Face) -> list[object]:
    shares = list((face.probabilities or {}).values())
    told = [face.emotion, face.confidence, face.score]
    return [
        reading.path,
        reading.frame,
        face.track,
        *face.box,
        *told,
        *shares,
        " ".join(face.quality),
    ]


def _quoted(value: object) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


def as_text(readings: Iterator[Reading]) -> Iterator[str]:
    """Yield a line a face, for people. A film has a line whenever a face's emotion changes."""
    last: dict[tuple[str, int | None], str | None] = {}
    for reading in readings:
        if not reading.faces and reading.frame is None:
            yield f"{reading.path}: no face"
        for face in reading.faces:
            key = (reading.path, face.track)
            if reading.frame is None or last.get(key) != face.emotion:
                yield _line(reading, face)
            last[key] = face.emotion


def _line(reading: Reading, face: Face) -> str:
    flaws = f" ({', '.join(face.quality)})" if face.quality else ""
    when = "" if reading.frame is None else f" frame {reading.frame} face {face.track}"
    x, y, width, height = face.box
    return (
        f"{reading.path}{when}: {face.emotion} {face.confidence:.0%}, intensity "
        f"{face.score:.1f} of 5, at {x},{y} {width}x{height}{flaws}"
    )
