"""Small models whose answer is known, and drawn frames."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer.data import synthetic
from fer.emotions import EMOTIONS
from fer.model.classifier import Lineage, metadata
from fer.records import SIZE

MakeModel = Callable[..., Path]


@dataclass
class Registry:
    """Stands in for the registry: versions by number, which is champion, what was fetched."""

    files: dict[int, Path]
    champion: int = 1
    fetched: list[int] = field(default_factory=list)

    def version(self) -> int:
        """Return the champion's number."""
        return self.champion

    def file(self, version: int) -> Path:
        """Return the file of `version`."""
        self.fetched.append(version)
        return self.files[version]


def write_film(path: Path, frame: NDArray[np.uint8], frames: int) -> Path:
    """Write a film of 640 x 480 at `path` that shows `frame` so often."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (640, 480))
    for _ in range(frames):
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Return a function that writes a model which always answers the same emotion."""

    def make(
        emotion: str, *, labels: Sequence[str] = EMOTIONS, factor: float = 1, data_version: int = 7
    ) -> Path:
        path = tmp_path / f"{emotion}-{len(list(tmp_path.iterdir()))}.onnx"
        onnx.save(_network(list(labels).index(emotion), factor, labels, data_version), path)
        return path

    return make


def _network(
    best: int, factor: float, labels: Sequence[str], data_version: int
) -> onnx.ModelProto:
    bias = np.zeros(7, np.float32)
    bias[best] = 3
    constants = {
        "weights": np.zeros((SIZE * SIZE, 7), np.float32),
        "bias": bias,
        "factor": np.array(factor, np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["shares"]),
            helper.make_node("Mul", ["shares", "factor"], ["probabilities"]),
        ],
        "constant answer",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    lineage = Lineage(data_version, "", "", None, "unknown", 1, {}, {})
    told = json.loads(metadata(lineage)["fer"])
    helper.set_model_props(model, {"fer": json.dumps({**told, "labels": list(labels)})})
    return model


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Three grey squares, shape `(3, 48, 48)`."""
    return np.arange(3 * SIZE * SIZE, dtype=np.uint8).reshape(3, SIZE, SIZE)


@pytest.fixture(scope="session")
def shown() -> SimpleNamespace:
    """One drawn frame: `image` BGR, `label`, and `jpeg`, the same as a browser sends it."""
    drawn = next(synthetic.draw_frames(camera="studio", subjects=["a"], per_subject=1, seed=1))
    jpeg = cv2.imencode(".jpg", drawn.image)[1].tobytes()
    return SimpleNamespace(image=drawn.image, label=drawn.label, jpeg=jpeg)
