"""Pictures that lie, break off, or would fill the memory."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image


def valid() -> list[bytes]:
    """Return a small picture in every format, colour mode and depth that is taken."""
    grey = np.random.default_rng(1).integers(0, 256, (40, 48), np.uint8)
    colour = Image.fromarray(np.stack([grey, grey.T.copy().T, 255 - grey], axis=2))
    faint = colour.convert("RGBA")
    faint.putalpha(Image.fromarray(grey))
    return [
        *(_saved(colour, kind) for kind in ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")),
        *(_saved(colour.convert("L"), kind) for kind in ("BMP", "JPEG", "PNG", "PPM", "TIFF")),
        *(_saved(faint, kind) for kind in ("PNG", "WEBP", "TIFF")),
        *(_saved(colour.convert(mode), "PNG") for mode in ("1", "LA", "P")),
        _saved(colour.convert("CMYK"), "JPEG"),
        _saved(colour.convert("CMYK"), "TIFF"),
        _saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
        _saved(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF"),
        # Eight ways to lie, and two that are none.
        *(_saved(colour, "JPEG", exif=_turned(way)) for way in range(10)),
        _saved(colour, "PNG", exif=_turned(6)),
        _saved(colour, "WEBP", exif=_turned(5)),
        _saved(colour, "JPEG", progressive=True),
        _saved(colour, "TIFF", compression="tiff_lzw"),
        *(
            _saved(colour, kind, save_all=True, append_images=[colour.rotate(90)] * 3)
            for kind in ("GIF", "PNG", "WEBP", "TIFF")
        ),
    ]


def nasty() -> list[bytes]:
    """Return bombs, headers that lie, empty and foreign files."""
    sides = [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 2**31 - 1),
        (65535, 65535),
        (30_000, 30_000),
        (7071, 7072),
    ]
    return [
        *(png(width, height) for width, height in sides),
        *(_bmp(width, height) for width, height in [*sides, (-48, 48), (48, -48), (48, -(2**31))]),
        *(_gif(width, height) for width, height in [(0, 0), (65535, 65535), (1, 1)]),
        # A thousandfold: 49 megapixels in 48 KB, one under the limit and one over it.
        png(7000, 7000, zlib.compress(bytes(7000 * 7001), 9)),
        png(8000, 8000, zlib.compress(bytes(8000 * 8001), 9)),
        # Ten thousand pictures in one.
        _saved(Image.new("P", (48, 48)), "GIF", save_all=True, append_images=_flicker(10_000)),
        # The first header is small, the second is not.
        png(48, 48) + png(30_000, 30_000),
        _two_headers(),
        *_tiffs(),
        b"P6 99999999 99999999 255\n",
        b"P5 48 48 65536\n" + bytes(9999),
        b"P6 " + b"9" * 6000 + b" 1 255\n",
        b"P6\n" + b"#" * 100_000,
        b"", b"\0", b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0",
        b"RIFF\xff\xff\xff\xffWEBPVP8X", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n", b"PK\x03\x04", bytes(100_000),
    ]  # fmt: skip


def png(width: int, height: int, data: bytes = b"", *, depth: int = 8) -> bytes:
    """Return a grey PNG that claims a size, with `data` in it."""
    header = struct.pack(">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data or zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def _two_headers() -> bytes:
    large = _chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    whole = png(48, 48, zlib.compress(bytes(48 * 49)))
    return whole[:33] + large + whole[33:]


def _bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(500)


def _gif(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame + b";"


def _tiffs() -> list[bytes]:
    """Return files whose width stands there twice, once small and once not."""
    found = []
    for widths in ((48, 40_000), (40_000, 48)):
        tags = [(256, one) for one in widths]
        tags += [(257, one) for one in widths]
        tags += [(258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 40_000), (279, 2304)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        found.append(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(2400))
    return found


def _turned(way: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = way
    return exif


def _flicker(count: int) -> Iterator[Image.Image]:
    return (Image.new("P", (48, 48), number % 2) for number in range(count))


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()
