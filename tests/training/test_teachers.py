"""Teachers give a network more to learn than labels, and nothing of people."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer.emotions import EMOTIONS
from fer.errors import DataError, MissingData
from fer.model import networks
from fer.model.classifier import Lineage
from fer.model.export import export
from fer.records import Parent
from fer.training.batches import targets
from fer.training.teachers import find, teach
from tests.training.conftest import Stripes

LINEAGE = Lineage(0, "a" * 64, "b" * 64, None, "unknown", 1, {}, {})


def _always(answer: list[float], path: Path, lineage: Lineage = LINEAGE) -> Path:
    """Export a network that answers this to every face."""
    network = networks.build("plain", (4,), 0.0)
    weights = network.get_weights()
    weights[-2][:] = 0
    weights[-1][:] = np.log(answer)
    network.set_weights(weights)
    export(network, path, lineage, np.zeros((1, 48, 48), np.uint8))
    return path


@pytest.fixture
def faces(stripes: Stripes) -> pd.DataFrame:
    return stripes(6)


SURE = [0.94, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]
OTHER = [0.01, 0.94, 0.01, 0.01, 0.01, 0.01, 0.01]


def test_label_and_the_mean_of_teachers_share_what_is_taught(
    faces: pd.DataFrame, tmp_path: Path
) -> None:
    models = [_always(SURE, tmp_path / "1.onnx"), _always(OTHER, tmp_path / "2.onnx")]

    taught = targets(teach(faces, models, 0.7, seed=1))

    mean = np.mean([SURE, OTHER], axis=0)
    assert np.allclose(taught, 0.3 * targets(faces) + 0.7 * mean, atol=1e-5)
    assert taught.shape == (6, len(EMOTIONS))


def test_the_same_seed_teaches_the_same(faces: pd.DataFrame, tmp_path: Path) -> None:
    network = networks.build("plain", (4,), 0.0)
    path = tmp_path / "1.onnx"
    export(network, path, LINEAGE, np.zeros((1, 48, 48), np.uint8))

    first, again, other = (targets(teach(faces, [path], 1.0, seed=seed)) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "lineage",
    [
        dataclasses.replace(LINEAGE, data_version=1),
        dataclasses.replace(LINEAGE, parent=Parent(1, 1, "c" * 64, "d" * 64)),
    ],
)
def test_a_teacher_that_may_know_people_is_refused(
    faces: pd.DataFrame, tmp_path: Path, lineage: Lineage
) -> None:
    path = _always(SURE, tmp_path / "1.onnx", lineage)

    with pytest.raises(DataError, match=r"base data alone.*train\.teachers"):
        teach(faces, [path], 0.7, seed=1)


def test_teachers_are_looked_for_from_the_checkout_on(tmp_path: Path) -> None:
    (tmp_path / "1.onnx").touch()

    assert find(["1.onnx", str(tmp_path / "1.onnx")], tmp_path) == [tmp_path / "1.onnx"] * 2
    with pytest.raises(MissingData, match=r"2\.onnx.*train\.teachers"):
        find(["2.onnx"], tmp_path)
