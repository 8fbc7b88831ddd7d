"""The LiteRT file answers as the network does, or it is not written."""

from pathlib import Path

import keras
import numpy as np
import pytest

from fer.cli import main
from fer.errors import ModelError
from fer.model import litert, networks
from fer.model.litert import export
from fer.paths import Paths


@pytest.fixture
def candidate(paths: Paths) -> Path:
    keras.utils.set_random_seed(3)
    paths.candidate_weights.parent.mkdir()
    networks.build("forked", [4, 4], 0.2).save(paths.candidate_weights)
    return paths.candidate_weights


def test_the_command_writes_a_file_that_answers_as_the_candidate(
    candidate: Path,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(paths.root)

    assert main(["litert", "emotions.tflite"]) == 0

    assert "angry disgust fear happy sad surprise neutral" in capsys.readouterr().out
    faces = np.random.default_rng(7).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    expected = keras.saving.load_model(candidate, compile=False).predict(faces, verbose=0)
    told = litert._answers(paths.root / "emotions.tflite", faces)
    assert np.abs(told - expected).max() < 1e-4


def test_a_file_with_other_answers_is_refused_and_the_old_one_stays(
    candidate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "emotions.tflite"
    path.write_bytes(b"the old one")
    monkeypatch.setattr(litert, "_answers", lambda _, faces: np.full((len(faces), 7), 0.5))

    with pytest.raises(ModelError, match="Nothing was written"):
        export(candidate, path)

    assert path.read_bytes() == b"the old one"


def test_what_is_no_model_and_another_format_are_refused(candidate: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ends in \.tflite"):
        export(candidate, tmp_path / "emotions.onnx")
    candidate.write_bytes(b"junk")
    with pytest.raises(ModelError, match="Expected a Keras model"):
        export(candidate, tmp_path / "emotions.tflite")
