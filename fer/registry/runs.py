"""One MLflow run a candidate: its settings, curves, scores, data and files.

Everything is read from files: DVC may bring a candidate back from its cache without training,
and a clone may bring one that was trained elsewhere.
"""

import warnings
from dataclasses import asdict
from importlib.metadata import version as release
from pathlib import Path
from typing import Any, Final

import mlflow
import mlflow.onnx
import numpy as np
import onnx
import pandas as pd
import yaml
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import Metric, Param
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import Schema, TensorSpec

from fer.data import table
from fer.emotions import EMOTIONS
from fer.errors import RegistryError
from fer.evaluation.verdict import Verdict, as_markdown
from fer.files import read_report
from fer.model.classifier import Lineage
from fer.paths import MISTAKES, Paths
from fer.records import SIZE
from fer.registry.tracking import NAME

CANDIDATE: Final = "candidate_sha256"
"""Tag that ties a run and a version to the candidate's ONNX file."""

DATA_VERSION: Final = "data_version"
"""Tag of runs and versions: number of the data version that the model learnt from."""

PLOTS: Final = "plots"
"""Folder of a run's artifacts."""

_SIGNATURE: Final = ModelSignature(
    Schema([TensorSpec(np.dtype("float32"), (-1, SIZE, SIZE, 1), "image")]),
    Schema([TensorSpec(np.dtype("float32"), (-1, len(EMOTIONS)), "probabilities")]),
)
_FACTS: Final = ["id", "label", "source", "domain", "split"]
"""Columns of a table that its MLflow data set describes: no picture, no person."""


def log(
    client: MlflowClient, paths: Paths, candidate: str, lineage: Lineage, verdict: Verdict
) -> tuple[str, str]:
    """Log the candidate; a second call for the same one completes the first one's run.

    Args:
        client: Of the registry.
        paths: The checkout.
        candidate: SHA-256 of the candidate's ONNX file.
        lineage: Where it comes from.
        verdict: What the gate said.

    Returns:
        The run's id and the logged model's URI.
    """
    with mlflow.start_run(run_id=_run_of(client, candidate, lineage)) as run:
        number = run.info.run_id
        # MLflow refuses to change params, and a run cut short has them already.
        params = [] if run.data.params else _params(paths, lineage)
        client.log_batch(number, metrics=_metrics(paths), params=params)
        _log_inputs(paths)
        for name in ("confusion.png", "history.png", "reliability.png", MISTAKES):
            mlflow.log_artifact(str(paths.report(name)), PLOTS)
        for file in ("scores.json", "validation.json", "balance.json", "train.json"):
            mlflow.log_artifact(str(paths.report(file)), "reports")
        # What it takes to have the same data again.
        for path in (paths.version, paths.params, paths.dvc_lock):
            if path.is_file():
                mlflow.log_artifact(str(path), "lineage")
        mlflow.log_text(as_markdown(verdict), "verdict.md")
        mlflow.log_dict(asdict(verdict), "verdict.json")
        return number, _log_model(paths.candidate, paths.candidate_weights)


def log_files(
    client: MlflowClient, name: str, model: Path, weights: Path, data_version: int
) -> tuple[str, str]:
    """Log a model of another registry, as `log` does.

    Args:
        client: Of the registry.
        name: Of the run.
        model: ONNX file.
        weights: Keras file.
        data_version: Number of the data version that the model learnt from.
    """
    place, tags = experiment(client), {DATA_VERSION: str(data_version)}
    with mlflow.start_run(experiment_id=place, run_name=name, tags=tags) as run:
        return run.info.run_id, _log_model(model, weights)


def experiment(client: MlflowClient) -> str:
    """Return the id of the experiment that all runs are in.

    Raises:
        RegistryError: There is none.
    """
    found = client.get_experiment_by_name(NAME)
    if found is None:
        raise RegistryError(f"Expected the experiment {NAME} in the registry, found none.")
    return str(found.experiment_id)


def _log_model(model: Path, weights: Path) -> str:
    logged = mlflow.onnx.log_model(
        onnx.load(model),
        name="model",
        signature=_SIGNATURE,
        # Given, because working them out loads the model in another process for 8 s.
        pip_requirements=[f"{name}=={release(name)}" for name in ("onnxruntime", "numpy")],
        extra_files=[str(weights)],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
    )
    return str(logged.model_uri)


def _run_of(client: MlflowClient, candidate: str, lineage: Lineage) -> str:
    place = experiment(client)
    found = client.search_runs([place], f"tags.{CANDIDATE} = '{candidate}'")
    if found:
        return str(found[0].info.run_id)
    tags = {
        CANDIDATE: candidate,
        DATA_VERSION: str(lineage.data_version),
        "mlflow.source.git.commit": lineage.git_commit,
    }
    name = f"data-version-{lineage.data_version}"
    return str(client.create_run(place, tags=tags, run_name=name).info.run_id)


def _params(paths: Paths, lineage: Lineage) -> list[Param]:
    sections = yaml.safe_load(paths.params.read_text(encoding="utf-8"))
    # What the model was trained with, which params.yaml may have left behind.
    sections["train"] = lineage.params
    return [
        Param(f"{section}.{key}", str(value))
        for section, values in sections.items()
        for key, value in values.items()
    ]


def _metrics(paths: Paths) -> list[Metric]:
    scores = read_report(paths.report("metrics.json"))
    told = {"validation_accuracy": scores["accuracy"]}
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "calibration_error"):
        told[f"overall_{name}"] = scores["overall"][name]
        told |= {f"{domain}/{name}": one[name] for domain, one in scores["domains"].items()}
    told["train_seconds"] = read_report(paths.report("train.json"))["seconds"]
    history = pd.read_csv(paths.report("history.csv")).set_index("epoch")
    return [Metric(name, float(value), 0, 0) for name, value in told.items()] + [
        Metric(str(name), float(value), 0, int(epoch))
        for name, column in history.items()
        for epoch, value in zip(history.index, column, strict=True)
    ]


def _log_inputs(paths: Paths) -> None:
    hashes = _dvc_hashes(paths)
    for path, context in ((paths.train, "training"), (paths.validation, "validation")):
        source = str(path.relative_to(paths.root))
        with warnings.catch_warnings():
            # A path fits two of MLflow's kinds of source, and it says so each time.
            warnings.simplefilter("ignore", UserWarning)
            data = from_pandas(
                table.read(path, _FACTS), source=source, name=path.stem, digest=hashes.get(source)
            )
        mlflow.log_input(data, context=context, tags={"dvc.path": source})


def _dvc_hashes(paths: Paths) -> dict[str, str]:
    """MD5 of every file that a stage wrote, by path, as DVC knows it."""
    lock = paths.dvc_lock
    written: dict[str, Any] = yaml.safe_load(lock.read_text("utf-8")) if lock.is_file() else {}
    stages = written.get("stages", {}).values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}
