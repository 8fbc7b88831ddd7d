"""A model file answers, says where it comes from, and refuses what it cannot answer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from fer.data import table
from fer.emotions import EMOTIONS
from fer.errors import ModelError
from fer.model.classifier import Classifier
from fer.records import Parent

PARENT = Parent(version=3, data_version=2, weights_sha256="a" * 64, model_sha256="b" * 64)


@pytest.fixture
def model(tmp_path: Path, model_file: Callable[..., Path]) -> Path:
    return model_file(tmp_path / "model.onnx", parent=PARENT, data_version=5)


@pytest.mark.parametrize("count", [0, 1, 300])
def test_any_number_of_faces_is_answered_each_on_its_own(
    model: Path,
    faces: Callable[..., pd.DataFrame],
    written: Callable[..., pd.DataFrame],
    count: int,
) -> None:
    truth = np.arange(count) % 7
    pixels = table.decode(written(faces(count), truth)["image"])

    told = Classifier(model).probabilities(pixels)

    assert told.shape == (count, 7)
    assert told.dtype == np.float32
    assert np.array_equal(told.argmax(axis=1), truth)
    assert np.allclose(told.sum(axis=1), 1, atol=1e-6)


def test_labels_and_lineage_come_back(model: Path) -> None:
    classifier = Classifier(model, threads=1)

    assert classifier.labels == EMOTIONS
    assert classifier.lineage.parent == PARENT
    assert classifier.lineage.data_version == 5
    assert classifier.lineage.params == {"network": "plain", "epochs": 2}


def test_a_model_from_random_weights_has_no_parent(
    tmp_path: Path, model_file: Callable[..., Path]
) -> None:
    lineage = Classifier(model_file(tmp_path / "first.onnx")).lineage

    assert lineage.parent is None


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="found nothing"):
        Classifier(tmp_path / "absent.onnx")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"not a model" * 100)

    with pytest.raises(ModelError, match=r"junk\.onnx"):
        Classifier(junk)


def test_a_model_of_somebody_else_is_refused(model: Path, tmp_path: Path) -> None:
    foreign = onnx.load(model)
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")

    with pytest.raises(ModelError, match="exported emotion model"):
        Classifier(tmp_path / "foreign.onnx")


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 48, 48), np.float32),
        np.zeros((2, 48, 48, 1), np.uint8),
        np.zeros((2, 64, 64), np.uint8),
        np.zeros((48, 48), np.uint8),
    ],
    ids=["float", "with channels", "larger", "one face"],
)
def test_other_arrays_are_refused(model: Path, pixels: np.ndarray) -> None:
    with pytest.raises(ModelError, match="Expected faces uint8"):
        Classifier(model).probabilities(pixels)
