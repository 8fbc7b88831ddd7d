"""The registry lies in the checkout, and survives moving it."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import mlflow
import numpy as np
import pytest

from fer.errors import Busy, RegistryError
from fer.files import locked, sha256
from fer.paths import Paths
from fer.registry import tracking, versions
from fer.registry.tracking import connect
from tests.registry.conftest import GOOD


@pytest.fixture
def unmade(registry) -> Paths:
    """A checkout whose registry has its tables, which cost seconds, but no experiment yet."""
    with (
        contextlib.closing(sqlite3.connect(registry.paths.mlruns / "mlflow.db")) as database,
        database,
    ):
        database.execute("delete from experiments where name = 'fer'")
    return registry.paths


def test_the_models_of_a_copied_checkout_load_without_the_original(
    ruled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_stores
) -> None:
    ruled.candidate(GOOD)
    ruled.promote()
    digest = sha256(ruled.paths.candidate)
    moved = tmp_path / "elsewhere"
    monkeypatch.chdir(tmp_path)
    shutil.move(ruled.paths.root, moved)
    monkeypatch.chdir(moved)
    forget_stores()

    champion = versions.alias(connect(Paths(moved)), "champion")

    assert champion is not None
    model, weights = versions.files(champion)
    assert sha256(model) == digest
    assert weights.is_file()
    answer = mlflow.pyfunc.load_model("models:/fer@champion").predict(
        np.zeros((1, 48, 48, 1), np.float32)
    )
    assert np.isclose(answer["probabilities"].sum(), 1)


def test_killed_while_it_is_set_up_the_registry_can_still_be_moved(
    unmade: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(tracking, "_make_relative", dying)
        with pytest.raises(Killed):
            connect(unmade)

    found = connect(unmade).get_experiment_by_name("fer")

    assert found is not None
    assert found.artifact_location == "mlruns/artifacts"


def test_outside_the_root_the_reader_is_told(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    with pytest.raises(RegistryError, match="Expected to stand in"):
        connect(paths)

    assert not paths.mlruns.exists()


def test_a_process_that_was_connected_and_moved_away_is_told_too(
    registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(registry.paths)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(RegistryError, match="Expected to stand in"):
        connect(registry.paths)


def test_with_mlflow_env_loaded_the_registry_can_be_moved_too(
    unmade: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (Path(__file__).parents[2] / "mlflow.env").read_text("utf-8").split()
    for name, value in (line.split("=", 1) for line in lines):
        monkeypatch.setenv(name, value)

    found = connect(unmade).get_experiment_by_name("fer")

    assert found is not None
    assert found.artifact_location == "mlruns/artifacts"


def test_the_tracking_server_of_the_user_wins(
    registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_registry: Path
) -> None:
    shutil.copytree(empty_registry, tmp_path / "of the user")
    chosen = f"sqlite:///{tmp_path / 'of the user' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", chosen)
    monkeypatch.chdir(tmp_path)

    client = connect(registry.paths)

    assert client.tracking_uri == chosen
    assert client.get_experiment_by_name("fer") is not None


def test_a_registry_that_another_process_sets_up_for_ever_is_given_up(
    registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    monkeypatch.setattr(tracking.time, "sleep", naps.append)

    with locked(registry.paths.lock("registry")), pytest.raises(Busy, match="set up"):
        connect(registry.paths)

    assert sum(naps) == 60
