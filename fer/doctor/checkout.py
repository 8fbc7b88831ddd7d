"""The checkout: settings, data version, registry, remote, backup, Prefect, detector, camera."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from fer import params
from fer.data import dvc_files, version
from fer.doctor.findings import Finding
from fer.errors import CameraError, FerError
from fer.faces import camera as source
from fer.faces import yunet
from fer.faces.detect import Detector, chosen
from fer.files import read_json
from fer.live.predictor import Predictor
from fer.paths import SHIPPED_MODEL, Paths
from fer.records import now
from fer.registry import versions
from fer.registry.tracking import connect

_FIRST_CAMERA: Final = Path("/dev/video0")
_REMOTE_SECONDS: Final = 60

_OLD_BACKUP: Final = timedelta(days=7)

_IMPATIENT: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""MLflow would ask a server that is away for minutes."""

_PREFECT_SECONDS: Final = 180
"""Without a server it starts one to load a block, and may wait two minutes for that."""


def settings(paths: Paths) -> Finding:
    """Whether params.yaml is as it should be."""
    params.load(paths.params)
    return Finding("ok", "params.yaml is as expected")


def data(paths: Paths) -> Finding:
    """Whether everything that the data version names is here, byte for byte."""
    present = version.read(paths.version)
    for shard in present.captures:
        version.check(paths.captures / shard.file, shard.sha256)
    if present.parent:
        version.check(paths.parent, present.parent.model_sha256)
        version.check(paths.parent_weights, present.parent.weights_sha256)
    faces = sum(shard.rows for shard in present.captures)
    return Finding("ok", f"data version {present.number}, {faces} captured faces, all here")


def registry(paths: Paths) -> Finding:
    """Whether the registry answers, and the champion's files are whole and of use."""
    chosen_by_user = os.environ.get("MLFLOW_TRACKING_URI")
    # Connecting would make the registry, and looking must not.
    if not chosen_by_user and not paths.registry.is_file():
        return _shipped("no registry yet")
    for name, value in _IMPATIENT.items():
        os.environ.setdefault(name, value)
    champion = versions.alias(connect(paths), versions.CHAMPION)
    if champion is None:
        return _shipped("no champion of your own")
    model, weights = versions.files(champion)
    Predictor.of_file(model)
    try:
        with ZipFile(weights) as packed:
            damaged = packed.testzip()
    except BadZipFile as error:
        damaged = str(error)
    if damaged:
        return Finding(
            "problem",
            f"The weights of champion version {champion.version} are damaged: {damaged}.",
            f"Bring {weights} back, or `fer models rollback VERSION`.",
        )
    return Finding("ok", f"champion version {champion.version} answers, its weights are whole")


def _shipped(because: str) -> Finding:
    Predictor.of_file(SHIPPED_MODEL)
    return Finding("ok", f"{because}: the shipped champion answers; `dvc repro` trains one")


def dvc(paths: Paths) -> Finding:
    """Whether DVC can read its own files, which it writes in place."""
    if files := dvc_files.broken(paths):
        names = [str(one) for one in files]
        return Finding(
            "problem",
            f"Cut short, perhaps by a full disk, so that DVC cannot run: {', '.join(names)}.",
            f"`{shlex.join(['rm', '-r', *names])}`, which the next update does by itself; DVC and "
            "`fer ingest` make them anew.",
        )
    return Finding("ok", "DVC can read its files")


def remote(paths: Paths) -> Finding:
    """Whether captures and parent are on DVC's remote."""
    pointers = [
        str(file.relative_to(paths.root))
        for folder in (paths.captures, paths.candidate.parent)
        for file in sorted(folder.glob("*.dvc"))
    ]
    if not pointers:
        return Finding("ok", "nothing to keep elsewhere yet")
    if not _dvc(paths, "config", "core.remote").strip():
        return Finding(
            "warning",
            f"{len(pointers)} captures and models are on this machine alone: DVC has no remote.",
            "`dvc remote add --local -d store PLACE`, then `dvc push`.",
        )
    # An address at which nothing answers counts as an empty one.
    found = json.loads(_dvc(paths, "status", "--cloud", "--json", *pointers))
    if missing := [name for name, state in found.items() if state == "new"]:
        return Finding(
            "warning",
            f"{len(missing)} of {len(pointers)} captures and models are not on DVC's remote, or "
            "it does not answer.",
            "`dvc push` sends them, or says what is wrong.",
        )
    if found:
        return Finding(
            "warning",
            f"{len(found)} of {len(pointers)} captures and models are on DVC's remote alone.",
            "`dvc pull`",
        )
    return Finding("ok", f"{len(pointers)} captures and models are on DVC's remote")


def backup(paths: Paths) -> Finding:
    """How old the newest backup is that is known of, and whether anything changed since."""
    changed = [one.stat().st_mtime for one in (paths.version, paths.registry) if one.is_file()]
    fix = "`fer backup FILE`, to a place that does not break with this disk."
    if not paths.last_backup.is_file():
        if version.read(paths.version).number == 0 and not paths.registry.is_file():
            return Finding("ok", "nothing to back up yet")
        return Finding("warning", "No backup of data versions and registry is known of.", fix)
    made = datetime.fromisoformat(read_json(paths.last_backup)["made"])
    age = now() - made
    says = f"the newest backup is of {made:%Y-%m-%d %H:%M} UTC, {age.days} days ago"
    if age > _OLD_BACKUP and max(changed) > made.timestamp():
        return Finding("warning", f"{says}; data version or registry changed since.", fix)
    return Finding("ok", says)


def prefect(paths: Paths) -> Finding:
    """Whether Prefect's server answers where one is set up, and who is to be told can be."""
    name = params.load(paths.params).update.notify
    found = json.loads(_prefect(paths, *([name] if name else [])))
    if found["silent"]:
        return Finding(
            "problem",
            f"Prefect's server {found['server']} does not answer: {found['silent']}",
            "`prefect server start`; or unset PREFECT_API_URL, and a run starts one of its own.",
        )
    if found["block"]:
        return Finding(
            "warning",
            f"Nobody is told: the block {name} of update.notify does not load: {found['block']}",
            "Make it under Blocks on Prefect's page, or set update.notify to null.",
        )
    told = f", the block {name} loads" if name else ""
    if found["server"]:
        return Finding("ok", f"Prefect's server {found['server']} answers{told}")
    return Finding("ok", f"no Prefect server is set up: each run starts one for itself{told}")


def detector(paths: Paths) -> Finding:
    """Which detector serves, and whether its file is right."""
    file = chosen(params.load(paths.params).capture, paths)
    get = "`fer doctor --get yunet`"
    if file is None:
        return Finding(
            "warning", "The Haar cascade finds the faces; YuNet misses fewer, sooner.", get
        )
    if file == paths.detector and not yunet.is_whole(file):
        return Finding("problem", f"{file} is not YuNet's file.", get)
    Detector(file)
    return Finding("ok", f"YuNet, {file}")


def camera(_: Paths) -> Finding:
    """Whether camera 0 gives a frame. Without one there are films, streams and folders."""
    if _FIRST_CAMERA.exists() and not os.access(_FIRST_CAMERA, os.R_OK | os.W_OK):
        return Finding(
            "warning",
            f"You may not use {_FIRST_CAMERA}.",
            '`sudo usermod -aG video "$USER"`, then log in again.',
        )
    try:
        with closing(source.frames("0")) as frames:
            height, width = next(frames).shape[:2]
    except CameraError:
        return Finding("ok", "no camera 0; films, streams and folders of pictures do as well")
    return Finding("ok", f"camera 0 gives {width} x {height}")


def _prefect(paths: Paths, *arguments: str) -> str:
    """Return what the flows' own package says of Prefect, which it alone loads.

    Raises:
        FerError: It fails, or does not answer in time.
    """
    done = _ask(
        paths,
        ["pipelines.health", *arguments],
        _PREFECT_SECONDS,
        silent=f"Prefect did not answer in {_PREFECT_SECONDS} s.",
        PREFECT_CLIENT_MAX_RETRIES="0",
    )
    if done.returncode:
        raise FerError(f"Prefect could not be asked: {done.stderr.strip()[-500:]}")
    return done.stdout.splitlines()[-1]


def _dvc(paths: Paths, *arguments: str) -> str:
    """Return what DVC answers.

    Raises:
        FerError: It refuses, or does not answer in time.
    """
    done = _ask(
        paths,
        ["dvc", *arguments],
        _REMOTE_SECONDS,
        silent=f"DVC's remote did not answer in {_REMOTE_SECONDS} s. See `dvc remote list`.",
    )
    if done.returncode:
        # The rest is a traceback, or where to ask for help.
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise FerError(f"`dvc {arguments[0]}` failed: {' '.join(told) or done.stderr}")
    return done.stdout


def _ask(
    paths: Paths, command: Sequence[str], seconds: float, *, silent: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m` in the checkout, in an environment with `settings`.

    Raises:
        FerError: It did not end in so many `seconds`; says `silent`.
    """
    try:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=paths.root, capture_output=True, text=True, timeout=seconds,
            env={**os.environ, **settings}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FerError(silent) from None
