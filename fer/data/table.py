"""The face table: the only code that reads or writes it, and the pixels inside."""

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer.errors import DataError, MissingData
from fer.files import PNG, png_is_whole, replacing
from fer.records import FACES, SIZE

_HEAD: Final = PNG + struct.pack(">I4s", 13, b"IHDR")
_SIDES: Final = struct.pack(">II", SIZE, SIZE)
"""Width and height, which follow in the header of a PNG."""

_MAX_MEMORY: Final = 500_000_000
"""Bytes of an inbox item in memory: a hundred thousand faces and more."""

_UNREADABLE: Final = (OSError, ValueError, pa.ArrowException)
"""What Arrow says of a damaged file; bad UTF-8 is a ValueError."""

_TEXTS: Final = [
    one.name for one in FACES if pa.types.is_binary(one.type) or pa.types.is_string(one.type)
]

Pixels = NDArray[np.uint8]
"""Canonical faces, grey, shape `(n, 48, 48)`, values 0-255; or one face, `(48, 48)`."""


def read(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the faces in `path`, all columns or the named ones.

    Raises:
        MissingData: There is no such file.
        DataError: The file is no face table.
    """
    return stack([content(path, columns)])


def stack(contents: Sequence[pa.Table]) -> pd.DataFrame:
    """Return the faces of several tables with the same columns as one table."""
    faces: pd.DataFrame = pa.concat_tables(contents).to_pandas()
    return faces


def content(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return what `read` does, before it becomes a pandas table, which takes longer.

    Raises:
        MissingData: There is no such file.
        DataError: The file is no face table.
    """
    try:
        # Explicit file: a folder or a glob would make it read whatever lies there.
        file = pq.ParquetFile(path)
        names = FACES.names if columns is None else columns
        # Before it is read: a column of another type may hold anything, of any size.
        _check_types(file.schema_arrow, names)
        found = file.read(columns=columns)
        _check_nulls(found, names)
    except FileNotFoundError:
        raise MissingData(
            f"Expected a face table at {path}, found nothing. Run `dvc repro`, or `dvc pull` "
            "where it was made on another machine."
        ) from None
    except _UNREADABLE as error:
        raise DataError(f"Expected a face table in {path}, received: {error}") from error
    return found


def check_size(path: Path) -> None:
    """Refuse a table of another's making that would fill the memory.

    Equal values take no room in a file: a few KB may hold gigabytes.

    Raises:
        DataError: It would take more than `_MAX_MEMORY`, or is no face table.
    """
    try:
        file = pq.ParquetFile(path)
        _check_types(file.schema_arrow, FACES.names)
        # Of a damaged footer `RowGroupMetaData.column` ends the process, in C++; a read says so.
        for group in range(file.num_row_groups):
            next(file.iter_batches(1, row_groups=[group]), None)
        if _most(file.metadata) <= _MAX_MEMORY:
            return
        taken = _most(file.metadata, but=_TEXTS)
        if taken <= _MAX_MEMORY:
            # Each value once, and where it stands.
            compact = pq.ParquetFile(path, read_dictionary=_TEXTS)
            batches = compact.iter_batches(columns=_TEXTS)
            taken += sum(_length(column) for batch in batches for column in batch)
    except _UNREADABLE as error:
        raise DataError(f"Expected a face table in {path}, received: {error}") from error
    if taken > _MAX_MEMORY:
        raise DataError(
            f"Expected a face table of at most {_MAX_MEMORY // 1_000_000} MB in memory, received "
            f"{taken // 1_000_000} MB or more in {path}. Hand it in in parts."
        )


def _most(metadata: pq.FileMetaData, *, but: Sequence[str] = ()) -> int:
    """Return the most bytes that the faces of a table take, texts of the columns `but` aside.

    No text is longer than all of its column as stored.
    """
    columns = [
        metadata.row_group(group).column(number)
        for group in range(metadata.num_row_groups)
        for number in range(metadata.num_columns)
    ]
    return sum(
        one.num_values * (8 + (one.total_uncompressed_size if _is_text(one, but) else 0))
        for one in columns
        if one.path_in_schema.split(".")[0] in FACES.names
    )


def _is_text(column: pq.ColumnChunkMetaData, but: Sequence[str]) -> bool:
    return column.physical_type == "BYTE_ARRAY" and column.path_in_schema not in but


def _length(texts: pa.DictionaryArray) -> int:
    """Return the bytes of all values in `texts` if each stood there by itself."""
    lengths = pc.binary_length(texts.dictionary)
    return pc.sum(lengths.take(texts.indices)).as_py() or 0


def write(path: Path, faces: pd.DataFrame, *, extra: pa.Schema | None = None) -> None:
    """Replace `path` by `faces`, whole or not at all.

    Args:
        path: Parquet file.
        faces: Columns of `records.FACES`, then those of `extra`, in any order.
        extra: Columns that this table has beyond `records.FACES`.

    Raises:
        DataError: A column is missing, unknown or of another type.
    """
    schema = pa.unify_schemas([FACES, extra]) if extra else FACES
    unknown = set(faces.columns) ^ set(schema.names)
    if unknown:
        raise DataError(f"Expected the columns {schema.names}, received a difference: {unknown}")
    try:
        # Through lists, not from_pandas: pandas turns missing strings and lists into NaN.
        columns = {name: _plain(faces[name]) for name in schema.names}
        table = pa.Table.from_pydict(columns, schema=schema)
        table.validate(full=True)
        _check_nulls(table, schema.names)
    except (ValueError, pa.ArrowTypeError) as error:
        raise DataError(f"A column for {path.name} has a wrong value: {error}") from error
    with replacing(path) as temporary:
        # PNG bytes do not compress again.
        pq.write_table(
            table,
            temporary,
            compression={name: "NONE" if name == "image" else "ZSTD" for name in schema.names},
        )


def _check_types(schema: pa.Schema, names: Iterable[str]) -> None:
    """Refuse a missing column, and another type than in `records.FACES`."""
    for name in names:
        if name not in schema.names:
            raise ValueError(f"no column {name}")
        received = schema.field(name).type
        if name in FACES.names and received != FACES.field(name).type:
            raise ValueError(
                f"column {name} of type {received}, expected {FACES.field(name).type}"
            )


def _check_nulls(found: pa.Table, names: Iterable[str]) -> None:
    """Refuse a null where `records.FACES` forbids it."""
    for name in set(names) & set(FACES.names):
        nulls = found.column(name).null_count
        if nulls and not FACES.field(name).nullable:
            raise ValueError(f"{nulls} rows without {name}")


def _plain(column: pd.Series) -> list[object]:
    return [None if _missing(value) else value for value in column]


def _missing(value: object) -> bool:
    return (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (isinstance(value, float) and math.isnan(value))
    )


def frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Return `rows` as a table with all columns of `records.FACES`; absent values are null."""
    return pd.DataFrame(rows, columns=FACES.names)


def by_model(faces: pd.DataFrame) -> "pd.Series[bool]":
    """Return which faces carry a model's label: to learn from at most, never to judge by."""
    return faces["label_source"] == "model"


def blind(faces: pd.DataFrame) -> "pd.Series[bool]":
    """Return which faces a person labelled who had not seen a model's answer."""
    return faces["label_source"] == "blind"


def encode(pixels: Pixels) -> list[bytes]:
    """Return each face as PNG. `pixels` has shape `(n, 48, 48)`.

    Raises:
        DataError: Another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (SIZE, SIZE):
        raise DataError(
            f"Expected faces uint8 (n, {SIZE}, {SIZE}), received: {pixels.dtype} {pixels.shape}"
        )
    return [cv2.imencode(".png", face)[1].tobytes() for face in pixels]


def decode(images: Iterable[bytes]) -> Pixels:
    """Return the faces, shape `(n, 48, 48)`.

    Raises:
        DataError: A value is no grey picture of 48 x 48.
    """
    faces = [_decode_one(image, number) for number, image in enumerate(images)]
    return np.stack(faces) if faces else np.empty((0, SIZE, SIZE), np.uint8)


def decode_readable(images: Iterable[bytes]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return the faces, shape `(n, 48, 48)`, black where unreadable, and which are readable."""
    held = list(images)
    pixels = np.zeros((len(held), SIZE, SIZE), np.uint8)
    readable = np.zeros(len(held), bool)
    for number, image in enumerate(held):
        try:
            pixels[number] = _decode_one(image, number)
            readable[number] = True
        except DataError:
            continue  # `readable` says so
    return pixels, readable


def _decode_one(image: bytes, number: int) -> Pixels:
    # A few bytes may claim gigabytes, which decoding would take.
    small = image.startswith(_HEAD) and image[16:24] == _SIDES and png_is_whole(image)
    face = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED) if small else None
    if face is None or face.dtype != np.uint8 or face.shape != (SIZE, SIZE):
        got = "no picture" if face is None else f"{face.dtype} {face.shape}"
        raise DataError(
            f"Row {number}: expected a grey picture of {SIZE} x {SIZE}, received: {got}"
        )
    return np.asarray(face, np.uint8)


def face_id(face: Pixels) -> str:
    """Return the name of one face: SHA-256 of its pixels, 64 hex digits."""
    return hashlib.sha256(face.tobytes()).hexdigest()
