"""A film or picture again, with what was read in it drawn in."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import cv2

from fer.errors import DataError
from fer.faces import camera
from fer.files import replacing
from fer.live.film import FRAMES_PER_SECOND
from fer.live.overlay import draw
from fer.live.reading import Reading

_FILMS: Final = {".mp4": "mp4v", ".webm": "VP80"}
"""Codecs that OpenCV's own FFmpeg can write; H.264 is none of them."""

_REFUSED: Final = (
    "Expected to write {}, but not all of it could be. Is the disk full, or the picture too large?"
)

_PICTURES: Final = (".png", ".jpg", ".jpeg")


def annotated(
    readings: Iterator[Reading], paths: Sequence[Path], target: Path
) -> Iterator[Reading]:
    """Yield `readings`, and draw each into its frame in `target`, which is replaced at the end.

    The film is read a second time, in step with its readings: these come ten frames late, and
    so many frames need not be held. Sound is not kept.

    Args:
        readings: Of the one film or picture in `paths`.
        paths: What was asked for.
        target: Film (MP4, WebM) or picture (PNG, JPEG) to replace; left alone if not all of
            the readings are taken, or on an error.

    Raises:
        DataError: `paths` is not one film or picture, `target` is that very file or of another
            kind, or it cannot be written.
    """
    source = _checked(paths, target)
    return (_picture if source.suffix.lower() in camera.SUFFIXES else _film)(
        readings, source, target
    )


def _checked(paths: Sequence[Path], target: Path) -> Path:
    if len(paths) != 1 or paths[0].is_dir():
        raise DataError(
            f"Expected one film or picture to draw into, received {len(paths)} paths, or a "
            "folder. Run `fer predict FILM --annotate OUT` for each."
        )
    (source,) = paths
    kinds = _PICTURES if source.suffix.lower() in camera.SUFFIXES else tuple(_FILMS)
    if target.suffix.lower() not in kinds:
        raise DataError(f"Expected a name that ends in {' or '.join(kinds)}, received {target}.")
    if target.exists() and target.samefile(source):
        raise DataError(f"Expected another file than the one that is read, received {target}.")
    return source


def _picture(readings: Iterator[Reading], source: Path, target: Path) -> Iterator[Reading]:
    for reading in readings:
        with replacing(target) as temporary:
            drawn = draw(camera.read_picture(source), reading.faces)
            if not cv2.imwrite(str(temporary), drawn):
                raise DataError(_REFUSED.format(target))
        yield reading


def _film(readings: Iterator[Reading], source: Path, target: Path) -> Iterator[Reading]:
    codec = cv2.VideoWriter.fourcc(*_FILMS[target.suffix.lower()])
    pace = camera.header(source).per_second or FRAMES_PER_SECOND
    with replacing(target) as temporary:
        writer, written = cv2.VideoWriter(), 0
        try:
            with closing(camera.frames(str(source))) as film:
                for frame, reading in zip(film, readings, strict=True):
                    if not written:
                        height, width = frame.shape[:2]
                        writer.open(str(temporary), codec, pace, (width, height))
                    writer.write(draw(frame, reading.faces))
                    written += 1
                    yield reading
        finally:
            writer.release()
        # OpenCV says nothing of a full disk, nor of frames that it leaves out.
        if camera.header(temporary).frames != written:
            raise DataError(_REFUSED.format(target))
