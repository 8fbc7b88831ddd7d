"""The doors by which files come in; each offers bytes as the product would read them."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from onnx import TensorProto, helper, numpy_helper

from benchmarks.hostile import pictures
from fer import params
from fer.data import fer2013_layouts, importing, inbox, quarantine, table, version
from fer.data.inbox import Items
from fer.emotions import EMOTIONS
from fer.faces.camera import decode_picture
from fer.live.predictor import Predictor
from fer.live.web.service import MAX_PIXELS
from fer.model.classifier import Lineage, metadata
from fer.paths import Paths
from fer.records import SIZE, DataVersion, Decision, now

REPOSITORY = Path(__file__).parents[2]

BENT = "../../canary"
"""Names a file beside the checkout, from most of its folders."""


@dataclass(frozen=True)
class Door:
    """Where input comes in.

    Args:
        valid: Input that is taken.
        nasty: Input made by hand.
        offer: Hands input in; raises what the product raises. True: it was set apart.
    """

    valid: list[bytes]
    nasty: list[bytes]
    offer: Callable[[bytes], bool | None]


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
        _zipped({"../../canary/fer2013.csv": csv.encode(), "/etc/fer2013.csv": b"x"}),
        _zipped({"fer2013.csv": b"0" * (1 << 28)}),
        _zipped({"train/happy/a.png": pictures.png(30_000, 30_000), "test/sad/b.png": face}),
        _zipped({"train/happy/a.png": pictures.png(2**31 - 1, 1), "test/sad/b.png": face}),
        _lying_zip(csv.encode()),
        (header + f"Training,x,{'9' * 5000},0,0,0,0,0,0,0,0,0\n").encode(),
        (header + '"' + "x" * 200_000).encode(),
        b"emotion,pixels,Usage\n" + b"9" * 200_000, b"", b"\0" * 5000, b"PK\x05\x06" + bytes(18),
    ]  # fmt: skip
    kinds = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    zips = [_zipped(both, kind) for kind in kinds]
    return Door([csv.encode(), votes.encode(), *zips, _zipped(images)], nasty, offer)


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
    nasty = [_json({"face": name, "verdict": "reject", "label": None}) for name in names]
    nasty += [b"[" * 200_000, b'{"face":' * 100_000, b"NaN", b'"\\ud800"', b"1" * 5000, b"{}"]
    nasty += [_json({**vars(said), "label": {}}), _json({**vars(said), "verdict": []})]
    nasty += [(root / "bombs.parquet").read_bytes(), b"PAR1PAR1", b"PAR1" + bytes(40) + b"PAR1"]
    return Door([(root / "faces.parquet").read_bytes(), _json(vars(said))], nasty, offer)


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
    own = [_json({**whole, "captures": []}), _json(whole), _json(vars(DataVersion()))]

    def offer(data: bytes) -> None:
        paths.version.parent.mkdir(parents=True, exist_ok=True)
        paths.version.write_bytes(data)
        version.captured(paths, version.read(paths.version))

    odd = ("x", -1, 1.5, None, [], {}, True, 10**30, "9" * 5000)
    nasty = [_json({**whole, name: one}) for name in whole for one in odd]
    nasty += [
        _json({**whole, "captures": [{**shard, name: one}]}) for name in shard for one in odd
    ]
    nasty += [_json({**whole, "parent": {**parent, name: one}}) for name in parent for one in odd]
    nasty += [_json({**whole, "captures": [], "decisions": [{**said, name: one}]})
              for name in said for one in odd]  # fmt: skip
    nasty += [_json({**whole, "captures": [{**shard, "file": name}]})
              for name in (f"../{BENT}", "/etc/passwd", ".", "", "a\0b", "x" * 5000)]  # fmt: skip
    nasty += [b"[" * 200_000, b'{"number":' * 100_000, b"1" * 5000, b'"\\ud800"', b"\xff", b""]
    return Door(own, nasty, offer)


def onnx_model(root: Path) -> Door:
    """ONNX files that are asked to serve."""

    def offer(data: bytes) -> None:
        (root / "model.onnx").write_bytes(data)
        Predictor.of_file(root / "model.onnx")

    told = json.loads(metadata(Lineage(0, "", "", None, "", 1, {}, {}))["fer"])
    odd = ("", "[]", "null", "{}", "[" * 100_000, '{"labels": 5, "lineage": {}}', "1" * 5000)
    odd += tuple(json.dumps({**told, "lineage": one}) for one in ([], {}, 3, {"parent": 3}))
    odd += (json.dumps({**told, "labels": [*EMOTIONS, {}]}), json.dumps({**told, "labels": "x"}))
    nasty = [_network(one) for one in odd]
    nasty += [_network(json.dumps(told), side=side) for side in (1, 47, 4_000)]
    outside = _network(json.dumps(told), external="../canary")
    return Door([_network(json.dumps(told))], [*nasty, outside, b"", b"\x80\x04]."], offer)


def keras_model(root: Path) -> Door:
    """Keras files that are asked to be trained on; one that ran would leave a file."""
    import keras

    from fer.model import networks

    place = root / "model.keras"

    def offer(data: bytes) -> None:
        place.write_bytes(data)
        networks.load(place)

    layers = keras.layers
    keras.Sequential([layers.Input((4,)), layers.Dense(2)]).save(place)
    valid = place.read_bytes()
    code = keras.Sequential([layers.Input((4,)), layers.Lambda(_touched)])
    code.save(place)
    nasty = [place.read_bytes(), b"", b"PK\x05\x06" + bytes(18)]
    legacy = root / "model.h5"
    code.save(legacy)
    # Building it ran it.
    Path("canary-of-keras").unlink(missing_ok=True)
    nasty.append(legacy.read_bytes())
    with zipfile.ZipFile(io.BytesIO(valid)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    # As in CVE-2025-1550: a class that is any function of any module.
    call = {"module": "os", "class_name": "system", "registered_name": None}
    configs: list[object] = [
        [], {}, 3, "x", {"module": "builtins", "class_name": "exec", "config": {}},
        {**call, "config": {"command": "touch canary-of-keras"}},
        {**call, "config": {}, "fn": "touch canary-of-keras"},
        {"class_name": "Functional", "module": "keras", "config": {"name": "x", "layers": [
            {**call, "config": {"arguments": ["touch canary-of-keras"]}, "name": "a",
             "inbound_nodes": [{"args": ["touch canary-of-keras"], "kwargs": {}}]}],
            "input_layers": [], "output_layers": []}},
    ]  # fmt: skip
    nasty += [_zipped({**parts, "config.json": _json(one)}) for one in configs]
    nasty += [_zipped({**parts, "config.json": b"[" * 200_000})]
    nasty += [_zipped({one: data for one, data in parts.items() if one != name}) for name in parts]
    nasty += [_zipped({**parts, "model.weights.h5": b"junk"})]
    nasty += [_zipped({**parts, "../../canary.keras": b"slip"})]
    return Door([valid, legacy.read_bytes()], nasty, offer)


def _touched(value: object) -> object:
    Path("canary-of-keras").touch()
    return value


def _apart(found: Items, readable: np.ndarray) -> bool:
    return bool(found.unreadable) or not readable.all()


def _faces(count: int) -> pd.DataFrame:
    pixels = np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE), np.uint8)
    images = table.encode(pixels)
    return table.frame(
        {"id": f"{n:064x}", "image": image, "label": "happy", "source": "x", "domain": "x"}
        for n, image in enumerate(images)
    )


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def _lying_zip(content: bytes) -> bytes:
    """Return a zip whose directory says that the csv is small."""
    whole = _zipped({"fer2013.csv": content * 100})
    size = (len(content) * 100).to_bytes(4, "little")
    return whole.replace(size, (100).to_bytes(4, "little"))


def _network(told: str, *, side: int = SIZE, external: str | None = None) -> bytes:
    """Return a network that answers alike for every emotion, and tells `told` of itself."""
    weights = numpy_helper.from_array(np.zeros((SIZE * SIZE, 7), np.float32), "weights")
    if external is not None:
        weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=(SIZE * SIZE, 7))
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=external)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", side, side, 1])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])
    graph = helper.make_graph(nodes, "alike", [image], [answer], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"fer": told})
    return bytes(model.SerializeToString())


FILES = {
    "pictures": picture, "FER2013 csv, zip, votes": fer2013, "picture lists": picture_list,
    "inbox items": item, "params.yaml": settings, "version.json": data_version,
    "ONNX models": onnx_model, "Keras models": keras_model,
}  # fmt: skip
