"""Doors by which models come in."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks.hostile.door import Door, encoded, zipped
from fer.emotions import EMOTIONS
from fer.live.predictor import Predictor
from fer.model.classifier import Lineage, metadata
from fer.records import SIZE


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
    nasty += [zipped({**parts, "config.json": encoded(one)}) for one in configs]
    nasty += [zipped({**parts, "config.json": b"[" * 200_000})]
    nasty += [zipped({one: data for one, data in parts.items() if one != name}) for name in parts]
    nasty += [zipped({**parts, "model.weights.h5": b"junk"})]
    nasty += [zipped({**parts, "../../canary.keras": b"slip"})]
    return Door([valid, legacy.read_bytes()], nasty, offer)


def _touched(value: object) -> object:
    Path("canary-of-keras").touch()
    return value


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
