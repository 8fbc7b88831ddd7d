"""Where MLflow keeps its runs: in the checkout, and in a form that survives moving it.

MLflow freezes absolute paths into its database: after a copy or a move every model would be
lost. Here the artifact location is relative, so everything that talks to the registry stands
in the checkout's root; the command line changes into it. A user's own `MLFLOW_TRACKING_URI` wins.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from fer.errors import Busy, RegistryError
from fer.files import locked
from fer.paths import Paths

NAME: Final = "fer"
"""Of the experiment and of the registered model."""

ARTIFACTS: Final = "mlruns/artifacts"
_ATTEMPTS: Final = 120


def connect(paths: Paths) -> MlflowClient:
    """Return a client of the user's tracking server, else of `mlruns/` in the checkout.

    Raises:
        RegistryError: The process does not stand in the checkout's root.
    """
    chosen = elsewhere(paths)
    if chosen is not None:
        mlflow.set_tracking_uri(chosen)
        try:
            client = MlflowClient()
            if client.get_experiment_by_name(NAME) is None:
                client.create_experiment(NAME)
        except MlflowException as error:
            raise RegistryError(
                f"Expected a tracking server at MLFLOW_TRACKING_URI={chosen}, received: {error}"
            ) from error
        return client
    if Path.cwd() != paths.root.resolve():
        raise RegistryError(
            f"Expected to stand in {paths.root}, received {Path.cwd()}: paths in the registry "
            "are relative to it."
        )
    paths.mlruns.mkdir(exist_ok=True)
    mlflow.set_tracking_uri(_ours(paths))
    client = MlflowClient()
    # One at a time: processes that create the tables together leave them broken for ever.
    with _patiently(paths):
        if client.get_experiment_by_name(NAME) is None:
            client.create_experiment(NAME, artifact_location=ARTIFACTS)
        # Looked at each time: whoever created it may have been killed before it was relative.
        made = client.get_experiment_by_name(NAME)
        if made is not None and made.artifact_location != ARTIFACTS:
            _make_relative(paths.registry, made.experiment_id)
    return client


def elsewhere(paths: Paths) -> str | None:
    """Return the user's own MLFLOW_TRACKING_URI; None: the registry is the checkout's."""
    # Ours is there, too, once this process has connected (MLflow puts it there), or by mlflow.env.
    chosen = os.environ.get("MLFLOW_TRACKING_URI") or _ours(paths)
    return None if chosen == _ours(paths) else chosen


def _ours(paths: Paths) -> str:
    return f"sqlite:///{paths.registry.relative_to(paths.root)}"


@contextlib.contextmanager
def _patiently(paths: Paths) -> Iterator[None]:
    for _ in range(_ATTEMPTS):
        try:
            with locked(paths.lock("registry")):
                yield
                return
        except Busy:
            time.sleep(0.5)
    raise Busy("Expected the registry to be set up within a minute by another process.")


def _make_relative(database: Path, experiment: str) -> None:
    """MLflow makes the location absolute; runs and models inherit what stands here."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "update experiments set artifact_location = ? where experiment_id = ?",
            (ARTIFACTS, experiment),
        )
