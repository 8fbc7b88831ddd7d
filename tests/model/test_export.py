"""The exported file answers as the network does, or it is not written."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.emotions import EMOTIONS
from fer.errors import ModelError
from fer.model import export as module
from fer.model import networks
from fer.model.classifier import Classifier, Lineage
from fer.model.export import export

LINEAGE = Lineage(
    data_version=4,
    data_version_sha256="d" * 64,
    train_sha256="e" * 64,
    parent=None,
    git_commit="unknown",
    seed=7,
    params={"widths": [4]},
    environment={"python": "3.11"},
)


@pytest.fixture
def pixels(faces: Callable[..., pd.DataFrame]) -> table.Pixels:
    return table.decode(faces(20)["image"])


@pytest.fixture(
    params=[
        ("plain", 1, "none"),
        ("separable", 1, "none"),
        ("residual", 1, "clahe"),
        ("residual", 1, "gamma"),
        # Down to two pixels: on the way their number is odd.
        ("forked", 5, "none"),
    ]
)
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(3)
    kind, stages, light = request.param
    return networks.build(kind, [4] * stages, 0.2, light=light)


def test_the_exported_file_answers_as_the_network(
    network: keras.Model, pixels: table.Pixels, tmp_path: Path
) -> None:
    path = tmp_path / "candidate.onnx"

    difference = export(network, path, LINEAGE, pixels[:8])

    expected = network.predict(pixels[..., None].astype(np.float32), verbose=0)
    # On faces, too, that the export did not compare.
    assert np.abs(Classifier(path).probabilities(pixels) - expected).max() < 1e-4
    assert difference < 1e-4
    assert Classifier(path).labels == EMOTIONS
    assert Classifier(path).lineage == LINEAGE
    assert [file.name for file in tmp_path.iterdir()] == ["candidate.onnx"]


def test_the_file_names_no_function_of_the_process_that_made_it(
    pixels: table.Pixels, tmp_path: Path
) -> None:
    path = tmp_path / "candidate.onnx"

    export(networks.build("plain", [4], 0.0), path, LINEAGE, pixels[:8])

    # TensorFlow numbers them: a training that goes on after a kill would make other bytes.
    assert b"__inference" not in path.read_bytes()


@pytest.mark.parametrize("wrong", [0.01, float("nan")])
def test_a_file_with_other_answers_is_refused_and_the_old_one_stays(
    pixels: table.Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    network = networks.build("plain", [4], 0.2)
    path = tmp_path / "candidate.onnx"
    path.write_bytes(b"the old one")
    true = network.predict(pixels[..., None].astype(np.float32), verbose=0)
    answering_otherwise = SimpleNamespace(probabilities=lambda _: true + wrong)
    monkeypatch.setattr(module, "Classifier", lambda _: answering_otherwise)

    with pytest.raises(ModelError, match="Nothing was written"):
        export(network, path, LINEAGE, pixels)

    assert path.read_bytes() == b"the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["candidate.onnx"]
