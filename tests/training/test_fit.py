"""A fit learns, keeps its best epoch, and goes on where it was killed."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from fer.data import table
from fer.emotions import INDEX
from fer.errors import ModelError
from fer.model import networks
from fer.params import TrainParams
from fer.training import fit as module
from fer.training.batches import Batches, Monitor
from fer.training.callbacks import KeepLast, KeepLog, StartEpoch
from fer.training.fit import Plan, best_epoch, fit
from fer.training.learner import learner

PLAN = Plan(epochs=4, learning_rate=0.05)


# TensorFlow's threads add in any order: two undisturbed runs differed by 5 % in an epoch (3.13).
SAME = 0.1


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


@dataclass
class Training:
    """A training that can be started again, as a new process would."""

    params: TrainParams
    faces: pd.DataFrame
    monitor: pd.DataFrame
    checkpoint: Path
    network: str = "plain"

    def run(self, plan: Plan = PLAN) -> tuple[pd.DataFrame, keras.Model]:
        """Fit a new network; return the history and the network."""
        keras.utils.set_random_seed(self.params.seed)
        model = learner(networks.build(self.network, [8], 0.0))
        monitor = Monitor.of(self.monitor)
        history = fit(model, self.faces, monitor, self.params, plan, self.checkpoint)
        return history, model

    def monitor_loss(self, model: keras.Model) -> float:
        """Return the loss of `model` on the monitor faces."""
        pixels = table.decode(self.monitor["image"])[..., None].astype(np.float32)
        told = model.predict(pixels, verbose=0)
        place = self.monitor["label"].map({"happy": 3, "sad": 4}).to_numpy()
        return float(-np.log(told[np.arange(len(told)), place]).mean())


@dataclass(frozen=True)
class Ended:
    """A training that came to its end."""

    training: Training
    history: pd.DataFrame
    model: keras.Model


Make = Callable[[Path], Training]


@pytest.fixture(scope="module")
def make(params: TrainParams, stripes: Callable[..., pd.DataFrame]) -> Make:
    """Return a maker of trainings that differ in their folder alone."""
    return lambda checkpoint: Training(params, stripes(96), stripes(40, seed=1), checkpoint)


@pytest.fixture
def training(make: Make, tmp_path: Path) -> Training:
    return make(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, make: Make) -> Ended:
    """A training that nobody killed."""
    training = make(tmp_path_factory.mktemp("undisturbed"))
    return Ended(training, *training.run())


def test_it_learns_something_easy_and_tells_every_epoch(undisturbed: Ended) -> None:
    history = undisturbed.history

    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert set(history.columns) == {
        "epoch", "loss", "accuracy", "monitor_loss", "monitor_accuracy", "learning_rate",
    }  # fmt: skip
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 2
    assert history["monitor_accuracy"].max() > 0.9
    assert undisturbed.training.monitor_loss(undisturbed.model) == pytest.approx(
        history["monitor_loss"].min(), rel=1e-3
    )


def test_a_step_is_traced_once(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    traced, step = [], keras.Model.train_step

    def train_step(model: keras.Model, data: Any) -> Any:
        traced.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", train_step)

    training.run()

    assert len(traced) == 1


def _spoil_later_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the later steps so bold that they undo what the earlier ones learnt."""

    def bold(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
        return keras.optimizers.schedules.PiecewiseConstantDecay([steps // 3], [peak, 90.0])

    monkeypatch.setattr(module, "warm_cosine", bold)


def test_it_stops_when_patience_ends_and_keeps_the_best_epoch_not_the_last(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoil_later_steps(monkeypatch)
    training.params = training.params.model_copy(update={"patience": 1})

    history, model = training.run(Plan(epochs=6, learning_rate=0.2))

    best = history["monitor_loss"].argmin()
    assert best < 3
    assert len(history) == best + 2
    assert training.monitor_loss(model) == pytest.approx(history["monitor_loss"].min(), rel=1e-3)


def test_killed_when_patience_had_ended_it_learns_no_further(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoil_later_steps(monkeypatch)
    training.params = training.params.model_copy(update={"patience": 1})
    plan = Plan(epochs=6, learning_rate=0.2)
    ended, _ = training.run(plan)
    assert len(ended) < plan.epochs

    again, _ = training.run(plan)

    pd.testing.assert_frame_equal(again, ended)


def test_the_best_epoch_may_be_the_most_accurate_one(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoil_later_steps(monkeypatch)
    training.params = training.params.model_copy(update={"best_by": "accuracy"})

    history, model = training.run()

    kept = best_epoch(history, "accuracy")
    assert kept["monitor_accuracy"] == history["monitor_accuracy"].max()
    assert training.monitor_loss(model) == pytest.approx(kept["monitor_loss"], rel=1e-3)


@pytest.mark.parametrize(
    ("callback", "moment", "done"),
    [
        (StartEpoch, "on_epoch_begin", False),
        (KeepLog, "on_epoch_end", True),
        (KeepLast, "on_epoch_end", True),
    ],
    ids=["between epochs", "after log", "epoch over"],
)
def test_killed_in_epoch_3_and_run_again_it_ends_as_if_undisturbed(
    training: Training,
    undisturbed: Ended,
    monkeypatch: pytest.MonkeyPatch,
    callback: type[keras.callbacks.Callback],
    moment: str,
    done: bool,
) -> None:
    _kill(monkeypatch, callback, moment, epoch=2, done=done)
    with pytest.raises(Killed):
        training.run()
    monkeypatch.undo()

    history, model = training.run()

    expected = undisturbed.history
    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert np.allclose(history["learning_rate"], expected["learning_rate"], rtol=1e-6)
    assert np.allclose(history["monitor_loss"], expected["monitor_loss"], rtol=SAME)
    assert training.monitor_loss(model) == pytest.approx(history["monitor_loss"].min(), rel=1e-3)


def test_killed_and_run_again_it_is_shown_the_same_in_the_same_order(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, int]] = []
    ask, start = Batches.__getitem__, Batches.start
    epochs: list[int] = []

    def told(batches: Batches, epoch: int) -> None:
        start(batches, epoch)
        epochs.append(epoch)

    def asked(batches: Batches, index: int) -> Any:
        if epochs[-1] >= 2:
            shown.append((epochs[-1], index))
        return ask(batches, index)

    monkeypatch.setattr(Batches, "start", told)
    monkeypatch.setattr(Batches, "__getitem__", asked)
    make(tmp_path / "undisturbed").run()
    expected, training = shown.copy(), make(tmp_path / "killed")
    shown.clear()
    with monkeypatch.context() as killing:
        _kill(killing, StartEpoch, "on_epoch_begin", epoch=2, done=False)
        with pytest.raises(Killed):
            training.run()

    training.run()

    assert len(shown) == 2 * 6
    assert shown == expected


@pytest.mark.parametrize("file", ["best.weights.h5", "last.weights.h5"])
def test_killed_while_writing_weights_it_goes_on(
    training: Training,
    undisturbed: Ended,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
) -> None:
    whole, writes = keras.Model.save_weights, []
    # In the last epoch: what is written of the best then, no later one replaces.
    fatal = 4

    def save_weights(model: keras.Model, filepath: Any, *rest: Any, **options: Any) -> None:
        if str(filepath).endswith(file):
            writes.append(filepath)
            if len(writes) == fatal:
                Path(filepath).write_bytes(b"half of the weights")
                raise Killed
        whole(model, filepath, *rest, **options)

    monkeypatch.setattr(keras.Model, "save_weights", save_weights)
    with pytest.raises(Killed):
        training.run()
    monkeypatch.undo()

    history, model = training.run()

    assert list(history["epoch"]) == [1, 2, 3, 4]
    expected = undisturbed.history
    assert np.allclose(history["monitor_loss"], expected["monitor_loss"], rtol=SAME)
    assert training.monitor_loss(model) == pytest.approx(history["monitor_loss"].min(), rel=1e-3)


def test_a_disk_that_is_full_while_it_logs_does_not_end_the_next_training(
    training: Training, undisturbed: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pd.DataFrame.to_csv

    def to_csv(table: pd.DataFrame, path: Path, **options: Any) -> None:
        whole(table, path, **options)
        if len(table) == 3:
            Path(path).write_bytes(Path(path).read_bytes()[:-20])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", to_csv)
    with pytest.raises(OSError, match="No space left"):
        training.run()
    monkeypatch.undo()

    history, _ = training.run()

    expected = undisturbed.history
    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert np.allclose(history["monitor_loss"], expected["monitor_loss"], rtol=SAME)


@pytest.mark.parametrize("best_by", ["loss", "accuracy"])
def test_votes_teach_beside_the_labels_and_leave_the_network_as_it_was(
    training: Training, undisturbed: Ended, best_by: str
) -> None:
    training.params = training.params.model_copy(update={"best_by": best_by})
    sure = np.eye(7, dtype=np.float32)[training.faces["label"].map(INDEX)]
    training.faces = training.faces.assign(votes=list(sure))

    history, model = training.run()

    assert model.output_shape == (None, 7)
    assert set(history.columns) == set(undisturbed.history.columns)
    assert history["loss"].iloc[0] > undisturbed.history["loss"].iloc[0]
    assert history["monitor_accuracy"].max() > 0.9
    kept = best_epoch(history, best_by)["monitor_loss"]
    assert training.monitor_loss(model) == pytest.approx(kept, rel=1e-3)


@pytest.mark.parametrize("votes", [False, True])
def test_every_trunk_of_a_forked_network_learns_and_the_accuracy_is_their_common_answers(
    training: Training, *, votes: bool
) -> None:
    training.network = "forked"
    if votes:
        sure = np.eye(7, dtype=np.float32)[training.faces["label"].map(INDEX)]
        training.faces = training.faces.assign(votes=list(sure))

    history, model = training.run(Plan(epochs=6, learning_rate=0.05))

    monitor = Monitor.of(training.monitor)
    right = np.mean(monitor.told_by(model).argmax(axis=1) == monitor.truth)
    kept = best_epoch(history, training.params.best_by)
    assert kept["monitor_accuracy"] == pytest.approx(right, abs=1e-6)
    trunks = networks.taught(model, votes=False).predict(monitor.shown, verbose=0)
    for number in range(2):
        assert np.mean(trunks[:, number].argmax(axis=1) == monitor.truth) > 0.9


def test_an_update_keeps_the_statistics_of_every_layer(training: Training) -> None:
    def statistics(model: keras.Model) -> list[Any]:
        return [
            one.numpy() for one in model.non_trainable_variables if one.name.startswith("moving")
        ]

    keras.utils.set_random_seed(training.params.seed)
    before = statistics(networks.build("plain", [8], 0.0))

    _, model = training.run(Plan(epochs=1, learning_rate=0.2, update=True))

    assert before
    assert all(map(np.array_equal, statistics(model), before))


def test_an_update_teaches_new_faces_their_label_and_rehearsed_ones_what_the_parent_says(
    training: Training,
) -> None:
    training.params = training.params.model_copy(update={"parent_share": 1.0})
    reached, folder = {}, training.checkpoint
    for new in (False, True):
        training.faces = training.faces.assign(new=new)
        training.checkpoint = folder / str(new)
        training.checkpoint.mkdir()
        history, _ = training.run(Plan(epochs=4, learning_rate=0.05, update=True))
        reached[new] = history["monitor_accuracy"].max()

    # The parent, of random weights, tells the two apart no better than chance.
    assert reached[True] > 0.9 > reached[False]


def test_an_update_goes_to_its_end_and_keeps_its_last_epoch(training: Training) -> None:
    training.params = training.params.model_copy(update={"patience": 1})
    # What is learnt is wrong here, more so with every epoch.
    wrong = training.monitor["label"].map({"happy": "sad", "sad": "happy"})
    training.monitor = training.monitor.assign(label=wrong)

    history, model = training.run(Plan(epochs=4, learning_rate=0.05, update=True))

    last = history["monitor_loss"].iloc[-1]
    assert len(history) == 4
    assert last > history["monitor_loss"].min()
    assert training.monitor_loss(model) == pytest.approx(last, rel=1e-3)


def test_a_training_that_diverges_is_refused_with_a_reason(training: Training) -> None:
    with pytest.raises(ModelError, match="learning_rate"):
        training.run(Plan(epochs=1, learning_rate=1e38))


def _kill(
    monkeypatch: pytest.MonkeyPatch,
    callback: type[keras.callbacks.Callback],
    moment: str,
    *,
    epoch: int,
    done: bool,
) -> None:
    work = getattr(callback, moment)

    def dying(self: keras.callbacks.Callback, number: int, logs: Any = None) -> None:
        if number < epoch or done:
            work(self, number, logs)
        if number >= epoch:
            raise Killed

    monkeypatch.setattr(callback, moment, dying)
