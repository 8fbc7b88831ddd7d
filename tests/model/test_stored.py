"""A Keras file is read without running what it carries, and a damaged one is refused."""

import json
import zipfile
from pathlib import Path

import keras
import pytest
from keras import layers

from fer.errors import ModelError
from fer.model import networks


def _saved(path: Path, *more: keras.layers.Layer) -> Path:
    keras.Sequential([layers.Input((4,)), layers.Dense(2), *more]).save(path)
    return path


def _changed(path: Path, name: str, content: bytes | None) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for one, data in parts.items():
            if one != name or content is not None:
                archive.writestr(one, content if one == name and content is not None else data)
    return path


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize("content", [b"{}", b"[1]", b"junk", None])
def test_a_damaged_part_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = _changed(_saved(tmp_path / "a.keras"), name, content)
    with pytest.raises(ModelError, match=r"a\.keras"):
        networks.load(path)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with_code = layers.Lambda(lambda value: value, output_shape=(2,))
    path = _saved(tmp_path / "a.keras", with_code)
    with pytest.raises(ModelError, match="safe"):
        networks.load(path)
    call = {"module": "os", "class_name": "system", "config": {"command": f"touch {told}"}}
    with pytest.raises(ModelError):
        networks.load(_changed(path, "config.json", json.dumps(call).encode()))
    assert not told.exists()
