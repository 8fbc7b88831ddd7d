"""FER2013's csv file to arrays.

The file is 270 MB of decimal digits. It is read in blocks, and the digits of a block become
numbers in two dozen numpy calls, so memory holds the faces and one block, never the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fer.data.table import Pixels
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.records import SIZE, Split

USAGES: Final[dict[str, Split]] = {
    "Training": "train",
    "PublicTest": "validation",
    "PrivateTest": "test",
}
"""FER2013's names of the splits."""

_COLUMNS: Final = ("emotion", "pixels", "Usage")
_PIXELS: Final = SIZE * SIZE
# Around a cell: the blank of icml_face_data.csv, the \r of Windows, the quotes of a re-save.
_AROUND: Final = b' \t\r"'
_LABELS: Final = {str(number).encode(): emotion for number, emotion in enumerate(EMOTIONS)}
_SPLITS: Final = {usage.encode(): split for usage, split in USAGES.items()}

# Measured: half of it costs calls, twice as much gains nothing.
_BLOCK_BYTES: Final = 1 << 18
# Seven times the longest proper row (2,304 three-digit numbers): what is longer has no line ends.
_LONGEST_ROW_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Rows:
    """FER2013's faces in the order of its csv file.

    Args:
        pixels: Shape `(n, 48, 48)`, values 0-255.
        labels: n names of `EMOTIONS`.
        splits: n splits.
    """

    pixels: Pixels
    labels: list[str]
    splits: list[Split]


def read(stream: BinaryIO, name: str) -> Rows:
    """Return the faces of a csv file with the columns `emotion`, `pixels` and `Usage`.

    The columns may stand in any order, among others, quoted or with blanks around them. Blank
    lines count as no row.

    Args:
        stream: The file, at its start.
        name: What messages call it.

    Raises:
        DataError: The file is no such csv; the message names the data row, counted from 1.
    """
    columns = _columns(stream.readline(_LONGEST_ROW_BYTES), name)
    _keep_freed_memory()
    pixels = bytearray()  # Grows in place; a list of arrays would be copied at the end.
    labels: list[str] = []
    splits: list[Split] = []
    for lines in _blocks(stream, name):
        fields = []
        for line in lines:
            emotion, field, usage = _cells(line, columns, name, row=len(labels) + 1)
            label, split = _LABELS.get(emotion), _SPLITS.get(usage)
            if label is None or split is None:
                raise DataError(
                    f"{name}, data row {len(labels) + 1}: expected an emotion from 0 to 6 and a "
                    f"Usage of {tuple(USAGES)}, received {_shown(emotion)} and {_shown(usage)}. "
                    "Is the file cut short?"
                )
            labels.append(label)
            splits.append(split)
            fields.append(field)
        if fields:
            pixels.extend(_checked_numbers(fields, name, first_row=len(labels) - len(fields) + 1))
    if not labels:
        raise DataError(f"{name}: expected rows below the header, received none.")
    return Rows(np.frombuffer(pixels, np.uint8).reshape(-1, SIZE, SIZE), labels, splits)


def _keep_freed_memory() -> None:
    """Have the C library keep the arrays of a block for the next block's.

    Below a limit glibc keeps what is freed, and the limit rises to the size of the largest
    array freed so far. Measured without: the steps fetch their memory from the system anew,
    and reading takes twice as long.
    """
    np.empty(1 << 23, np.uint8)


@dataclass(frozen=True)
class _Columns:
    """Where the three columns stand, in the order of `_COLUMNS`, among `total`."""

    places: tuple[int, ...]
    total: int


def _columns(header: bytes, name: str) -> _Columns:
    text = header.decode("utf-8-sig", errors="replace")
    names = [cell.strip().strip('"').strip() for cell in text.split(",")]
    missing = [column for column in _COLUMNS if column not in names]
    if missing:
        raise DataError(
            f"{name}: expected the columns {_COLUMNS} in the first line, {missing} not found. "
            f"Received: {text[:80]!r}. Is it FER2013's csv file?"
        )
    return _Columns(tuple(names.index(column) for column in _COLUMNS), len(names))


def _blocks(stream: BinaryIO, name: str) -> Iterator[list[bytes]]:
    """Yield the lines that are not blank, a block's at a time."""
    rest = b""
    while chunk := stream.read(_BLOCK_BYTES):
        *lines, rest = _split(rest + chunk, b"\n")
        yield [line for line in lines if line.strip()]
        if len(rest) > _LONGEST_ROW_BYTES:
            raise DataError(
                f"{name}: expected rows of at most {_LONGEST_ROW_BYTES} bytes, received a "
                f"longer one, starting {rest[:40]!r}. Is it FER2013's csv file?"
            )
    yield [rest] if rest.strip() else []


def _split(text: bytes, separator: bytes) -> list[bytes]:
    """Do as `text.split(separator)`, which looks at one byte at a time; `find` is faster."""
    pieces = []
    start = 0
    while (end := text.find(separator, start)) >= 0:
        pieces.append(text[start:end])
        start = end + 1
    pieces.append(text[start:])
    return pieces


def _cells(line: bytes, columns: _Columns, name: str, *, row: int) -> list[bytes]:
    """Return the row's emotion, pixels and usage."""
    cells = _split(line, b",")
    if len(cells) != columns.total:
        raise DataError(
            f"{name}, data row {row}: expected {columns.total} columns, received {len(cells)}. "
            "Is the file cut short?"
        )
    return [cells[place].strip(_AROUND) for place in columns.places]


def _shown(cell: bytes) -> str:
    return repr(cell[:20].decode(errors="replace"))


def _checked_numbers(fields: list[bytes], name: str, *, first_row: int) -> NDArray[np.uint8]:
    """Return the numbers in the rows' pixel columns, shape `(rows x 2304,)`.

    Raises:
        DataError: A row has not 2,304 numbers from 0 to 255.
    """
    numbers = _numbers(fields)
    if numbers is not None:
        return numbers
    rows = enumerate(fields, first_row)  # They do not depend on each other: one is at fault.
    row, field = next((row, field) for row, field in rows if _numbers([field]) is None)
    raise DataError(f"{name}, data row {row}: {_fault(field)}")


def _numbers(fields: list[bytes]) -> NDArray[np.uint8] | None:
    """Return the numbers, shape `(rows x 2304,)`, or None where a row is not as it should be.

    All rows are one text, and each step works on all its bytes. A number is read where its last
    digit stands: ones there, tens one byte before, hundreds two before.
    """
    # A row and the blank behind it take an even number of bytes, for `_picked`.
    odd = [field if len(field) % 2 else field + b" " for field in fields]
    # Four blanks in front and two behind: every look around a byte stays inside.
    text = np.frombuffer(b" ".join([b"   ", *odd, b" "]), np.uint8)
    size = len(text) - 5
    is_digit = text >= ord("0")
    if text.max() > ord("9") or not (is_digit | (text == ord(" "))).all():
        return None
    present = is_digit.view(np.uint8)
    after_digit = present[2:] & present[1:-1]  # Digits that follow one.
    if (after_digit[2:] & after_digit[:-2]).max():  # Four digits in a row.
        return None
    digits = text & np.uint8(0x0F)  # A blank, 0x20, becomes 0.
    below_hundred = digits[3:][:size] * np.uint8(10)
    below_hundred += digits[4:][:size]
    values = digits[2:][:size] * after_digit[2:][:size]
    if values.max() > 2:
        return None
    values *= np.uint8(100)
    values += below_hundred
    if (values < below_hundred).any():  # 256 to 299 wrap round to 0 to 43.
        return None
    is_last = present[4:][:size] > present[5:]
    return _picked(values, is_last, [len(field) + 1 for field in odd])


def _picked(
    values: NDArray[np.uint8], is_last: NDArray[np.bool_], row_bytes: list[int]
) -> NDArray[np.uint8] | None:
    """Return the values of last digits, or None where a row has not 2,304 of them.

    Two last digits are never neighbours, so a pair of bytes has one at most, and half as many
    places need a look.
    """
    places = np.flatnonzero(is_last.view(np.uint16) != 0)
    counts = places.searchsorted(np.cumsum(row_bytes) // 2)  # Up to each row's end.
    if (counts != _PIXELS * np.arange(1, len(row_bytes) + 1)).any():
        return None
    values *= is_last.view(np.uint8)
    pairs = values.view(np.uint16).take(places)
    pairs |= pairs >> 8
    return pairs.astype(np.uint8)


def _fault(field: bytes) -> str:
    """Say why `_numbers` refuses the row."""
    numbers = [number for number in field.split(b" ") if number]
    for place, number in enumerate(numbers, 1):
        if not number.isdigit() or len(number) > 3 or int(number) > 255:
            return f"pixel {place}: expected a number from 0 to 255, received {_shown(number)}."
    return f"expected {_PIXELS} pixels, received {len(numbers)}. Is the file cut short?"
