"""What bytes hold: pictures of faces, names of faces, people, and where a model comes from.

Looks into Parquet tables, zip files (Keras models are some), pages with pictures in base64, and
for PNGs anywhere in the bytes. A picture is known by the SHA-256 of its pixels, whatever its file.
"""

import base64
import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final, Literal

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fer.data import table
from fer.errors import DataError
from fer.faces import camera
from fer.records import SIZE

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"
_BASE64_PNG: Final = re.compile(rb"iVBORw0KGgo[A-Za-z0-9+/]*={0,2}")
_ID: Final = re.compile(rb"[0-9a-f]{64}")
_LINEAGE: Final = re.compile(rb'"lineage": \{"data_version": (\d+)')
_TABLE: Final = b"PAR1"
_KERAS: Final = "model.weights.h5"
_MOST_BYTES: Final = 1_000_000_000
"""That are unpacked of one file, whatever lies in what: more than any model has."""

_EACH_BYTES: Final = 10_000
"""That each file in a zip counts for besides: some hold themselves."""

_BROKEN_ZIP: Final = (zipfile.BadZipFile, zlib.error, RuntimeError, OSError)
"""Cut short, damaged, or locked by a password."""


def faces(data: bytes) -> set[str]:
    """Return the ids of all faces that `data` shows or names."""
    return {face for document in _documents(data) for face in _faces(document)}


def faces_of(data: bytes, person: str) -> set[str]:
    """Return the ids of the faces whose row in a table inside `data` has the subject `person`."""
    found: set[str] = set()
    for document in _documents(data):
        rows = _table(document)
        if rows is None or "subject" not in rows.column_names:
            continue
        named = [one == person for one in rows["subject"].to_pylist()]
        theirs = rows.filter(pa.array(named, pa.bool_()))
        for name in theirs.column_names:
            # What it is called, and what it shows: a writer may have called it anything.
            found |= set(_faces_in(theirs[name]))
    return found


def trained_on(data: bytes) -> int | None:
    """Return the number of the data version that a model inside `data` learnt from, if it says."""
    said = [int(one) for document in _documents(data) for one in _LINEAGE.findall(document)]
    return max(said, default=None)


def opaque(data: bytes) -> Literal["picture", "weights", "bomb"] | None:
    """Return what `data` is if a person could be in it and not be found.

    That is a drawing, which may hold faces at another size, weights without their lineage, and a
    zip file of more than is unpacked.
    """
    if None in _unpacked(data):
        return "bomb"
    if data.startswith(_PNG):
        return "picture" if _face(data) is None else None
    with contextlib.suppress(*_BROKEN_ZIP):
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                return "weights" if _KERAS in packed.namelist() else None
    return None


def _documents(data: bytes) -> Iterator[bytes]:
    """Yield `data`, and where it is a zip file what is in it."""
    return (document for document in _unpacked(data) if document is not None)


def _unpacked(data: bytes) -> Iterator[bytes | None]:
    """Yield what `_documents` does, and None where there is more of it than is looked at."""
    left, waiting = _MOST_BYTES, [data]
    while waiting:
        document = waiting.pop()
        yield document
        with contextlib.suppress(*_BROKEN_ZIP):
            if zipfile.is_zipfile(io.BytesIO(document)):
                with zipfile.ZipFile(io.BytesIO(document)) as packed:
                    for one in packed.infolist():
                        left -= one.file_size + _EACH_BYTES
                        if left < 0:
                            yield None
                            return
                        waiting.append(packed.read(one))


def _faces(document: bytes) -> Iterator[str]:
    rows = _table(document)
    if rows is not None:
        for column in rows.columns:
            yield from _faces_in(column)
        return
    yield from (found.decode() for found in _ID.findall(document))
    yield from _shown(document)
    for text in _BASE64_PNG.findall(document):
        # Cut to whole groups: a page may run other text into it.
        yield from _shown(base64.b64decode(text[: len(text) // 4 * 4]))


def _faces_in(column: pa.ChunkedArray) -> Iterator[str]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        for text in column.unique().to_pylist():
            yield from (one.decode() for one in _ID.findall((text or "").encode()))
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        for value in column.to_pylist():
            yield from _shown(value or b"")


def _table(document: bytes) -> pa.Table | None:
    if not document.startswith(_TABLE):
        return None
    # Cut short or no table after all: its pictures are still found as bytes.
    with contextlib.suppress(pa.ArrowException, OSError):
        return pq.ParquetFile(io.BytesIO(document)).read()
    return None


def _shown(document: bytes) -> Iterator[str]:
    start = document.find(_PNG)
    while start >= 0:
        end = document.find(_PNG_END, start)
        if end < 0:
            return
        if (face := _face(document[start : end + len(_PNG_END)])) is not None:
            yield face
        start = document.find(_PNG, start + 1)


def _face(png: bytes) -> str | None:
    try:
        camera.check_header(png, max_pixels=SIZE**2)
    except DataError:
        return None
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None or pixels.shape != (SIZE, SIZE):
        return None
    return table.face_id(np.asarray(pixels, np.uint8))
