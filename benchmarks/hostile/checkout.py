"""Doors by which a checkout's own files come in, once another has written them."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.hostile import pictures
from benchmarks.hostile.door import BENT, REPOSITORY, Door, encoded
from fer import params
from fer.data import inbox, quarantine, table, version
from fer.data.inbox import Items
from fer.paths import Paths
from fer.records import FACES, SIZE, DataVersion, Decision


def item(root: Path) -> Door:
    """Inbox items: face tables by how they begin, else decisions; what is read is also cleared."""
    paths = Paths(root / "checkout")
    (root / "canary.parquet").write_bytes(b"outside")

    def offer(data: bytes) -> bool:
        ending = "parquet" if data.startswith(b"PAR1") else "json"
        place = paths.inbox / f"given.{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        found = inbox.read(paths.inbox)
        readable = table.decode_readable(found.faces["image"])[1]
        # As `ingest` clears away what was decided.
        for said in found.decisions:
            quarantine.remove(paths.quarantine, said.face)
        inbox.remove(found.files)
        return _apart(found, readable)

    faces = _faces(2)
    table.write(root / "faces.parquet", faces)
    bombs = [pictures.png(*side) for side in ((30_000, 30_000), (2**31 - 1, 1), (0, 0))]
    hostile = faces.loc[[0] * len(bombs)].assign(image=bombs)
    table.write(root / "bombs.parquet", hostile)
    said = Decision("ab" * 32, "accept", "happy")
    names = (f"../../../{'canary'}", BENT, "/etc/passwd", "", "AB" * 32, "ab" * 32 + "\n", "a\0b")
    nasty = [encoded({"face": name, "verdict": "reject", "label": None}) for name in names]
    nasty += [b"[" * 200_000, b'{"face":' * 100_000, b"NaN", b'"\\ud800"', b"1" * 5000, b"{}"]
    nasty += [encoded({**vars(said), "label": {}}), encoded({**vars(said), "verdict": []})]
    nasty += [_repeated(root / "faces.parquet", *one) for one in ((10, 10**6), (10**5, 10**4))]
    nasty += [_repeated(root / "faces.parquet", 10**6, 0)]
    nasty += [(root / "bombs.parquet").read_bytes(), b"PAR1PAR1", b"PAR1" + bytes(40) + b"PAR1"]
    return Door([(root / "faces.parquet").read_bytes(), encoded(vars(said))], nasty, offer)


def settings(root: Path) -> Door:
    """params.yaml."""
    own = (REPOSITORY / "params.yaml").read_bytes()

    def offer(data: bytes) -> None:
        (root / "params.yaml").write_bytes(data)
        params.load(root / "params.yaml")

    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)
    )
    nasty = [
        laughs.encode(), b"&a [*a]", b"&a {x: *a}", b"[" * 50_000, b"{a: " * 50_000,
        b"!!python/object/apply:os.system ['touch canary']", b"!!python/name:os.system",
        b"a: 2001-99-99", b"a: !!int ''", b"a: !!timestamp x", b"? {a: b}\n: c", b"a: 0b_",
        b"a: " + b"9" * 5000, b"a: .inf", b"\xff\xfe", b"\0", b"", b"---\n---\n", b"a: !!binary ?",
        b"a: " + b"1:" * 3000 + b"1", own.replace(b"42", b"9" * 400),
        own.replace(b": 0.", b": .nan #"),
    ]  # fmt: skip
    return Door([own, yaml.safe_dump(yaml.safe_load(own)).encode()], nasty, offer)


def data_version(root: Path) -> Door:
    """version.json; what it names is looked for, as every step does."""
    paths = Paths(root / "checkout")
    shard = {"file": "a.parquet", "sha256": "00", "rows": 1, "version": 1}
    parent = {"version": 1, "data_version": 1, "weights_sha256": "a", "model_sha256": "b"}
    said = vars(Decision("ab" * 32, "accept", "happy"))
    whole = {"number": 1, "captures": [shard], "decisions": [said], "parent": parent}
    own = [encoded({**whole, "captures": []}), encoded(whole), encoded(vars(DataVersion()))]

    def offer(data: bytes) -> None:
        paths.version.parent.mkdir(parents=True, exist_ok=True)
        paths.version.write_bytes(data)
        version.captured(paths, version.read(paths.version))

    odd = ("x", -1, 1.5, None, [], {}, True, 10**30, "9" * 5000)
    nasty = [encoded({**whole, name: one}) for name in whole for one in odd]
    nasty += [
        encoded({**whole, "captures": [{**shard, name: one}]}) for name in shard for one in odd
    ]
    nasty += [
        encoded({**whole, "parent": {**parent, name: one}}) for name in parent for one in odd
    ]
    nasty += [encoded({**whole, "captures": [], "decisions": [{**said, name: one}]})
              for name in said for one in odd]  # fmt: skip
    nasty += [encoded({**whole, "captures": [{**shard, "file": name}]})
              for name in (f"../{BENT}", "/etc/passwd", ".", "", "a\0b", "x" * 5000)]  # fmt: skip
    nasty += [b"[" * 200_000, b'{"number":' * 100_000, b"1" * 5000, b'"\\ud800"', b"\xff", b""]
    return Door(own, nasty, offer)


def _repeated(faces: Path, rows: int, size: int) -> bytes:
    """Return a table of one face over and over, whose picture has `size` bytes: a few KB."""
    one = table.content(faces).slice(0, 1)
    picture = pa.array([bytes(size)], FACES.field("image").type)
    one = one.set_column(one.column_names.index("image"), FACES.field("image"), picture)
    data = io.BytesIO()
    with pq.ParquetWriter(data, FACES, compression="zstd") as writer:
        for _ in range(10):
            writer.write_table(one.take([0] * (rows // 10)))
    return data.getvalue()


def _apart(found: Items, readable: np.ndarray) -> bool:
    return bool(found.unreadable) or not readable.all()


def _faces(count: int) -> pd.DataFrame:
    pixels = np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE), np.uint8)
    images = table.encode(pixels)
    return table.frame(
        {"id": f"{n:064x}", "image": image, "label": "happy", "source": "x", "domain": "x"}
        for n, image in enumerate(images)
    )
