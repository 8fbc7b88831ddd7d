"""Sources give their frames and end; pictures are checked before they are decoded."""

import io
import logging
import struct
import threading
import zlib
from collections.abc import Callable
from contextlib import closing
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer.errors import CameraError, DataError
from fer.faces import camera


def _film(path: Path, *, length: int = 12) -> Path:
    rng = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for number in range(length):
        frame = rng.integers(-5, 6, (240, 320, 3)) + 10 + 20 * number  # grain gives it bytes
        writer.write(frame.astype(np.uint8))
    writer.release()
    return path


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))


def _half_dark() -> NDArray[np.uint8]:
    """Return 40 rows, 20 columns; the upper half is dark."""
    picture = np.full((40, 20, 3), 200, np.uint8)
    picture[:20] = 30
    return picture


# -- frames ------------------------------------------------------------------------------------


def test_a_film_gives_all_its_frames_in_order(tmp_path: Path) -> None:
    found = list(camera.frames(str(_film(tmp_path / "film.avi"))))
    assert [frame.shape for frame in found] == [(240, 320, 3)] * 12
    assert found[0].dtype == np.uint8
    np.testing.assert_allclose([frame.mean() for frame in found], 10 + 20 * np.arange(12), atol=2)


def test_frames_that_would_take_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = _film(tmp_path / "film.avi")
    monkeypatch.setattr(camera, "MAX_PIXELS", 320 * 240 - 1)
    with pytest.raises(CameraError, match="320 x 240"):
        next(camera.frames(str(film)))


def test_a_film_that_is_cut_short_ends_cleanly(tmp_path: Path) -> None:
    film = _film(tmp_path / "film.avi")
    data = film.read_bytes()
    film.write_bytes(data[: len(data) * 6 // 10])
    assert 0 < len(list(camera.frames(str(film)))) < 12


def test_a_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    for name, grey in (("b.png", 100), ("a.jpg", 50), ("c.PNG", 150), (".hidden.png", 200)):
        (tmp_path / name).write_bytes(
            cv2.imencode(name[-4:].lower(), np.full((8, 9, 3), grey, np.uint8))[1].tobytes()
        )
    (tmp_path / "notes.txt").write_text("no picture")
    assert [int(frame[0, 0, 0]) for frame in camera.frames(str(tmp_path))] == [50, 100, 150]


def test_a_damaged_picture_in_a_folder_is_skipped_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "good.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "bad.png").write_bytes(b"junk")
    with caplog.at_level(logging.WARNING):
        assert len(list(camera.frames(str(tmp_path)))) == 1
    assert "bad.png" in caplog.text


def test_a_picture_is_one_frame_even_when_its_name_looks_like_a_series(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"face_{number}.png"), np.zeros((8, 8, 3), np.uint8))
    assert len(list(camera.frames(str(tmp_path / "face_1.png")))) == 1


def test_a_stream_is_read_by_its_address(tmp_path: Path) -> None:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    _film(tmp_path / "film.avi")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            found = list(camera.frames(f"http://127.0.0.1:{server.server_port}/film.avi"))
        finally:
            server.shutdown()
            thread.join()
    assert len(found) == 12


@pytest.mark.parametrize("make", [
    lambda folder: folder / "missing.mp4",
    lambda folder: folder,
    lambda folder: _written(folder / "film.mp4", b"no film"),
    lambda folder: _written(folder / "face.png", b"no picture"),
])  # fmt: skip
def test_a_source_without_frames_is_named(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    source = str(make(tmp_path))
    with pytest.raises(CameraError) as caught:
        list(camera.frames(source))
    assert repr(source) in str(caught.value)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


class _FakeCapture:
    """Stands for a camera, which a test machine has not."""

    def __init__(self, number: int) -> None:
        self.number, self.released = number, False

    def read(self) -> tuple[bool, NDArray[np.uint8]]:
        return True, np.full((4, 4, 3), self.number, np.uint8)

    def get(self, _: int) -> float:
        return 2

    def release(self) -> None:
        self.released = True


def test_a_camera_is_released_when_the_caller_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[_FakeCapture] = []

    def open_camera(number: int) -> _FakeCapture:
        opened.append(_FakeCapture(number))
        return opened[-1]

    monkeypatch.setattr(cv2, "VideoCapture", open_camera)
    with closing(camera.frames("3")) as video:
        assert next(video)[0, 0, 0] == 3
        assert not opened[0].released
    assert opened[0].released


# -- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tiff", ".webp", ".jpg", ".ppm"])
def test_every_format_is_read_as_bgr(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"face{ending}"
    cv2.imwrite(str(path), np.full((30, 20, 3), (200, 100, 50), np.uint8))
    picture = camera.read_picture(path)
    assert picture.dtype == np.uint8
    assert picture.shape == (30, 20, 3)
    np.testing.assert_allclose(picture[15, 10], (200, 100, 50), atol=4)


@pytest.mark.parametrize("pixels", [
    np.full((30, 20), 117, np.uint8),
    np.full((30, 20), 117 * 257, np.uint16),
    np.full((30, 20, 3), 117 * 257, np.uint16),
    np.full((30, 20, 4), (117, 117, 117, 0), np.uint8),
])  # fmt: skip
@pytest.mark.parametrize("ending", [".png", ".tiff"])
def test_grey_16_bit_and_transparent_pictures_become_bgr(
    tmp_path: Path, pixels: NDArray[np.uint8], ending: str
) -> None:
    path = tmp_path / f"face{ending}"
    cv2.imwrite(str(path), pixels)
    np.testing.assert_array_equal(camera.read_picture(path), np.full((30, 20, 3), 117))


@pytest.mark.parametrize(("orientation", "shape"), [(1, (40, 20)), (3, (40, 20)), (6, (20, 40))])
def test_pictures_stand_upright_as_exif_says(
    tmp_path: Path, orientation: int, shape: tuple[int, int]
) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(_half_dark()).save(path, exif=exif)
    picture = camera.read_picture(path)
    assert picture.shape[:2] == shape
    if orientation == 3:
        assert picture[:10].mean() > picture[-10:].mean()
    if orientation == 6:  # turned clockwise: what was up is to the right
        assert picture[:, -10:].mean() < picture[:, :10].mean()


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (10_000, 10_000), (8000, 7000)])
def test_a_header_that_claims_too_much_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match=r"megapixels|sensible size"):
        camera.decode_picture(_png_claiming(width, height))


def test_a_file_that_is_too_large_is_refused_after_a_bounded_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), np.zeros((50, 50, 3), np.uint8))
    monkeypatch.setattr(camera, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(DataError, match=r"large\.png.*larger"):
        camera.read_picture(path)


def test_what_is_no_picture_is_refused_with_its_name(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(
        whole, "PNG"
    )
    junk = {
        "empty.png": b"",
        "text.jpg": b"hello",
        "half.png": whole.getvalue()[:9000],
        "drawing.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
    }
    for name, data in junk.items():
        with pytest.raises(DataError, match=name):
            camera.read_picture(_written(tmp_path / name, data))
    for path in (tmp_path / "missing.png", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(DataError):
            camera.read_picture(path)


def test_what_is_no_film_says_nothing_of_itself(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    assert camera.header(tmp_path / "notes.txt") == camera.Header(None, None)


def test_a_chunk_that_claims_gigabytes_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    # All but the checksum of IDAT is there, and its length says 4 GB.
    lying = _png_claiming(48, 48)[:33] + b"\xff\0\0\0IDAT" + bytes(100)
    with pytest.raises(DataError, match="breaks off"):
        camera.decode_picture(lying)
