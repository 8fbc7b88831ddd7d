"""What must hold after a fault, and after the run that follows it."""

import contextlib
import fcntl
import json
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pyarrow.parquet as pq

from fer.data import inbox, quarantine, table, version
from fer.files import sha256
from fer.paths import Paths


def unreadable(paths: Paths) -> list[str]:
    """Return every file that a step may read and that is not whole.

    But for DVC's own files: DVC writes them in place, and `dvc_files` looks at them before.
    """
    readers: dict[str, Callable[[Path], object]] = {
        ".parquet": lambda file: pq.ParquetFile(file).read(),
        ".json": lambda file: json.loads(file.read_text("utf-8")),
        ".onnx": lambda file: onnx.checker.check_model(onnx.load(file)),
        ".keras": _whole_zip,
    }
    found = []
    places = (paths.version.parent, paths.candidate.parent, paths.report("x").parent,
              paths.decisions, paths.lock("x").parent)  # fmt: skip
    files = [file for place in places for file in place.rglob("[!.]*") if file.is_file()]
    for file in files:
        try:
            readers.get(file.suffix, Path.stat)(file)
        except Exception as error:  # noqa: BLE001  whatever a reader says of a broken file
            found.append(f"{file.relative_to(paths.root)} is not whole: {error!r}")
    return found


def _whole_zip(file: Path) -> None:
    if (broken := zipfile.ZipFile(file).testzip()) is not None:
        raise zipfile.BadZipFile(broken)


def kept(paths: Paths) -> Counter[str]:
    """Return how often each face that came in is somewhere safe."""
    current = version.read(paths.version)
    shards = [table.read(version.check(paths.captures / one.file, one.sha256), ["id"])
              for one in current.captures]  # fmt: skip
    tables = [*shards, quarantine.read(paths.quarantine), inbox.read(paths.inbox).faces]
    return Counter(face for faces in tables for face in faces["id"])


def registered(paths: Paths) -> dict[str, Any]:
    """Return the aliases, and the verdict of each version."""
    if not paths.registry.is_file():
        return {"aliases": {}, "versions": {}}
    with contextlib.closing(sqlite3.connect(paths.registry)) as opened:
        tables = {name for (name,) in opened.execute("select name from sqlite_master")}
        if "registered_model_aliases" not in tables:
            return {"aliases": {}, "versions": {}}
        aliases = dict(opened.execute("select alias, version from registered_model_aliases"))
        versions = dict.fromkeys(
            one for (one,) in opened.execute("select version from model_versions")
        )
        asked = "select version, value from model_version_tags where key = 'verdict'"
        versions |= dict(opened.execute(asked))
    return {"aliases": aliases, "versions": versions}


def outcome(paths: Paths) -> dict[str, Any]:
    """Return all that must not depend on whether something went wrong on the way."""
    data = [paths.base, paths.refused, paths.train, paths.monitor, paths.validation]
    files = [*data, paths.candidate, paths.parent, *paths.captures.glob("*.dvc"),
             *paths.captures.glob("*.parquet")]  # fmt: skip
    verdict = paths.report("verdict.json")
    told = json.loads(verdict.read_text("utf-8")) if verdict.is_file() else {}
    return {
        "data version": json.loads(paths.version.read_text("utf-8")),
        "files": {file.name: sha256(file) for file in files if file.is_file()},
        "verdict": [told.get(name) for name in ("verdict", "version", "champion", "accuracy")],
        "registry": registered(paths),
        "kept": kept(paths),
    }


def wrong_now(paths: Paths, acknowledged: list[str]) -> list[str]:
    """Return what does not hold at any moment, however a step ended."""
    told = unreadable(paths)
    held = kept(paths)
    told += [f"acknowledged {one[:8]} is lost" for one in acknowledged if not held[one]]
    said = registered(paths)
    champion = said["aliases"].get("champion")
    if champion is not None and said["versions"].get(champion) not in ("promoted", "adopted"):
        told.append(f"champion version {champion} has verdict {said['versions'].get(champion)}")
    return told


def locked(paths: Paths) -> list[str]:
    """Return the locks that are held though nothing runs."""
    held = []
    for file in paths.lock("x").parent.glob("*.lock"):
        with file.open("rb") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(f"{file.name} is held by nobody")
    return held


def difference(wanted: Any, found: Any) -> str:
    """Return in words what differs of two values of `outcome`."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = [key for key in wanted | found if wanted.get(key) != found.get(key)]
        return ", ".join(f"{key}: {wanted.get(key)} → {found.get(key)}" for key in keys)[:400]
    return f"{wanted} → {found}"
