"""Train: from balanced faces and the parent to a candidate, its checkpoints and its history."""

import hashlib
import json
import logging
import platform
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version as release
from pathlib import Path

import keras
import pandas as pd

from fer.data import table, version
from fer.errors import DataError
from fer.files import locked, read_report, replacing, sha256, short, write_json
from fer.model import calibration, networks, transfer
from fer.model.classifier import Lane, Lineage
from fer.model.export import export
from fer.params import TrainParams
from fer.paths import Paths
from fer.records import DataVersion
from fer.training import hardware
from fer.training.batches import Monitor
from fer.training.fit import Plan, best_epoch, fit
from fer.training.learner import learner
from fer.training.update import Fitted, update

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainReport:
    """How the candidate came about.

    Args:
        started_from: "random weights", `train.transfer.weights`, or the version in the registry.
        lane: "scratch"; of an update "full", or "quick": one epoch.
        epochs: Epochs run; fewer than asked for where the monitor faces were read no better.
        best_epoch: The one whose weights were kept, counted from 1: an update's last.
        step: How far an update went from its parent towards that epoch's weights, 0-1.
        monitor_loss: Of that epoch.
        monitor_accuracy: Of that epoch.
        seconds: Spent in fitting alone.
        faces_per_second: While fitting.
        export_difference: Largest difference of a probability between Keras and the ONNX file.
        temperature: What the logits were divided by, so that the model is as right as it is sure.
        weights: Number of weights.
        precision: Arithmetic of the hidden layers while fitting.
    """

    started_from: str
    lane: Lane
    epochs: int
    best_epoch: int
    step: float
    monitor_loss: float
    monitor_accuracy: float
    seconds: float
    faces_per_second: float
    export_difference: float
    temperature: float
    weights: int
    precision: str


def train(params: TrainParams, paths: Paths) -> TrainReport:
    """Fit a candidate, and export it. Killed and run again, it goes on at the last epoch.

    Raises:
        DataError: The training table is of another data version.
        MissingData: The parent, or a table, is not here.
        ModelError: The exported file does not answer as the network does.
    """
    with locked(paths.lock("train")):
        current = version.read(paths.version)
        _check_table(paths)
        faces, monitor = table.read(paths.train), table.read(paths.monitor)
        keras.utils.set_random_seed(params.seed)
        final = networks.build(params.network, params.widths, params.dropout, light=params.light)
        updated = _start_from_parent(final, current, paths)
        if params.transfer.weights and not updated:
            transfer.load(final, params.network, params.transfer.weights)
        model = learner(final)
        lane = _lane(faces, params, updated=updated)
        lineage = _lineage(current, faces, params, paths, lane)
        began = time.perf_counter()
        fitted = _fitted(model, faces, monitor, params, _checkpoint(lineage, paths), lane)
        seconds = time.perf_counter() - began
        final.set_weights(model.get_weights())
        temperature = _calibrate(final, fitted)
        with replacing(paths.candidate_weights) as temporary:
            final.save(temporary)
        sample = table.decode(monitor["image"].head(256))
        difference = export(final, paths.candidate, lineage, sample, temperature=temperature)
        history = fitted.history
        kept = history.iloc[-1] if updated else best_epoch(history, params.best_by)
        report = TrainReport(
            started_from=f"version {current.parent.version}"
            if updated and current.parent
            else params.transfer.weights or "random weights",
            lane=lane,
            epochs=len(history),
            best_epoch=int(kept["epoch"]),
            step=fitted.step,
            monitor_loss=float(kept["monitor_loss"]),
            monitor_accuracy=float(kept["monitor_accuracy"]),
            seconds=round(seconds, 1),
            faces_per_second=round(len(history) * float(faces["draw"].sum()) / seconds, 1),
            export_difference=difference,
            temperature=temperature,
            weights=final.count_params(),
            precision=hardware.precision(),
        )
        _tell(report, history, lineage, paths)
        # Only now: until everything is written, a second run goes on from the checkpoints.
        shutil.rmtree(paths.checkpoints, ignore_errors=True)
        return report


def _tell(report: TrainReport, history: pd.DataFrame, lineage: Lineage, paths: Paths) -> None:
    with replacing(paths.report("history.csv")) as temporary:
        history.to_csv(temporary, index=False)
    write_json(paths.report("train.json"), asdict(report))
    made = short(sha256(paths.candidate))
    told = "data version %d, from %s: candidate %s"
    _log.info(told, lineage.data_version, report.started_from, made)


def _check_table(paths: Paths) -> None:
    balanced = read_report(paths.report("balance.json"))["data_version_sha256"]
    if balanced != sha256(paths.version):
        raise DataError(
            f"Expected {paths.train} to be of the present data version, received one of another "
            "(a new version was cut meanwhile). Run `dvc repro`."
        )


def _lineage(
    current: DataVersion, faces: pd.DataFrame, params: TrainParams, paths: Paths, lane: Lane
) -> Lineage:
    return Lineage(
        data_version=current.number,
        data_version_sha256=sha256(paths.version),
        train_sha256=sha256(paths.train),
        parent=current.parent,
        git_commit=_git_commit(paths.root),
        seed=params.seed,
        params=params.model_dump(mode="json"),
        environment={
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": release("numpy"),
            "opencv-python": release("opencv-python"),
        },
        sources=tuple(sorted(faces["source"].unique())),
        lane=lane,
    )


def _git_commit(root: Path) -> str:
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=root, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return asked.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _start_from_parent(model: keras.Model, current: DataVersion, paths: Paths) -> bool:
    """Give `model` the parent's weights; False where there is no parent, or of another shape."""
    if current.parent is None:
        return False
    file = version.check(paths.parent_weights, current.parent.weights_sha256)
    parent = networks.load(file)
    if parent.name != model.name:
        print(  # noqa: T201  the reader must know that this is no update
            f"The parent is a {parent.name}, params.yaml asks for a {model.name}: "
            "starting from random weights.",
            flush=True,
        )
        return False
    model.set_weights(parent.get_weights())
    return True


def _lane(faces: pd.DataFrame, params: TrainParams, *, updated: bool) -> Lane:
    if not updated:
        return "scratch"
    return "quick" if int(faces["new"].sum()) < params.quick_below else "full"


def _fitted(
    model: keras.Model,
    faces: pd.DataFrame,
    held_out: pd.DataFrame,
    params: TrainParams,
    checkpoint: Path,
    lane: Lane,
) -> Fitted:
    """Fit `model`. With weights learnt elsewhere the last layer first.

    A new last layer would undo what the others know: they join when it has learnt, gently, as
    in an update. The history begins there.
    """
    learnt = params.transfer.weights
    if lane != "scratch":
        if learnt:
            transfer.freeze(model, trained=params.transfer.unfreeze)
        plan = Plan(
            1 if lane == "quick" else params.update_epochs,
            params.update_learning_rate,
            update=True,
        )
        return update(model, faces, held_out, params, plan, checkpoint)
    monitor = Monitor.of(held_out)
    if learnt:
        transfer.freeze(model, trained=0)
        alone = Plan(params.transfer.head_epochs, params.learning_rate)
        (checkpoint / "head").mkdir(exist_ok=True)
        fit(model, faces, monitor, params, alone, checkpoint / "head")
        transfer.freeze(model, trained=params.transfer.unfreeze)
    rate = params.update_learning_rate if learnt else params.learning_rate
    history = fit(model, faces, monitor, params, Plan(params.epochs, rate), checkpoint)
    return Fitted(history, 1.0, monitor.told_by(model), monitor.truth)


def _calibrate(model: keras.Model, fitted: Fitted) -> float:
    """Make `model` as sure as it is right on the monitor faces; return the temperature."""
    temperature = calibration.fit(fitted.told, fitted.truth)
    networks.soften(model, temperature)
    return temperature


def _checkpoint(lineage: Lineage, paths: Paths) -> Path:
    """Folder of this very training; those of others are of no use any more."""
    key = hashlib.sha256(json.dumps(asdict(lineage), sort_keys=True).encode()).hexdigest()[:16]
    folder = paths.checkpoints / key
    if not folder.is_dir():
        shutil.rmtree(paths.checkpoints, ignore_errors=True)
        folder.mkdir(parents=True)
    return folder
