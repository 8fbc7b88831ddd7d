"""A face is found whatever it is wrapped in."""

import base64
import io
import zipfile
from pathlib import Path

import pytest

from fer.data import table
from fer.privacy import contents

JPEG = b"\xff\xd8\xff"


@pytest.fixture
def wrapped(faces, tmp_path: Path) -> dict[str, bytes]:
    """One face of ana in every wrapping."""
    face = faces(1, subject="ana")
    table.write(tmp_path / "t.parquet", face)
    rows = (tmp_path / "t.parquet").read_bytes()
    picture, name = face["image"][0], face["id"][0]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/table.parquet", rows)
    return {
        "picture": picture,
        "table": rows,
        "table without its end": rows[:-20],
        "zip": packed.getvalue(),
        "page": b'<img src="data:image/png;base64,' + base64.b64encode(picture) + b'">',
        "among other bytes": JPEG + picture + JPEG,
        "name alone": f"{name},office,happy\n".encode(),
    }


@pytest.mark.parametrize(
    "wrapping",
    ["picture", "table", "table without its end", "zip", "page", "among other bytes",
     "name alone"],
)  # fmt: skip
def test_a_face_is_found_in(wrapping: str, wrapped: dict[str, bytes], faces) -> None:
    assert contents.faces(wrapped[wrapping]) == {faces(1)["id"][0]}


def test_another_face_is_another(wrapped: dict[str, bytes], faces) -> None:
    other = faces(1, first=1)["id"][0]
    assert all(other not in contents.faces(data) for data in wrapped.values())


@pytest.mark.parametrize("wrapping", ["table", "zip"])
def test_a_person_is_found_by_their_name(wrapping: str, wrapped: dict[str, bytes], faces) -> None:
    assert contents.faces_of(wrapped[wrapping], "ana") == {faces(1)["id"][0]}
    assert contents.faces_of(wrapped[wrapping], "an") == set()


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 cut", b"PAR1 no table PAR1", b"\x89PNG\r\n\x1a\n", b"\x00" * 99]
)
def test_broken_bytes_hold_nothing_and_raise_nothing(data: bytes) -> None:
    assert contents.faces(data) == contents.faces_of(data, "ana") == set()
    assert contents.trained_on(data) is None


def test_a_model_says_what_it_learnt_from(model_file, tmp_path: Path) -> None:
    model = model_file(tmp_path / "model.onnx", data_version=12).read_bytes()
    assert contents.trained_on(model) == 12


def zipped(data: bytes, times: int) -> bytes:
    """A zip file that has `data` so many times."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(times):
            archive.writestr(str(number), data)
    return packed.getvalue()


def test_what_unpacks_without_end_is_given_up_and_known_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contents, "_MOST_BYTES", 10_000_000, raising=False)
    bomb = bytes(1_000_000)
    for _ in range(2):
        bomb = zipped(bomb, 8)

    assert contents.faces(bomb) == contents.faces_of(bomb, "ana") == set()
    assert contents.opaque(bomb) == "bomb"
    assert contents.opaque(zipped(b"text", 20)) is None


def test_what_cannot_be_searched_is_known_as_such(faces) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.weights.h5", b"weights")
    assert contents.opaque(packed.getvalue()) == "weights"
    assert contents.opaque(faces(1)["image"][0]) is None
    assert contents.opaque(b"text") is None
