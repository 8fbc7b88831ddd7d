"""A video source as an iterator of frames, and a picture as one frame."""

import io
import logging
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer.errors import CameraError, DataError
from fer.files import PNG, png_is_whole

Frame = NDArray[np.uint8]
"""BGR, shape `(height, width, 3)`, values 0-255."""

SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Endings of picture files, in lower case."""

MAX_BYTES: Final = 50_000_000
"""The largest picture file that is read."""

MAX_PIXELS: Final = 50_000_000
"""The most pixels that are decoded (150 MB): what the largest phone cameras make."""

# Pillow reads only these headers: its other formats run code that nothing here needs.
_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

_MOST_A_SECOND: Final = 1000

_log = logging.getLogger(__name__)


def frames(source: str) -> Generator[Frame, None, None]:
    """Yield the frames of `source` until it ends.

    The source opens with the first frame and closes with the iterator, so a caller that may
    stop early writes `with contextlib.closing(frames("0")) as video:`.

    Args:
        source: A camera's number ("0"), a film, a picture, a folder of pictures (in the order
            of their names), or the address of a stream ("rtsp://...", "http://...").

    Yields:
        BGR, shape `(height, width, 3)`, values 0-255. An unplugged camera and a film that is
        cut short end as if they were over; unreadable pictures of a folder are skipped with
        a warning.

    Raises:
        CameraError: The source gives no frame at all, or frames of more than `MAX_PIXELS`.
    """
    empty = True
    with closing(_opened(source)) as found:
        for frame in found:
            empty = False
            yield frame
    if empty:
        raise CameraError(
            f"Expected frames from {source!r}, received none. Give a camera's number such as 0, "
            "a film, a folder of pictures or the address of a stream, and close other programs "
            "that use the camera."
        )


def _opened(source: str) -> Generator[Frame, None, None]:
    path = Path(source)
    if source.isdecimal():
        return _captured(cv2.VideoCapture(int(source)))
    if "://" in source:
        return _captured(cv2.VideoCapture(source))
    if path.is_dir():
        return _pictures(pictures_in(path))
    # OpenCV would take "face_1.png" for the start of a numbered series and read them all.
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return _pictures([path])
    # A name that does not exist is not given to FFmpeg, which reads some names as commands.
    return _captured(cv2.VideoCapture(source)) if path.is_file() else _pictures([])


def _captured(capture: cv2.VideoCapture) -> Generator[Frame, None, None]:
    width, height = (
        int(capture.get(one)) for one in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    try:
        if width * height > MAX_PIXELS:
            raise CameraError(
                f"Expected frames of at most {MAX_PIXELS // 1_000_000} megapixels, received "
                f"{width} x {height}. Save the film smaller."
            )
        while (answer := capture.read())[0]:
            yield np.asarray(answer[1], np.uint8)
    finally:
        capture.release()


def _pictures(paths: list[Path]) -> Generator[Frame, None, None]:
    for path in paths:
        try:
            picture = read_picture(path)
        except DataError as error:
            _log.warning("%s", error)
        else:
            yield picture


@dataclass(frozen=True)
class Header:
    """What a film says of itself, which may be wrong.

    Args:
        frames: How many it has; None: it does not say.
        per_second: How many are shown in a second; None: likewise.
    """

    frames: int | None
    per_second: float | None


def header(film: Path) -> Header:
    """Return what `film` says of itself; nothing where it is no film."""
    capture = cv2.VideoCapture(str(film))
    try:
        frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        pace = capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    # Streams in a file give negative counts, and some cameras 90,000 frames a second.
    return Header(frames if frames > 0 else None, pace if 1 <= pace <= _MOST_A_SECOND else None)


def pictures_in(folder: Path) -> list[Path]:
    """Return the picture files right in `folder`, by name; hidden ones are left out."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_picture(path: Path) -> Frame:
    """Return the picture in `path`, as `decode_picture` does.

    Raises:
        DataError: The file is missing, too large or no picture.
    """
    try:
        # A pipe or a device would answer without end.
        if not path.is_file():
            raise DataError(f"Expected a picture at {path}, found no file.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"Expected to read the picture {path}, received: {error}") from error
    try:
        return decode_picture(data)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def decode_picture(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Frame:
    """Return a picture upright, as its EXIF data says, and without transparency.

    Its size is read from the header first, so that a small file that claims a huge picture
    costs no memory.

    Args:
        data: The bytes of a BMP, GIF, JPEG, PNG, PPM, TIFF or WebP file, grey or colour, 8 or
            16 bits.
        max_pixels: The most that are decoded.

    Returns:
        BGR, shape `(height, width, 3)`, values 0-255.

    Raises:
        DataError: More than `MAX_BYTES` or `max_pixels`, damaged, or no picture.
    """
    if len(data) > MAX_BYTES:
        raise DataError(
            f"Expected a picture of at most {MAX_BYTES // 1_000_000} MB, received a larger one. "
            "Save it smaller."
        )
    check_header(data, max_pixels=max_pixels)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise DataError("Expected a whole picture, received one that breaks off. Save it anew.")
    return np.asarray(picture, np.uint8)


def check_header(data: bytes, *, max_pixels: int) -> None:
    """Look at what a picture claims, before a decoder takes the memory for it.

    Raises:
        DataError: More than `max_pixels`, a PNG that breaks off, or no picture.
    """
    width, height = _header_size(data)
    if width * height > max_pixels:
        raise DataError(
            f"Expected at most {max_pixels / 1_000_000:g} megapixels, received a picture of "
            f"{width} x {height}. Save it smaller."
        )
    if data.startswith(PNG) and not png_is_whole(data):
        raise DataError("Expected a whole picture, received one that breaks off. Save it anew.")


def _header_size(data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"Expected a picture of sensible size, received: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"Expected a picture ({', '.join(_FORMATS)}), received something else. "
            "Save it as JPEG or PNG."
        ) from error
