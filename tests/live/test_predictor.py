"""The champion is followed; whatever is wrong with a new one, the old one goes on."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from fer.emotions import EMOTIONS, INDEX
from fer.errors import ModelError, RegistryError
from fer.live.predictor import SHIPPED_VERSION, Predictor
from tests.live.conftest import Registry

MakeModel = Callable[..., Path]
Pixels = NDArray[np.uint8]


def _emotion(predictor: Predictor, pixels: Pixels) -> str:
    return EMOTIONS[int(predictor.probabilities(pixels)[0].argmax())]


def test_a_file_answers_with_one_row_a_face(make_model: MakeModel, pixels: Pixels) -> None:
    predictor = Predictor.of_file(make_model("happy"))
    answer = predictor.probabilities(pixels)
    assert answer.shape == (3, 7)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)
    assert _emotion(predictor, pixels) == "happy"
    assert predictor.state.data_version == 7


def test_no_face_gives_no_row(make_model: MakeModel, pixels: Pixels) -> None:
    assert Predictor.of_file(make_model("happy")).probabilities(pixels[:0]).shape == (0, 7)


def test_the_class_order_is_the_files(make_model: MakeModel, pixels: Pixels) -> None:
    backwards = Predictor.of_file(make_model("sad", labels=EMOTIONS[::-1]))
    assert _emotion(backwards, pixels) == "sad"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    with pytest.raises(ModelError, match="exported emotion model"):
        Predictor.of_file(junk)


def test_without_a_model_it_says_what_to_do(pixels: Pixels) -> None:
    predictor = Predictor(Registry({}, champion=SHIPPED_VERSION))
    predictor.refresh()
    assert predictor.state.name is None
    assert predictor.state.asked
    with pytest.raises(ModelError, match="fer doctor"):
        predictor.probabilities(pixels)


def test_it_follows_the_alias_and_fetches_once(make_model: MakeModel, pixels: Pixels) -> None:
    registry = Registry({1: make_model("happy"), 2: make_model("sad")})
    predictor = Predictor(registry)
    predictor.refresh()
    predictor.refresh()
    assert _emotion(predictor, pixels) == "happy"
    registry.champion = 2
    predictor.refresh()
    assert _emotion(predictor, pixels) == "sad"
    assert predictor.state.version == 2
    assert registry.fetched == [1, 2]


@pytest.mark.parametrize("fault", ["junk", "sum", "missing", "labels"])
def test_a_broken_champion_leaves_the_old_one_and_says_so(
    make_model: MakeModel, pixels: Pixels, tmp_path: Path, fault: str
) -> None:
    broken = {
        "junk": tmp_path / "junk.onnx",
        "sum": make_model("sad", factor=float("nan")),
        "missing": tmp_path / "missing.onnx",
        "labels": make_model("sad", labels=(*EMOTIONS[:-1], "bored")),
    }
    broken["junk"].write_bytes(b"junk")
    registry = Registry({1: make_model("happy"), 2: broken[fault]})
    predictor = Predictor(registry)
    predictor.refresh()
    registry.champion = 2
    predictor.refresh()
    assert _emotion(predictor, pixels) == "happy"
    assert predictor.state.version == 1
    assert "Version 2 cannot be served" in str(predictor.state.error)
    registry.files[2] = make_model("fear")
    predictor.refresh()
    assert (predictor.state.version, predictor.state.error) == (2, None)


def test_going_back_to_what_is_served_clears_the_complaint(make_model: MakeModel) -> None:
    registry = Registry({1: make_model("happy"), 2: Path("nowhere.onnx")})
    predictor = Predictor(registry)
    for registry.champion in (1, 2, 1):
        predictor.refresh()
    assert (predictor.state.version, predictor.state.error) == (1, None)


def test_a_champion_whose_place_was_taken_away_answers_no_more_whatever_is_shipped(
    make_model: MakeModel, pixels: Pixels
) -> None:
    registry = Registry({1: make_model("happy")})
    predictor = Predictor(registry)
    predictor.refresh()
    registry.champion = SHIPPED_VERSION
    registry.files[SHIPPED_VERSION] = Path("nowhere.onnx")
    predictor.refresh()
    assert (predictor.state.name, predictor.answer) == (None, None)
    assert "shipped champion cannot be served" in str(predictor.state.error)
    with pytest.raises(ModelError, match="found none"):
        predictor.probabilities(pixels)
    registry.files[SHIPPED_VERSION] = make_model("sad")
    predictor.refresh()
    assert _emotion(predictor, pixels) == "sad"
    assert predictor.state.error is None


def test_a_registry_that_fails_leaves_the_model(make_model: MakeModel, pixels: Pixels) -> None:
    class Away(Registry):
        here = True

        def version(self) -> int:
            if not self.here:
                raise RegistryError("the registry is away")
            return self.champion

    registry = Away({1: make_model("happy")})
    predictor = Predictor(registry)
    predictor.refresh()
    registry.here = False
    predictor.refresh()
    assert _emotion(predictor, pixels) == "happy"
    assert predictor.state.error == "the registry is away"


def test_swaps_drop_no_answer_and_mix_no_two_models(make_model: MakeModel, pixels: Pixels) -> None:
    reordered = make_model("sad", labels=EMOTIONS[::-1])
    registry = Registry({1: make_model("happy"), 2: reordered})
    predictor = Predictor(registry)
    predictor.refresh()
    done = threading.Event()
    seen: set[int] = set()

    def ask() -> None:
        while not done.is_set():
            seen.update(predictor.probabilities(pixels).argmax(axis=1).tolist())

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(30):
        registry.champion = 1 + number % 2
        predictor.refresh()
    done.set()
    asking.join()
    assert seen <= {INDEX["happy"], INDEX["sad"]}


def test_following_ends_when_closed(make_model: MakeModel) -> None:
    asked = threading.Event()

    class Telling(Registry):
        def version(self) -> int:
            asked.set()
            return super().version()

    predictor = Predictor(Telling({1: make_model("happy")}))
    predictor.follow()
    assert asked.wait(5)
    predictor.close()
    followers = [one for one in threading.enumerate() if one.name == "champion"]
    for one in followers:
        one.join(5)
    assert not any(one.is_alive() for one in followers)


def test_it_loads_neither_tensorflow_nor_mlflow() -> None:
    code = (
        "import sys, fer.live.predictor, fer.live.champion, fer.live.reading\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'mlflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_champion_of_drawn_faces_says_what_it_is(
    model_file: Callable[..., Path], tmp_path: Path
) -> None:
    drawn = model_file(tmp_path / "drawn.onnx", sources=("synthetic", "webcam"))
    real = model_file(tmp_path / "real.onnx", sources=("fer2013", "synthetic"))
    registry = Registry({1: drawn, 2: real})
    predictor = Predictor(registry)
    said = []
    for registry.champion in (1, 2):
        predictor.refresh()
        said.append((predictor.state.name, predictor.state.drawn))
    assert said == [("version 1, of drawn faces", True), ("version 2", False)]


@pytest.mark.parametrize(
    "told", ["", "[]", "null", "{}", '{"labels": 5}', '{"labels": [], "lineage": {"parent": 3}}']
)
def test_a_file_that_tells_nonsense_of_itself_is_refused(
    make_model: MakeModel, tmp_path: Path, told: str
) -> None:
    model = onnx.load(make_model("happy"))
    helper.set_model_props(model, {"fer": told})
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(ModelError, match="odd"):
        Predictor.of_file(tmp_path / "odd.onnx")
