"""The files that people have of FER2013, to its rows.

- `fer2013.csv`, of the challenge, and `icml_face_data.csv`, its later copy;
- image folders `train/EMOTION/*.png` and `test/EMOTION/*.jpg`;
- a zip of one of them;
- the folder that holds one of them, or the folder above that.

A zip is read in place: nothing is unpacked, and no name in it is used to write.
"""

import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, Protocol, cast

import cv2
import numpy as np

from fer.data import fer2013_csv, ferplus
from fer.data.fer2013_csv import USAGES, Rows
from fer.data.ferplus import Ballots
from fer.data.table import Pixels
from fer.emotions import emotion_named
from fer.errors import DataError
from fer.faces.camera import check_header
from fer.records import SIZE, Split

_TABLES: Final = ("fer2013.csv", "icml_face_data.csv")
_VOTES: Final = "fer2013new.csv"
_FOLDERS: Final[dict[str, Split]] = {"train": "train", "test": "validation"}
_IMAGE: Final = re.compile(
    r"(?P<top>(?:[^/]+/)?)(?P<folder>train|test)/(?P<emotion>[^/]+)/"
    r"(?P<file>[^/.][^/]*\.(?i:png|jpe?g))"
)
_OFFICIAL: Final = re.compile(r"(?P<usage>Training|PublicTest|PrivateTest)_(?P<number>\d+)\.")

# Against zip bombs. The real sizes: 301 MB, 1.6 MB, 2 KB an image, 70 MB of images.
_TABLE_BYTES: Final = 1 << 30
_VOTES_BYTES: Final = 1 << 24
_ALL_IMAGES_BYTES: Final = 1 << 30
# A picture can be a bomb too: its header is looked at before it is decoded.
_IMAGE_BYTES: Final = 1 << 16


# A damaged zip seeks to places that are not there, has names in no encoding, asks for releases of
# zip that do not exist; and each compression has errors of its own.
_BROKEN_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """FER2013's rows, and FER+'s ballots on them where they were asked for."""

    rows: Rows
    ballots: Ballots | None


def read(path: Path, *, votes: bool | None) -> Found:
    """Return the faces at `path`, in the order of the csv file.

    Images are ordered by the number in their name. An image is in the split that its name
    tells (`PrivateTest_10131363.jpg`), else in that of its folder: `train/` is train and
    `test/`, in which Kaggle's copy merges both evaluation splits, is validation.

    Args:
        path: One of the layouts above.
        votes: Whether to read FER+'s `fer2013new.csv` too, from the csv's or `train/`'s folder
            or from the one above; None: where it is there. Images need their row in their name
            for it: `Training_0.png` up to the last, without a gap.

    Raises:
        DataError: Nothing is there, or what is there is not FER2013.
    """
    if path.is_file() and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return _search(_Zip(archive), path, votes=votes)
        except _BROKEN_ZIP as error:
            raise DataError(f"Expected a whole zip file at {path}, received: {error}") from error
    if path.is_file():
        return _read_table(_Folder(path.parent), path.name, path.parent, votes=votes)
    return _search(_Folder(path), path, votes=votes)


class _Files(Protocol):
    """A folder or a zip. Names are relative, with `/`."""

    def names(self) -> list[str]: ...
    def size(self, name: str) -> int | None:
        """Return the file's bytes, uncompressed, or None where it is absent."""

    def open(self, name: str) -> IO[bytes]: ...


@dataclass(frozen=True)
class _Folder:
    root: Path

    def names(self) -> list[str]:
        patterns = ("*.csv", *(f"{folder}/*/*" for folder in _FOLDERS))
        found = (self.root.glob(top + pattern) for top in ("", "*/") for pattern in patterns)
        return [file.relative_to(self.root).as_posix() for files in found for file in files]

    def size(self, name: str) -> int | None:
        file = self.root / name
        return file.stat().st_size if file.is_file() else None

    def open(self, name: str) -> IO[bytes]:
        return (self.root / name).open("rb")


@dataclass(frozen=True)
class _Zip:
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return self.archive.namelist()

    def size(self, name: str) -> int | None:
        # zipfile gives no more bytes than are declared here, whatever is packed.
        try:
            return self.archive.getinfo(name).file_size
        except KeyError:
            return None

    def open(self, name: str) -> IO[bytes]:
        try:
            return self.archive.open(name)
        except (RuntimeError, NotImplementedError) as error:  # Password, unknown compression.
            raise DataError(f"{name}: expected to read it from the zip: {error}") from error


def _search(files: _Files, where: Path, *, votes: bool | None) -> Found:
    names = files.names()
    tops = ("", *sorted({name.partition("/")[0] + "/" for name in names if "/" in name}))
    present = set(names)
    for name in (top + table for top in tops for table in _TABLES):
        if name in present:
            return _read_table(files, name, where, votes=votes)
    images = [match for name in names if (match := _IMAGE.fullmatch(name))]
    if not images:
        raise DataError(
            f"Expected {' or '.join(_TABLES)}, or the folders train/ and test/ with a folder of "
            f"png or jpg for each emotion, at {where}; found none. Download FER2013, or choose "
            "the synthetic source."
        )
    top = min(match["top"] for match in images)
    return _read_images(files, [match for match in images if match["top"] == top], where,
                        votes=votes)  # fmt: skip


def _read_table(files: _Files, name: str, where: Path, *, votes: bool | None) -> Found:
    with _open(files, name, where, most_bytes=_TABLE_BYTES) as stream:
        rows = fer2013_csv.read(stream, name)
    top = name.rpartition("/")[0]
    return Found(rows, _ballots(files, rows, top, where, needed=votes))


def _open(files: _Files, name: str, where: Path, *, most_bytes: int) -> BinaryIO:
    size = files.size(name)
    if size is None:
        raise DataError(f"Expected {name} in {where}, found none.")
    if size > most_bytes:
        raise DataError(
            f"{where}: expected {name} to have at most {most_bytes} bytes, received {size}."
        )
    return cast(BinaryIO, files.open(name))


def _ballots(
    files: _Files, rows: Rows, top: str, where: Path, *, needed: bool | None
) -> Ballots | None:
    beside = f"{top}/{_VOTES}".lstrip("/")
    name = beside if files.size(beside) is not None else _VOTES
    if needed is False or (needed is None and files.size(name) is None):
        return None
    if files.size(name) is None:
        raise DataError(
            f"Expected FER+'s votes, {_VOTES}, beside the faces in {where}, found none. Download "
            "it from https://github.com/microsoft/FERPlus, or turn the votes off."
        )
    with _open(files, name, where, most_bytes=_VOTES_BYTES) as stream:
        ballots = ferplus.read(stream, name)
    ferplus.check_order(ballots, rows.splits, name)
    return ballots


def _read_images(
    files: _Files, images: list[re.Match[str]], where: Path, *, votes: bool | None
) -> Found:
    missing = set(_FOLDERS) - {image["folder"] for image in images}
    if missing:
        raise DataError(f"Expected images in train/ and test/ at {where}, none in {missing}.")
    images = sorted(images, key=lambda image: (_number(image), image.string))
    numbered = [_number(image) for image in images] == list(range(len(images)))
    if votes and not numbered:
        raise DataError(
            f"Expected the images at {where} to have FER2013's row numbers in their names "
            "(Training_0.png and so on, none missing): FER+'s votes have no other key. "
            f"Received names such as {images[0].string}. Use the csv file, or turn the votes off."
        )
    bytes_in_all = sum(files.size(image.string) or 0 for image in images)
    if bytes_in_all > _ALL_IMAGES_BYTES:
        raise DataError(
            f"{where}: expected at most {_ALL_IMAGES_BYTES} bytes of images, received "
            f"{bytes_in_all}."
        )
    rows = Rows(
        pixels=np.stack([_pixels(files, image.string, where) for image in images]),
        labels=[_label(image) for image in images],
        splits=[_split(image) for image in images],
    )
    top = images[0]["top"].rstrip("/")
    return Found(rows, _ballots(files, rows, top, where, needed=votes if numbered else False))


def _number(image: re.Match[str]) -> float:
    """Return the number in an official name; other names come after all of those."""
    official = _OFFICIAL.match(image["file"])
    return int(official["number"]) if official else float("inf")


def _split(image: re.Match[str]) -> Split:
    official = _OFFICIAL.match(image["file"])
    return USAGES[official["usage"]] if official else _FOLDERS[image["folder"]]


def _label(image: re.Match[str]) -> str:
    emotion = emotion_named(image["emotion"])
    if emotion is None:
        raise DataError(
            f"{image.string}: expected a folder named after an emotion, received "
            f"{image['emotion']!r}. Rename it or take it away."
        )
    return emotion


def _pixels(files: _Files, name: str, where: Path) -> Pixels:
    with _open(files, name, where, most_bytes=_IMAGE_BYTES) as stream:
        content = stream.read(_IMAGE_BYTES)
    try:
        check_header(content, max_pixels=SIZE**2)
    except DataError as error:
        raise DataError(
            f"{name}: expected a picture of {SIZE} x {SIZE} pixels, "
            f"received no picture of that size: {error}"
        ) from error
    face = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if face is None or face.shape != (SIZE, SIZE):
        got = "no picture" if face is None else f"{face.shape[1]} x {face.shape[0]}"
        raise DataError(f"{name}: expected a picture of {SIZE} x {SIZE} pixels, received {got}.")
    return face.astype(np.uint8, copy=False)
