"""Tune: search the settings of a training from scratch; stopped and run again, it goes on.

Trials are judged on the monitor faces: neither they nor the settings that win have seen a face
that the gate scores on.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import optuna
from dvc.utils.serialize import modify_yaml
from optuna.trial import FrozenTrial, TrialState

from fer.data import table
from fer.errors import DataRefused, ModelError
from fer.files import locked, sha256
from fer.model import networks
from fer.params import TrainParams
from fer.paths import Paths
from fer.training.batches import Monitor
from fer.training.fit import Plan, best_epoch, fit
from fer.training.learner import learner

_FIRST_TRIALS: Final = 4
"""Trials that none is pruned against: a median of fewer says little."""

Told = Callable[[FrozenTrial], None]


@dataclass(frozen=True)
class TuneReport:
    """What the search found.

    Args:
        trials: Trials that ended or were pruned, of all runs on these data.
        pruned: Of these, those that were given up early.
        best: Number of the best trial.
        measure: `train.best_by`, of the monitor faces.
        value: What the best trial reached.
        settings: Its settings, keys of the `train` section.
    """

    trials: int
    pruned: int
    best: int
    measure: str
    value: float
    settings: dict[str, Any]


def tune(params: TrainParams, paths: Paths, trials: int, told: Told) -> TuneReport:
    """Run `trials` trainings from random weights, and say which settings were best.

    The search belongs to the training table, the network and the seed: with others it begins
    anew. A trial that was killed is run again.

    Args:
        params: What stays fixed; the search is around it.
        paths: The checkout. Reads the train and monitor tables.
        trials: How many to run now, 1 or more.
        told: Called after each trial.

    Raises:
        MissingData: A table is not here.
        DataRefused: Every trial diverged.
        Busy: Another search is running.
    """
    with locked(paths.lock("tune")):
        faces, monitor = table.read(paths.train), Monitor.of(table.read(paths.monitor))

        def objective(trial: optuna.Trial) -> float:
            chosen = params.model_copy(update=_suggested(trial, params))
            keras.utils.set_random_seed(params.seed)
            shape = chosen.network, chosen.widths, chosen.dropout
            model = learner(networks.build(*shape, light=chosen.light))
            prune = _Prune(trial, f"monitor_{chosen.best_by}")
            plan = Plan(chosen.epochs, chosen.learning_rate, [prune])
            with tempfile.TemporaryDirectory() as checkpoint:
                history = fit(model, faces, monitor, chosen, plan, Path(checkpoint))
            return float(best_epoch(history, chosen.best_by)[f"monitor_{chosen.best_by}"])

        study = _study(params, paths)
        study.optimize(
            objective,
            trials,
            # Settings that let a training diverge are a result, too.
            catch=(ModelError,),
            callbacks=[lambda _, trial: told(trial)],
        )
        return _report(study, params.best_by)


def apply(report: TuneReport, path: Path) -> None:
    """Write the best settings into params.yaml, whose comments stay."""
    with modify_yaml(str(path)) as settings:
        settings["train"].update(report.settings)


def _suggested(trial: optuna.Trial, params: TrainParams) -> dict[str, Any]:
    rate = params.learning_rate
    return {
        "learning_rate": trial.suggest_float("learning_rate", rate / 5, rate * 5, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 0.2, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256]),
    }


class _Prune(keras.callbacks.Callback):
    """Give a trial up that is behind the median of those before it."""

    def __init__(self, trial: optuna.Trial, measure: str) -> None:
        super().__init__()
        self._trial, self._measure = trial, measure

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the epoch, and raise `TrialPruned` where it is behind."""
        self._trial.report((logs or {})[self._measure], epoch)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _study(params: TrainParams, paths: Paths) -> optuna.Study:
    fixed = params.model_dump(mode="json") | {"table": sha256(paths.train)}
    name = hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    paths.tuning.parent.mkdir(exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{paths.tuning}",
        study_name=name,
        load_if_exists=True,
        direction="maximize" if params.best_by == "accuracy" else "minimize",
        pruner=optuna.pruners.MedianPruner(_FIRST_TRIALS, n_warmup_steps=params.epochs // 4),
    )
    # Another seed than the run before: it would begin with the same random trials again.
    study.sampler = optuna.samplers.TPESampler(seed=params.seed + len(study.trials))
    # Killed in the middle: the lock says that nobody is at it.
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _report(study: optuna.Study, measure: str) -> TuneReport:
    counted = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    ended = [trial for trial in counted if trial.state == TrialState.COMPLETE]
    if not ended:
        raise DataRefused(
            "Expected a trial that came to its end, received none. Lower train.learning_rate, "
            "around which the search goes, and run it again."
        )
    return TuneReport(
        trials=len(counted),
        pruned=len(counted) - len(ended),
        best=study.best_trial.number,
        measure=measure,
        value=study.best_value,
        settings=dict(study.best_params),
    )
