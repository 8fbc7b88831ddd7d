"""A checkout to work in, and faces to put into it."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import settings
from onnx import TensorProto, helper, numpy_helper

from fer import params
from fer.data import table, version
from fer.emotions import EMOTIONS
from fer.model.classifier import Lineage, metadata
from fer.paths import Paths
from fer.records import FACES, SIZE, DataVersion

REPOSITORY: Final = Path(__file__).parents[1]

SETTINGS: Final = params.load(REPOSITORY / "params.yaml")
"""The settings of params.yaml."""

FIRST_CAPTURE: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)

DVC_CONFIG: Final = """\
[core]
    no_scm = True
    analytics = false
    check_update = false
    autostage = false
    site_cache_dir = ../.site_cache
"""

# The same examples every time, on any machine however busy.
settings.register_profile("fer", derandomize=True, deadline=None)
settings.load_profile("fer")

Faces = Callable[..., pd.DataFrame]
"""`faces(n, first=0, **columns)`; see the fixture of that name."""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Return a fresh checkout with an empty data version and a DVC repository, without git."""
    # A blank, because people have folders such as "My Documents".
    root = tmp_path / "a checkout"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text(DVC_CONFIG, encoding="utf-8")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, root)
    checkout = Paths(root)
    version.write(checkout.version, DataVersion())
    return checkout


@pytest.fixture(scope="session")
def faces() -> Faces:
    """Return a maker of face tables: `faces(n, first=0, **columns)`.

    Face number k, counted from `first`, is the same picture in every call, and no near-copy of
    any other number; all pass every rule of `validate` with the settings of params.yaml. By
    default a face is labelled by a person, the emotions take turns, each has its own subject,
    and `consent`, `votes` and `split` are null. `columns` are lists, or single values for all.
    """
    return make_faces


def make_faces(n: int, first: int = 0, **columns: object) -> pd.DataFrame:
    """See the fixture `faces`."""
    given = {
        name: list(value) if isinstance(value, list | pd.Series) else [value] * n
        for name, value in columns.items()
    }
    rows = [
        {**_row(first + place), **{name: values[place] for name, values in given.items()}}
        for place in range(n)
    ]
    # Through Arrow: the types that `table.read` gives.
    return pa.Table.from_pylist(rows, schema=FACES).to_pandas()


def _row(number: int) -> dict[str, object]:
    face = _face(number)
    return {
        "id": table.face_id(face),
        "image": table.encode(face[None])[0],
        "label": EMOTIONS[number % len(EMOTIONS)],
        "source": "import:test",
        "domain": "office",
        "subject": f"person-{number}",
        "session": f"person-{number}/monday",
        "captured_at": FIRST_CAPTURE + timedelta(seconds=number),
        "label_source": "human",
    }


def _face(number: int) -> table.Pixels:
    """A bright oval with two eyes and a mouth, and a landscape of light of its own."""
    rng = np.random.default_rng([48, number])
    face = np.full((SIZE, SIZE), 90.0, np.float32)
    cv2.ellipse(face, (24, 24), (17, 22), 0, 0, 360, 150.0, -1)
    for x in (16, 32):
        cv2.circle(face, (x, 19), 3, 60.0, -1)
    cv2.ellipse(face, (24, 35), (8, 3), 0, 0, 360, 70.0, -1)
    light = cv2.resize(rng.normal(size=(8, 8)).astype(np.float32), (SIZE, SIZE),
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    grain = rng.normal(size=(SIZE, SIZE))
    return (face + 30 * light + 3 * grain).clip(0, 255).astype(np.uint8)


# -- killed in the middle --------------------------------------------------------------------


class Victim:
    """Copies of a checkout, in each of which a command is killed elsewhere; see `kill.py`."""

    def __init__(self, original: Paths, folder: Path, command: str) -> None:
        self._original, self._folder = original, folder
        self._server = subprocess.Popen(
            [sys.executable, REPOSITORY / "tests" / "kill.py", command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # The code beside these tests, not another checkout's that is installed.
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )  # fmt: skip

    def run(self, checkout: Paths, call: int = 0, when: str = "before") -> int:
        """Run the command in `checkout` and return its exit status: 9 where it was killed."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {"root": str(checkout.root), "call": call, "when": when}
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def killed_at(self, call: int, when: str = "before") -> tuple[Paths, int]:
        """Return a checkout after a kill and its exit status."""
        checkout = Paths(self._folder / f"killed at {call}" / "checkout")
        shutil.copytree(self._original.root, checkout.root)
        return checkout, self.run(checkout, call, when)

    def close(self) -> None:
        """End the process that runs the command."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(60)


@pytest.fixture
def victims_of(tmp_path: Path) -> Iterator[Callable[[Paths, str], list[Victim]]]:
    """Return a maker of two victims, to be used at once: `victims_of(paths, command)`."""
    made: list[Victim] = []

    def make(original: Paths, command: str) -> list[Victim]:
        made.extend(Victim(original, tmp_path, command) for _ in range(2))
        return made

    yield make
    for victim in made:
        victim.close()


# -- models without a training ---------------------------------------------------------------

LINEAGE: Final = Lineage(
    data_version=1,
    data_version_sha256="d" * 64,
    train_sha256="e" * 64,
    parent=None,
    git_commit="f" * 40,
    seed=1,
    params={"network": "plain", "epochs": 2},
    environment={"python": "3.11"},
)

ModelFile = Callable[..., Path]
"""`model_file(path, reads=0, **lineage)`; see the fixture of that name."""

Written = Callable[..., pd.DataFrame]
"""`written(faces, *answers)`; see the fixture of that name."""


@pytest.fixture(scope="session")
def model_file() -> ModelFile:
    """Return a maker of model files that `Classifier` takes, as `export` writes them.

    `model_file(path, reads=0, **lineage)`: the model answers what `written` wrote into line
    `reads` of a face; `lineage` replaces fields of `LINEAGE`.
    """
    return make_model_file


@pytest.fixture(scope="session")
def written() -> Written:
    """Return a function that writes answers into pictures: `written(faces, *answers)`.

    Line k of each picture says which emotion a model with `reads=k` answers, by `answers[k]`: a
    list of places in `EMOTIONS`, one a face.
    """
    return write_answers


def make_model_file(path: Path, *, reads: int = 0, **lineage: object) -> Path:
    """See the fixture `model_file`."""
    weights = np.zeros((SIZE * SIZE, len(EMOTIONS)), np.float32)
    weights[reads * SIZE + np.arange(len(EMOTIONS)), np.arange(len(EMOTIONS))] = 6 / 255
    nodes = [
        helper.make_node("Flatten", ["image"], ["pixels"]),
        helper.make_node("MatMul", ["pixels", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    faces = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])
    told = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(EMOTIONS)])
    held = [numpy_helper.from_array(weights, "weights")]
    model = helper.make_model(
        helper.make_graph(nodes, "reader", [faces], [told], held),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    helper.set_model_props(model, metadata(dataclasses.replace(LINEAGE, **lineage)))
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def write_answers(faces: pd.DataFrame, *answers: Sequence[int]) -> pd.DataFrame:
    """See the fixture `written`."""
    pixels = table.decode(faces["image"]).copy()
    for line, row in enumerate(answers):
        pixels[:, line, : len(EMOTIONS)] = 255 * np.eye(len(EMOTIONS), dtype=np.uint8)[list(row)]
    names = [table.face_id(face) for face in pixels]
    return faces.assign(image=table.encode(pixels), id=names)
