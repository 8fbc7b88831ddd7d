"""Training makes a candidate of what the data version names, whole, and starts where it should."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from fer.data import table, version
from fer.data.balance import DRAW
from fer.errors import Busy, DataError, MissingData, ModelError
from fer.files import locked, read_json, sha256, write_json
from fer.model import networks, transfer
from fer.model.classifier import Classifier
from fer.params import TrainParams
from fer.paths import Paths
from fer.records import DataVersion, Parent
from fer.training import train as module
from fer.training import update as updating
from fer.training.train import train


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


@pytest.fixture
def params(params: TrainParams) -> TrainParams:
    return params.model_copy(update={"epochs": 2, "update_epochs": 1, "learning_rate": 0.2})


@pytest.fixture
def balanced(paths: Paths, stripes: Callable[..., pd.DataFrame]) -> Paths:
    """A checkout with all that `train` reads, as `balance` leaves it."""
    table.write(paths.train, stripes(48), extra=DRAW)
    table.write(paths.monitor, stripes(24, seed=1).drop(columns=["new", "draw", "weight"]))
    _cut(paths, DataVersion(number=1))
    return paths


def _cut(paths: Paths, current: DataVersion) -> None:
    version.write(paths.version, current)
    write_json(paths.report("balance.json"), {"data_version_sha256": sha256(paths.version)})


def _with_parent(paths: Paths, widths: list[int]) -> None:
    """Pin a parent of `widths` that answers nothing but disgust."""
    parent = networks.build("plain", widths, 0.0)
    weights = parent.get_weights()
    weights[-1] = np.eye(7, dtype=np.float32)[1] * 50
    parent.set_weights(weights)
    paths.parent_weights.parent.mkdir()
    parent.save(paths.parent_weights)
    _cut(paths, DataVersion(number=2, parent=Parent(3, 1, sha256(paths.parent_weights), "b" * 64)))


def test_the_candidate_and_its_reports_are_whole(balanced: Paths, params: TrainParams) -> None:
    report = train(params, balanced)

    pixels = table.decode(table.read(balanced.monitor)["image"])
    told = Classifier(balanced.candidate).probabilities(pixels)
    saved = keras.saving.load_model(balanced.candidate_weights, compile=False)
    expected = saved.predict(pixels[..., None].astype(np.float32), verbose=0)
    history = pd.read_csv(balanced.report("history.csv"))
    assert np.abs(told - expected).max() < 1e-4
    assert read_json(balanced.report("train.json")) == dataclasses.asdict(report)
    assert report.started_from == "random weights"
    assert report.epochs == len(history) == 2
    assert report.monitor_loss == history["monitor_loss"].min()
    assert history["epoch"].iloc[history["monitor_loss"].argmin()] == report.best_epoch
    assert report.weights == saved.count_params()
    assert report.export_difference < 1e-4
    assert Classifier(balanced.candidate).temperature == report.temperature != 1
    assert not balanced.checkpoints.exists()


def test_the_candidate_carries_its_lineage(
    balanced: Paths, params: TrainParams, without_fitting: None
) -> None:
    train(params, balanced)

    lineage = Classifier(balanced.candidate).lineage
    assert lineage.data_version == 1
    assert lineage.data_version_sha256 == sha256(balanced.version)
    assert lineage.train_sha256 == sha256(balanced.train)
    assert lineage.parent is None
    assert lineage.seed == params.seed
    assert lineage.params["learning_rate"] == 0.2
    assert lineage.environment["keras"] == keras.__version__
    # The checkout of the tests lies outside git.
    assert lineage.git_commit == "unknown"


@pytest.fixture
def without_fitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit nothing, so that a candidate has the weights that it started from."""

    def fit(*_: object) -> pd.DataFrame:
        names = ["loss", "accuracy", "monitor_loss", "monitor_accuracy", "learning_rate"]
        return pd.DataFrame({"epoch": [1], **dict.fromkeys(names, 0.5)})

    for each in (module, updating):
        monkeypatch.setattr(each, "fit", fit)


def test_the_log_leads_from_the_data_version_to_the_candidate(
    balanced: Paths, params: TrainParams, caplog: pytest.LogCaptureFixture, without_fitting: None
) -> None:
    with caplog.at_level("INFO", logger="fer"):
        train(params, balanced)

    made = sha256(balanced.candidate)[:12]
    assert f"data version 1, from random weights: candidate {made}" in caplog.messages


def test_an_update_starts_from_the_parent(
    balanced: Paths, params: TrainParams, without_fitting: None
) -> None:
    _with_parent(balanced, [4])

    report = train(params, balanced)

    pixels = table.decode(table.read(balanced.monitor)["image"])
    candidate = Classifier(balanced.candidate)
    assert report.started_from == "version 3"
    assert (candidate.probabilities(pixels).argmax(axis=1) == 1).all()
    assert candidate.lineage.parent == version.read(balanced.version).parent


def test_the_candidate_is_as_sure_as_it_is_right_on_the_monitor_faces(
    balanced: Paths, params: TrainParams, without_fitting: None
) -> None:
    # The parent is sure of disgust whatever it sees, and always wrong.
    _with_parent(balanced, [4])

    report = train(params, balanced)

    pixels = table.decode(table.read(balanced.monitor)["image"])
    assert report.temperature > 10
    assert Classifier(balanced.candidate).probabilities(pixels).max() < 0.95


def test_an_update_has_epochs_and_a_rate_of_its_own(
    balanced: Paths, params: TrainParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_parent(balanced, [4])
    plans = []

    def fit(*given: object) -> pd.DataFrame:
        plans.append(given[4])
        raise Killed

    monkeypatch.setattr(updating, "fit", fit)
    with pytest.raises(Killed):
        train(params, balanced)

    assert [(plan.epochs, plan.learning_rate, plan.update) for plan in plans] == [(1, 0.01, True)]


@pytest.mark.parametrize(
    ("below", "lane", "epochs"), [(0, "full", 2), (48, "full", 2), (49, "quick", 1)]
)
def test_with_few_new_faces_an_update_has_one_epoch(
    balanced: Paths, params: TrainParams, below: int, lane: str, epochs: int
) -> None:
    _with_parent(balanced, [4])
    params = params.model_copy(update={"update_epochs": 2, "quick_below": below})

    report = train(params, balanced)

    assert (report.lane, report.epochs) == (lane, epochs)
    assert Classifier(balanced.candidate).lineage.lane == lane


def test_without_a_parent_there_is_no_quick_lane(
    balanced: Paths, params: TrainParams, without_fitting: None
) -> None:
    report = train(params.model_copy(update={"quick_below": 1000}), balanced)

    assert report.lane == Classifier(balanced.candidate).lineage.lane == "scratch"


def test_weights_learnt_elsewhere_get_a_last_layer_before_they_learn_on(
    balanced: Paths, params: TrainParams, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere.weights.h5"
    elsewhere = transfer.backbone(networks.build("mobilenetv3small", [4], 0.0))
    elsewhere.set_weights([one + 0.5 for one in elsewhere.get_weights()])
    elsewhere.save_weights(file)
    learnt = params.transfer.model_copy(update={"weights": str(file), "unfreeze": 0.3})
    params = params.model_copy(update={"network": "mobilenetv3small", "transfer": learnt})
    stages = []

    def fit(model: keras.Model, *given: object) -> None:
        first = transfer.backbone(model).get_weights()[0]
        assert np.array_equal(first, elsewhere.get_weights()[0])
        stages.append((len(model.trainable_variables), given[3]))
        if len(stages) == 2:
            raise Killed

    monkeypatch.setattr(module, "fit", fit)
    with pytest.raises(Killed):
        train(params, balanced)

    (head, alone), (more, together) = stages
    assert head == 2 < more < len(elsewhere.weights)
    assert (alone.epochs, alone.learning_rate) == (1, params.learning_rate)
    # Gently, as in an update, but as long as from scratch.
    assert (together.epochs, together.learning_rate) == (2, params.update_learning_rate)


def test_the_report_says_whose_weights_learnt_on(
    balanced: Paths, params: TrainParams, monkeypatch: pytest.MonkeyPatch, without_fitting: None
) -> None:
    # A network without a backbone, which would take half a minute to export.
    monkeypatch.setattr(transfer, "load", lambda *_: None)
    monkeypatch.setattr(transfer, "freeze", lambda *_, **__: None)
    learnt = params.transfer.model_copy(update={"weights": "elsewhere.h5"})

    report = train(params.model_copy(update={"transfer": learnt}), balanced)

    assert report.started_from == "elsewhere.h5"


def test_a_parent_of_another_shape_means_random_weights_and_the_reader_is_told(
    balanced: Paths,
    params: TrainParams,
    without_fitting: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _with_parent(balanced, [6])

    report = train(params, balanced)

    pixels = table.decode(table.read(balanced.monitor)["image"])
    assert report.started_from == "random weights"
    assert (Classifier(balanced.candidate).probabilities(pixels).argmax(axis=1) != 1).any()
    assert "plain-6" in capsys.readouterr().out


def test_light_travels_in_the_model_and_is_not_mixed(
    balanced: Paths,
    params: TrainParams,
    without_fitting: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _with_parent(balanced, [4])  # trained without

    report = train(params.model_copy(update={"light": "gamma"}), balanced)

    assert report.started_from == "random weights"
    assert "starting from random weights" in capsys.readouterr().out
    served = Classifier(balanced.candidate)
    assert served.lineage.params["light"] == "gamma"
    dark = table.decode(table.read(balanced.monitor)["image"]) // 4
    trained = keras.saving.load_model(balanced.candidate_weights, compile=False)
    expected = trained.predict(dark[..., None].astype(np.float32), verbose=0)
    assert np.abs(served.probabilities(dark) - expected).max() < 1e-4


def test_a_parent_with_other_bytes_is_refused(balanced: Paths, params: TrainParams) -> None:
    _with_parent(balanced, [4])
    with balanced.parent_weights.open("ab") as file:
        file.write(b"!")

    with pytest.raises(MissingData, match=r"parent\.keras"):
        train(params, balanced)


def test_a_parent_that_is_no_model_is_refused(balanced: Paths, params: TrainParams) -> None:
    balanced.parent_weights.parent.mkdir()
    balanced.parent_weights.write_bytes(b"junk")
    pinned = Parent(3, 1, sha256(balanced.parent_weights), "b" * 64)
    _cut(balanced, DataVersion(number=2, parent=pinned))

    with pytest.raises(ModelError, match="Expected a Keras model"):
        train(params, balanced)


def test_a_table_of_another_data_version_is_refused(balanced: Paths, params: TrainParams) -> None:
    version.write(balanced.version, DataVersion(number=2))

    with pytest.raises(DataError, match="another"):
        train(params, balanced)

    assert not balanced.candidate.exists()


def test_two_trainings_at_once_are_refused(balanced: Paths, params: TrainParams) -> None:
    with locked(balanced.lock("train")), pytest.raises(Busy):
        train(params, balanced)


def test_killed_after_the_fit_and_run_again_it_fits_no_epoch_again(
    balanced: Paths,
    params: TrainParams,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def dying(*_: object, **__: object) -> float:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, "export", dying)
        with pytest.raises(Killed):
            train(params, balanced)
    first = capsys.readouterr().out

    report = train(params, balanced)

    assert first.count("epoch ") == 2
    assert "epoch " not in capsys.readouterr().out
    assert report.epochs == 2
    assert not balanced.checkpoints.exists()


def test_checkpoints_of_other_settings_are_not_gone_on_with(
    balanced: Paths, params: TrainParams, without_fitting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []
    fitted = module.fit

    def fit(*given: object) -> pd.DataFrame:
        folders.append(given[5])
        assert not list(folders[-1].iterdir())
        (folders[-1] / "left").touch()
        if len(folders) == 1:
            raise Killed
        return fitted(*given)

    monkeypatch.setattr(module, "fit", fit)
    with pytest.raises(Killed):
        train(params, balanced)
    train(params.model_copy(update={"seed": 2}), balanced)

    assert folders[0] != folders[1]
    assert not folders[0].exists()
