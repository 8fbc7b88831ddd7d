"""What is wrong with the checkout is found, and comes with what mends it."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from fer.data import table, version
from fer.doctor import checkout
from fer.errors import CameraError, FerError, MissingData, ModelError
from fer.faces import yunet
from fer.files import sha256, write_json
from fer.paths import Paths
from fer.records import DataVersion, Shard, now

MadeModel = Callable[..., Path]


@pytest.fixture
def captured(paths: Paths, faces: Callable[..., pd.DataFrame]) -> Path:
    """A shard of three faces that the data version names."""
    shard = paths.captures / "one.parquet"
    table.write(shard, faces(3))
    named = Shard(shard.name, sha256(shard), rows=3, version=1)
    version.write(paths.version, DataVersion(number=1, captures=(named,)))
    return shard


def _dvc(paths: Paths, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dvc", *arguments, "--quiet"], cwd=paths.root, check=True
    )


# -- data and remote -------------------------------------------------------------------------


def test_a_data_version_that_is_all_here_is_in_order(paths: Paths, captured: Path) -> None:
    found = checkout.data(paths)

    assert found.level == "ok"
    assert "3 captured faces" in found.says


def test_a_shard_with_other_bytes_is_refused(paths: Paths, captured: Path) -> None:
    captured.write_bytes(b"other")

    with pytest.raises(MissingData, match="dvc checkout"):
        checkout.data(paths)


def test_files_of_dvc_that_were_cut_short_are_named_with_what_removes_them(paths: Paths) -> None:
    whole = checkout.dvc(paths)
    paths.dvc_lock.write_text("schema: '2.0'\nstages:\n  ba", "utf-8")
    cut = checkout.dvc(paths)

    assert (whole.level, cut.level) == ("ok", "problem")
    assert "dvc.lock" in cut.says
    assert f"rm -r '{paths.dvc_lock}'" in cut.fix
    assert paths.dvc_lock.is_file()


def test_a_fresh_checkout_needs_no_remote(paths: Paths) -> None:
    assert checkout.remote(paths).level == "ok"


def test_captures_without_a_remote_are_told_and_with_one_it_is_asked_for_them(
    paths: Paths, captured: Path, tmp_path: Path
) -> None:
    version.track(paths, captured)
    alone = checkout.remote(paths)
    _dvc(paths, "remote", "add", "--default", "store", str(tmp_path / "store"))
    empty = checkout.remote(paths)
    _dvc(paths, "push", f"{captured}.dvc")
    full = checkout.remote(paths)

    assert (alone.level, empty.level, full.level) == ("warning", "warning", "ok")
    assert "dvc remote add" in alone.fix
    assert "dvc push" in empty.fix


def test_a_remote_that_cannot_be_asked_is_refused_with_the_reason(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.captures.mkdir(parents=True)
    (paths.captures / "one.parquet.dvc").touch()
    failed = subprocess.CompletedProcess([], 255, "", "ERROR: no such place\n\nHaving troubles?\n")
    monkeypatch.setattr(checkout.subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(FerError, match=r"failed: ERROR: no such place$"):
        checkout.remote(paths)


def test_a_remote_that_is_silent_is_refused(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(command: list[str], *, timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    paths.captures.mkdir(parents=True)
    (paths.captures / "one.parquet.dvc").touch()
    monkeypatch.setattr(checkout.subprocess, "run", silent)

    with pytest.raises(FerError, match="did not answer"):
        checkout.remote(paths)


# -- backup, Prefect --------------------------------------------------------------------------


def test_a_fresh_checkout_needs_no_backup_and_one_with_data_does(paths: Paths) -> None:
    fresh = checkout.backup(paths)
    version.write(paths.version, DataVersion(1))

    assert fresh.level == "ok"
    assert checkout.backup(paths).level == "warning"
    assert "fer backup" in checkout.backup(paths).fix


@pytest.mark.parametrize(
    ("days", "changed", "level"), [(8, True, "warning"), (8, False, "ok"), (6, True, "ok")]
)
def test_an_old_backup_is_told_where_anything_changed_since(
    paths: Paths, days: int, changed: bool, level: str
) -> None:
    made = now() - timedelta(days=days)
    write_json(paths.last_backup, {"made": made.isoformat()})
    moment = made.timestamp() + (1 if changed else -1)
    os.utime(paths.version, (moment, moment))

    found = checkout.backup(paths)

    assert found.level == level
    assert f"{days} days ago" in found.says


@pytest.mark.parametrize(
    ("told", "level", "says"),
    [
        ({}, "ok", "each run starts one for itself"),
        ({"server": "http://a/api"}, "ok", "http://a/api answers"),
        ({"server": "http://a/api", "silent": "refused"}, "problem", "refused"),
        ({"block": "no such block"}, "warning", "no such block"),
    ],
)
def test_what_prefect_says_is_told_with_what_mends_it(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], level: str, says: str
) -> None:
    answer = json.dumps({"server": None, "silent": None, "block": None, **told})
    monkeypatch.setattr(checkout, "_prefect", lambda *_: answer)

    found = checkout.prefect(paths)

    assert found.level == level
    assert says in found.says
    assert bool(found.fix) == (level != "ok")


def test_without_a_server_prefect_says_so(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    assert "each run starts one" in checkout.prefect(paths).says


def test_prefect_that_fails_is_a_clear_error(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ModuleNotFoundError: prefect")
    monkeypatch.setattr(checkout.subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(FerError, match=r"ModuleNotFoundError: prefect$"):
        checkout.prefect(paths)


# -- registry --------------------------------------------------------------------------------


@pytest.fixture
def champion(
    paths: Paths, tmp_path: Path, model_file: MadeModel, monkeypatch: pytest.MonkeyPatch
) -> SimpleNamespace:
    """The champion's files, as a registry gives them."""
    model, weights = model_file(tmp_path / "model.onnx"), tmp_path / "candidate.keras"
    with zipfile.ZipFile(weights, "w") as packed:
        packed.writestr("model.weights.h5", bytes(1000))
    paths.mlruns.mkdir()
    (paths.mlruns / "mlflow.db").touch()
    monkeypatch.setattr(checkout, "connect", lambda _: None)
    monkeypatch.setattr(checkout.versions, "alias", lambda *_: SimpleNamespace(version="4"))
    monkeypatch.setattr(checkout.versions, "files", lambda _: (model, weights))
    return SimpleNamespace(model=model, weights=weights)


def test_looking_for_a_registry_makes_none(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    found = checkout.registry(paths)

    assert found.level == "ok"
    assert "the shipped champion answers" in found.says
    assert not paths.mlruns.exists()


def test_a_shipped_champion_that_is_damaged_is_refused(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(checkout, "SHIPPED_MODEL", tmp_path / "nowhere.onnx")

    with pytest.raises(ModelError):
        checkout.registry(paths)


def test_a_whole_champion_is_in_order(paths: Paths, champion: SimpleNamespace) -> None:
    found = checkout.registry(paths)

    assert found.level == "ok"
    assert "version 4" in found.says


def test_a_damaged_model_is_refused(paths: Paths, champion: SimpleNamespace) -> None:
    champion.model.write_bytes(b"junk")

    with pytest.raises(ModelError):
        checkout.registry(paths)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_weights_are_a_problem(
    paths: Paths, champion: SimpleNamespace, damage: str
) -> None:
    content = bytearray(champion.weights.read_bytes())
    content[500] ^= 0xFF
    champion.weights.write_bytes(content[:700] if damage == "cut" else content)

    found = checkout.registry(paths)

    assert found.level == "problem"
    assert "rollback" in found.fix


# -- detector and camera ---------------------------------------------------------------------


def test_without_yunet_it_says_how_to_get_it(paths: Paths) -> None:
    found = checkout.detector(paths)

    assert found.level == "warning"
    assert "--get yunet" in found.fix


def test_a_damaged_yunet_is_a_problem(paths: Paths) -> None:
    paths.detector.parent.mkdir()
    paths.detector.write_bytes(b"half")

    found = checkout.detector(paths)

    assert found.level == "problem"
    assert "--get yunet" in found.fix


def test_a_whole_yunet_serves(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.detector.parent.mkdir()
    paths.detector.write_bytes(b"YuNet")
    monkeypatch.setattr(yunet, "SIZE", 5)
    monkeypatch.setattr(yunet, "SHA256", hashlib.sha256(b"YuNet").hexdigest())
    loaded: list[Path] = []
    monkeypatch.setattr(checkout, "Detector", loaded.append)

    assert checkout.detector(paths).level == "ok"
    assert loaded == [paths.detector]


def test_no_camera_is_no_fault(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> Any:
        yield from ()
        raise CameraError("none")

    monkeypatch.setattr(checkout.source, "frames", none)

    found = checkout.camera(paths)

    assert found.level == "ok"
    assert "no camera" in found.says
