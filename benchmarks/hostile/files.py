"""Doors by which data sets and pictures come in."""

import zipfile
from pathlib import Path

import numpy as np

from benchmarks.hostile import pictures
from benchmarks.hostile.door import BENT, Door, zipped
from fer.data import fer2013_layouts, importing, table
from fer.faces.camera import decode_picture
from fer.live.web.service import MAX_PIXELS
from fer.records import SIZE, now


def picture(_: Path) -> Door:
    """Pictures, as the import and the API decode them."""

    def offer(data: bytes) -> None:
        frame = decode_picture(data, max_pixels=MAX_PIXELS)
        assert frame.dtype == np.uint8
        assert frame.shape[2] == 3
        assert frame.size <= 3 * MAX_PIXELS

    return Door(pictures.valid(), pictures.nasty(), offer)


def fer2013(root: Path) -> Door:
    """FER2013's csv, FER+'s votes beside it, and zips of them, told apart by how they begin."""
    numbers = " ".join(["7"] * SIZE**2)
    usages = ("Training", "PublicTest", "PrivateTest")
    csv = "emotion,pixels,Usage\n" + "".join(f"{n},{numbers},{u}\n" for n, u in enumerate(usages))
    header = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
        "unknown,NF\n"
    )
    votes = header + "".join(f"{u},x.png,10,0,0,0,0,0,0,0,0,0\n" for u in usages)
    face = table.encode(np.full((1, SIZE, SIZE), 7, np.uint8))[0]
    images = {"train/happy/a.png": face, "test/sad/b.png": face}
    both = {"fer2013.csv": csv.encode(), "fer2013new.csv": votes.encode()}

    def offer(data: bytes) -> None:
        place = root / "fer2013"
        place.mkdir(exist_ok=True)
        if data.startswith(b"Usage"):
            (place / "fer2013.csv").write_bytes(csv.encode())
            (place / "fer2013new.csv").write_bytes(data)
            fer2013_layouts.read(place, votes=True)
        else:
            (place / "given").write_bytes(data)
            fer2013_layouts.read(place / "given", votes=None)

    nasty = [
        zipped({"../../canary/fer2013.csv": csv.encode(), "/etc/fer2013.csv": b"x"}),
        zipped({"fer2013.csv": b"0" * (1 << 28)}),
        zipped({"train/happy/a.png": pictures.png(30_000, 30_000), "test/sad/b.png": face}),
        zipped({"train/happy/a.png": pictures.png(2**31 - 1, 1), "test/sad/b.png": face}),
        _lying_zip(csv.encode()),
        zipped({"fer2013.csv": zipped(both)}),
        zipped({f"train/happy/{number}.png": b"" for number in range(50_000)}),
        (header + f"Training,x,{'9' * 5000},0,0,0,0,0,0,0,0,0\n").encode(),
        (header + '"' + "x" * 200_000).encode(),
        b"emotion,pixels,Usage\n" + b"9" * 200_000, b"", b"\0" * 5000, b"PK\x05\x06" + bytes(18),
    ]  # fmt: skip
    kinds = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    zips = [zipped(both, kind) for kind in kinds]
    return Door([csv.encode(), votes.encode(), *zips, zipped(images)], nasty, offer)


def picture_list(root: Path) -> Door:
    """A csv file that lists labelled pictures."""
    (root / "a.png").write_bytes(pictures.valid()[3])
    (root / "deep").mkdir()
    rows = "path,label,subject,session\na.png,happy,anna,1\ndeep/../a.png,3,,\n"

    def offer(data: bytes) -> bool:
        listed = root / "list.csv"
        listed.write_bytes(data)
        found = importing.import_faces(
            listed, domain="x", name=None, subject_pattern=None, aligned=True, detector=None,
            now=now(),
        )  # fmt: skip
        return bool(found.problems)

    paths = (
        BENT, "/etc/passwd", "a.png\0", "x" * 5000, "/dev/zero", ".", "", "~", "\udcff",
        "http://localhost/a.png", "a.png;reboot",
    )  # fmt: skip
    labels = ("²", "9" * 5000, "\u0663", "", "=cmd()", "-1")
    nasty = [f'path,label\n"{path}",happy\n'.encode(errors="surrogateescape") for path in paths]
    nasty += [f"path,label\na.png,{label}\n".encode() for label in labels]
    nasty += [
        b"path,label,path\na.png,happy\n",
        b'path,label\n"' + b"x" * 200_000,
        b"path,label\n\0",
    ]
    return Door([rows.encode(), rows.encode("utf-8-sig")], nasty, offer)


def _lying_zip(content: bytes) -> bytes:
    """Return a zip whose directory says that the csv is small."""
    whole = zipped({"fer2013.csv": content * 100})
    size = (len(content) * 100).to_bytes(4, "little")
    return whole.replace(size, (100).to_bytes(4, "little"))
