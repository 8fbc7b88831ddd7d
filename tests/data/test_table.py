"""The face table comes back as it was written, or is refused."""

import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fer.data import table
from fer.errors import DataError, MissingData
from fer.files import PNG
from fer.records import FACES, SIZE

Faces = Callable[..., pd.DataFrame]

CONSENT = {
    "text": "1", "purpose": "training",
    "given_at": datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC),
    "expires_at": datetime(2027, 1, 1, tzinfo=UTC),
}  # fmt: skip

# Says why a file is refused in which these bits of one byte are wrong, byte after byte.
DAMAGED = """
import sys
from pathlib import Path
from fer.data import table
from fer.errors import DataError
file, (begin, end, bits) = Path(sys.argv[1]), map(int, sys.argv[2:])
whole = file.read_bytes()
for place in range(begin, end):
    damaged = bytearray(whole)
    damaged[place] ^= bits
    file.write_bytes(damaged)
    try:
        table.check_size(file)
    except DataError as error:
        print(str(error).replace("\\n", " "))
"""


def refusals(file: Path, places: range, bits: int) -> list[str]:
    """Return them, from a process of their own: Arrow may end it."""
    command = [sys.executable, "-c", DAMAGED, file, *map(str, (places.start, places.stop, bits))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_values_of_every_column_come_back(tmp_path: Path, faces: Faces) -> None:
    written = faces(
        3, votes=[None, [0, 0, 0, 1, 0, 0, 0], [1 / 7] * 7], consent=[None, CONSENT, None],
        split=["train", "validation", None], captured_at=[None, CONSENT["given_at"], None],
    )  # fmt: skip
    table.write(tmp_path / "faces.parquet", written)
    back = table.read(tmp_path / "faces.parquet")
    assert list(back.columns) == FACES.names
    pd.testing.assert_frame_equal(back.drop(columns=["votes", "consent"]),
                                  written.drop(columns=["votes", "consent"]))  # fmt: skip
    np.testing.assert_allclose(back["votes"][2], 1 / 7, rtol=1e-6)
    np.testing.assert_array_equal(back["votes"][1], [0, 0, 0, 1, 0, 0, 0])
    assert back["votes"][0] is None
    assert back["consent"][1] == CONSENT


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("name", [field.name for field in FACES if field.nullable])
def test_a_missing_value_stays_missing(
    tmp_path: Path, faces: Faces, name: str, missing: object
) -> None:
    # Object: as a table looks that was put together from rows.
    written = faces(2).astype(object)
    written[name] = pd.Series([missing, written[name][1]], dtype=object)
    table.write(tmp_path / "faces.parquet", written)
    assert pq.read_table(tmp_path / "faces.parquet")[name].is_null()[0].as_py()


def test_a_table_that_was_read_can_be_written(tmp_path: Path, faces: Faces) -> None:
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    table.write(first, faces(2, votes=[None, [1 / 7] * 7], consent=[CONSENT, None]))
    table.write(second, table.read(first))
    assert pq.read_table(first).equals(pq.read_table(second))


def test_an_empty_table_comes_back_empty(tmp_path: Path) -> None:
    table.write(tmp_path / "faces.parquet", table.frame([]))
    back = table.read(tmp_path / "faces.parquet")
    assert (len(back), list(back.columns)) == (0, FACES.names)


def test_some_columns_can_be_read_alone(tmp_path: Path, faces: Faces) -> None:
    table.write(tmp_path / "faces.parquet", faces(2))
    back = table.read(tmp_path / "faces.parquet", ["label", "id"])
    assert set(back.columns) == {"id", "label"}


def test_extra_columns_are_kept(tmp_path: Path, faces: Faces) -> None:
    extra = pa.schema([pa.field("reason", pa.string(), nullable=False)])
    table.write(tmp_path / "faces.parquet", faces(2).assign(reason="dark"), extra=extra)
    assert list(table.read(tmp_path / "faces.parquet")["reason"]) == ["dark", "dark"]


def test_wrong_columns_are_named(tmp_path: Path, faces: Faces) -> None:
    for wrong in (faces(1).drop(columns="label"), faces(1).rename(columns={"label": "emotion"})):
        with pytest.raises(DataError, match="label"):
            table.write(tmp_path / "faces.parquet", wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", None), ("image", None), ("source", None), ("domain", None), ("label", 3),
     ("image", 3), ("votes", "happy"), ("captured_at", "monday"), ("consent", "yes")],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_the_old_file_stays(
    tmp_path: Path, faces: Faces, name: str, value: object
) -> None:
    file = tmp_path / "faces.parquet"
    table.write(file, faces(1))
    before = file.read_bytes()
    wrong = faces(1, first=1).astype(object)
    wrong[name] = pd.Series([value], dtype=object)
    with pytest.raises(DataError, match="wrong value"):
        table.write(file, wrong)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "faces.parquet"
    table.write(file, faces(1))
    before = file.read_bytes()

    def fail(_: pa.Table, where: Path, **__: object) -> None:
        where.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        table.write(file, faces(2))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="dvc repro"):
        table.read(tmp_path / "faces.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"PAR1" * 100])
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad faces.parquet"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"bad faces\.parquet"):
        table.read(file)


def test_a_folder_is_refused(tmp_path: Path, faces: Faces) -> None:
    folder = tmp_path / "folder.parquet"
    table.write(folder / "faces.parquet", faces(1))
    with pytest.raises(DataError, match=r"folder\.parquet"):
        table.read(folder)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(tmp_path: Path, faces: Faces, keep: float) -> None:
    file = tmp_path / "faces.parquet"
    table.write(file, faces(3))
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"faces\.parquet"):
        table.read(file)


def test_a_footer_with_a_wrong_bit_does_not_end_the_process(tmp_path: Path, faces: Faces) -> None:
    file = tmp_path / "faces.parquet"
    table.write(file, faces(1))
    whole = file.read_bytes()
    begin = len(whole) - 8 - struct.unpack("<I", whole[-8:-4])[0]

    assert len(refusals(file, range(begin, begin + 256), 1)) > 50


def test_a_place_beyond_the_values_that_it_chooses_from_is_no_traceback(
    tmp_path: Path, faces: Faces
) -> None:
    # So large that each value is counted once, and where it stands.
    rows = faces(3, domain=["x" * 400_000, "y", "z"])
    file = tmp_path / "faces.parquet"
    table.write(file, rows)
    pq.write_table(pq.read_table(file).take([0, 1, 2] * 1000), file)
    column = pq.ParquetFile(file).metadata.row_group(0).column(FACES.names.index("domain"))
    begin = column.data_page_offset

    assert any("out of bounds" in one for one in refusals(file, range(begin, begin + 80), 3))


def test_parquet_that_is_no_face_table_is_refused(tmp_path: Path, faces: Faces) -> None:
    table.write(tmp_path / "faces.parquet", faces(2))
    good = pq.read_table(tmp_path / "faces.parquet")
    place = good.schema.get_field_index("id")
    numbered = good.set_column(place, "id", pa.array([1, 2]))
    holes = good.set_column(place, "id", pa.array(["a", None]))
    for wrong in (good.drop_columns(["label"]), numbered, holes):
        pq.write_table(wrong, tmp_path / "faces.parquet")
        with pytest.raises(DataError, match="face table"):
            table.read(tmp_path / "faces.parquet")


@given(hnp.arrays(np.uint8, st.tuples(st.integers(0, 4), st.just(SIZE), st.just(SIZE))))
def test_pixels_come_back_exactly(pixels: table.Pixels) -> None:
    np.testing.assert_array_equal(table.decode(table.encode(pixels)), pixels)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((1, 48, 48), np.float32), np.zeros((48, 48), np.uint8),
     np.zeros((1, 64, 64), np.uint8), np.zeros((1, 48, 48, 3), np.uint8)],
)  # fmt: skip
def test_pixels_of_another_kind_are_not_encoded(pixels: table.Pixels) -> None:
    with pytest.raises(DataError, match="uint8"):
        table.encode(pixels)


def test_a_picture_of_another_kind_is_refused_with_its_row(faces: Faces) -> None:
    good = faces(1)["image"][0]
    deep = np.zeros((SIZE, SIZE), np.uint16)
    wrong = [np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE + 1), np.uint8), deep]
    for image in [b"", b"no picture", *(cv2.imencode(".png", one)[1].tobytes() for one in wrong)]:
        with pytest.raises(DataError, match=r"Row 1: expected a grey picture of 48 x 48"):
            table.decode([good, image])


def test_the_id_depends_on_every_pixel_and_nothing_else(faces: Faces) -> None:
    face = table.decode(faces(1)["image"])[0]
    other = face.copy()
    other[47, 47] ^= 1
    assert table.face_id(face) != table.face_id(other)
    assert table.face_id(face) == table.face_id(np.asfortranarray(face))
    # Another encoder writes other bytes of the same picture.
    written = cv2.imencode(".png", face, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    assert table.face_id(table.decode([written])[0]) == table.face_id(face)


@pytest.mark.parametrize(
    "image",
    [
        PNG + struct.pack(">I4sII5x4x", 13, b"IHDR", 30_000, 30_000),
        PNG + struct.pack(">I4sII5x4x", 13, b"IHDR", 2**31 - 1, 1),
        PNG + struct.pack(">I4sII5x4x", 13, b"IHDR", 48, 48) + b"\xff\0\0\0IDAT",
    ],
)
def test_a_picture_that_claims_too_much_is_not_decoded(
    monkeypatch: pytest.MonkeyPatch, image: bytes
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    assert not table.decode_readable([image])[1].any()
