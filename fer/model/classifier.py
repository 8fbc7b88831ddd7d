"""The exported model as everyone but training uses it: ONNX Runtime, no TensorFlow."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fer.emotions import EMOTIONS
from fer.errors import ModelError
from fer.records import SIZE, Parent, knows_real_faces

_METADATA_KEY = "fer"

Lane = Literal["scratch", "full", "quick"]
"""What learnt: a new network, all of the parent's, or the parent's last block and head alone."""


@dataclass(frozen=True)
class Lineage:
    """Where a model comes from; travels in its file.

    Args:
        data_version: Number of the data version that it learnt from.
        data_version_sha256: Of `data/version.json`.
        train_sha256: Of the training table.
        parent: What it was started from; None: random weights.
        git_commit: Of the code; "unknown" outside a git checkout.
        seed: `train.seed`.
        params: The `train` section of params.yaml.
        environment: Releases of the libraries that decide the result.
        sources: Where the faces that it learnt come from, sorted; empty: a file from before.
        lane: "scratch"; of an update "full", or "quick": one epoch; None: a file from
            before.
    """

    data_version: int
    data_version_sha256: str
    train_sha256: str
    parent: Parent | None
    git_commit: str
    seed: int
    params: dict[str, Any]
    environment: dict[str, str]
    sources: tuple[str, ...] = ()
    lane: Lane | None = None

    @property
    def real(self) -> bool:
        """Whether it learnt FER2013's faces."""
        return knows_real_faces(self.sources)

    @property
    def drawn(self) -> bool:
        """Whether it learnt drawn faces, and no real ones but perhaps those of a camera."""
        return "synthetic" in self.sources and not self.real


def metadata(lineage: Lineage, *, temperature: float = 1.0) -> dict[str, str]:
    """Return what `export` writes into the model file.

    Args:
        lineage: Where the model comes from.
        temperature: What its logits were divided by; 1: nothing.
    """
    value = {
        "labels": EMOTIONS,
        "size": SIZE,
        "temperature": temperature,
        "lineage": asdict(lineage),
    }
    return {_METADATA_KEY: json.dumps(value)}


def _lineage(told: dict[str, Any]) -> Lineage:
    value = dict(told)
    parent = value.pop("parent")
    value["sources"] = tuple(value.get("sources", ()))
    return Lineage(**value, parent=Parent(**parent) if parent else None)


class Classifier:
    """A model file that answers; knows its `labels` and its `lineage`.

    Args:
        path: ONNX file that `export` wrote.
        threads: Processor threads for one call; None: all.

    Raises:
        ModelError: There is no such file, it is no ONNX model, or not one of this product.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        if not path.is_file():
            raise ModelError(f"Expected a model at {path}, found nothing. Run `dvc repro`.")
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
            held = self._session.get_modelmeta().custom_metadata_map[_METADATA_KEY]
            self._metadata = json.loads(held)
            self.labels: tuple[str, ...] = tuple(map(str, self._metadata["labels"]))
            self.lineage = _lineage(self._metadata["lineage"])
        # ONNX Runtime raises its own classes, which share no base but Exception.
        except Exception as error:
            raise ModelError(
                f"Expected an exported emotion model in {path}, received: {error!r}"
            ) from error
        self._input = self._session.get_inputs()[0].name

    @property
    def temperature(self) -> float:
        """What the logits were divided by; 1 in a file from before there was calibration."""
        return float(self._metadata.get("temperature", 1.0))

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each emotion, shape `(n, 7)`, in the order of `labels`.

        Args:
            faces: Canonical faces, shape `(n, 48, 48)`.

        Raises:
            ModelError: Another type or shape.
        """
        if faces.dtype != np.uint8 or faces.shape[1:] != (SIZE, SIZE):
            raise ModelError(
                f"Expected faces uint8 (n, {SIZE}, {SIZE}), received: {faces.dtype} {faces.shape}"
            )
        # In parts: the activations of 36,000 faces at once would take gigabytes.
        parts = [
            self._session.run(None, {self._input: part[..., None].astype(np.float32)})[0]
            for part in np.split(faces, range(256, len(faces), 256))
            if len(part)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.labels)), np.float32)
