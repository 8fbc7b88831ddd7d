"""A search finds settings that learn, goes on where it was killed, and leaves comments alone."""

from collections.abc import Callable

import pandas as pd
import pytest
from optuna.trial import FrozenTrial, TrialState

from fer import params as settings
from fer.data import table
from fer.data.balance import DRAW
from fer.errors import DataRefused
from fer.params import TrainParams
from fer.paths import Paths
from fer.training import tune as module
from fer.training.tune import TuneReport, apply, tune


@pytest.fixture
def small(params: TrainParams) -> TrainParams:
    return params.model_copy(update={"epochs": 1})


@pytest.fixture
def tables(paths: Paths, stripes: Callable[..., pd.DataFrame]) -> None:
    table.write(paths.train, stripes(64), extra=DRAW)
    table.write(paths.monitor, stripes(20, seed=1).drop(columns=["new", "draw", "weight"]))


@pytest.mark.usefixtures("tables")
def test_the_best_of_all_trials_is_told_also_of_an_earlier_run(
    small: TrainParams, paths: Paths
) -> None:
    told: list[FrozenTrial] = []
    first = tune(small, paths, 2, told.append)

    both = tune(small, paths, 1, told.append)

    assert (first.trials, both.trials) == (2, 3)
    assert both.value == min(trial.value for trial in told if trial.value is not None)
    assert both.settings == told[both.best].params
    assert len({trial.params["learning_rate"] for trial in told}) == 3
    small.model_copy(update=both.settings)


@pytest.mark.usefixtures("tables")
def test_a_killed_trial_is_run_again(
    small: TrainParams, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, "fit", die)
        with pytest.raises(Killed):
            tune(small, paths, 1, lambda _: None)
    told: list[FrozenTrial] = []

    tune(small, paths, 1, told.append)

    assert [trial.state for trial in told] == [TrialState.COMPLETE]
    assert told[0].number == 1
    assert module._study(small, paths).trials[0].params == told[0].params


@pytest.mark.usefixtures("tables")
def test_other_faces_begin_a_search_of_their_own(
    small: TrainParams, paths: Paths, stripes: Callable[..., pd.DataFrame]
) -> None:
    tune(small, paths, 1, lambda _: None)
    table.write(paths.train, stripes(48, seed=9), extra=DRAW)

    assert tune(small, paths, 1, lambda _: None).trials == 1


@pytest.mark.usefixtures("tables")
def test_where_every_trial_diverges_it_says_what_to_do(small: TrainParams, paths: Paths) -> None:
    wild = small.model_copy(update={"learning_rate": 1e37})

    with pytest.raises(DataRefused, match="learning_rate"):
        tune(wild, paths, 1, lambda _: None)


def test_the_best_settings_go_into_params_yaml_and_its_comments_stay(paths: Paths) -> None:
    before = paths.params.read_text("utf-8")
    found = {"learning_rate": 0.00123, "dropout": 0.25, "batch_size": 64}

    apply(TuneReport(1, 0, 0, "loss", 0.5, found), paths.params)

    train = settings.load(paths.params).train
    assert (train.learning_rate, train.dropout, train.batch_size) == (0.00123, 0.25, 64)
    after = paths.params.read_text("utf-8")
    assert after.count("#") == before.count("#")
    assert after.count("\n") == before.count("\n")
