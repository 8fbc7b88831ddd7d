"""One Prefect task a step, of the same name. DVC decides what has to run, MLflow what is best."""

import json
from typing import Any

from prefect import Task, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from fer import params
from fer.data import dvc_files
from fer.paths import Paths
from pipelines.commands import ROOT, StepRefused, run

PATHS = Paths(ROOT)


def _worth_retrying(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    failure = state.result(raise_on_failure=False)
    return not isinstance(failure, StepRefused)


# DVC is the cache: it knows the bytes.
_step = task(retry_condition_fn=_worth_retrying, retry_delay_seconds=5, cache_policy=NO_CACHE)


def _fer(command: str) -> str:
    limit = params.load(PATHS.params).update.step_timeout_minutes
    return run("fer", command, timeout_minutes=limit)


def _dvc(*arguments: str) -> str:
    dvc_files.mend(PATHS)
    limit = params.load(PATHS.params).update.step_timeout_minutes
    return run("dvc", *arguments, timeout_minutes=limit)


@_step
def pull() -> None:
    """Fetch what the data version names, where a DVC remote is set up."""
    if dvc_files.remotes(PATHS):
        # Forced: what a killed stage wrote, and DVC has not seen, would stop every pull.
        _dvc("pull", "--allow-missing", "--force")


@_step
def sweep() -> None:
    """Faces whose consent or retention has ended leave."""
    _fer("sweep")


@_step
def ingest() -> None:
    """The inbox into a new data version."""
    _fer("ingest")


@_step
def base() -> None:
    """The base data as one table."""
    _dvc("repro", "--single-item", "base")


@_step
def validate() -> None:
    """Base and captures against the expectations."""
    _dvc("repro", "--single-item", "validate")


@_step
def balance() -> None:
    """New faces and rehearsed ones."""
    _dvc("repro", "--single-item", "balance")


@_step
def train() -> None:
    """A candidate from the parent."""
    _dvc("repro", "--single-item", "train")


@_step
def evaluate() -> None:
    """The candidate on the validation faces."""
    _dvc("repro", "--single-item", "evaluate")


@_step
def promote() -> dict[str, Any]:
    """The gate; returns its report, and shows it as an artifact of the run."""
    _dvc("repro", "--single-item", "promote")
    create_markdown_artifact(PATHS.report("verdict.md").read_text("utf-8"), key="verdict")
    verdict: dict[str, Any] = json.loads(PATHS.report("verdict.json").read_text("utf-8"))
    return verdict


@_step
def push() -> None:
    """Send the new data and models to the DVC remote, where one is set up."""
    if dvc_files.remotes(PATHS):
        _dvc("push")
