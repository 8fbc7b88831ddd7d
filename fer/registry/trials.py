"""Trials of a search as MLflow runs, in an experiment of their own."""

from collections.abc import Mapping
from typing import Any, Final

from mlflow.entities import Metric, Param

from fer.paths import Paths
from fer.registry.tracking import ARTIFACTS, connect

EXPERIMENT: Final = "fer-tuning"


def log(
    paths: Paths, *, name: str, state: str, settings: Mapping[str, Any], curve: Mapping[int, float]
) -> None:
    """Log one trial.

    Args:
        paths: The checkout.
        name: Of the run.
        state: How it ended, in words.
        settings: What it tried.
        curve: What it reached on the monitor faces, by epoch from 0.
    """
    client = connect(paths)
    found = client.get_experiment_by_name(EXPERIMENT)
    place = (
        found.experiment_id
        if found
        else client.create_experiment(EXPERIMENT, artifact_location=ARTIFACTS)
    )
    run = client.create_run(place, run_name=name, tags={"state": state}).info.run_id
    client.log_batch(
        run,
        params=[Param(key, str(value)) for key, value in settings.items()],
        metrics=[Metric("monitor", value, 0, epoch) for epoch, value in curve.items()],
    )
    client.set_terminated(run)
