"""Where bytes lie: the checkout, DVC's cache and its remotes; and what DVC made of what."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo

from fer.errors import DataError
from fer.files import write_text
from fer.paths import Paths

_NOT_OURS: Final = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
"""Folders that hold no face: git has names and hashes alone, the others code."""

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Store:
    """DVC's cache or a remote: objects that are named by the MD5 of their bytes.

    Args:
        name: "cache", or the remote's.
        odb: DVC's object database.
    """

    name: str
    odb: Any

    def objects(self) -> list[str]:
        """Return the MD5 of each object."""
        return sorted(self.odb.all()) if self.odb.fs.exists(self.odb.path) else []

    def read(self, md5: str) -> bytes:
        """Return the bytes of an object."""
        with self.odb.fs.open(self.odb.oid_to_path(md5), "rb") as file:
            data: bytes = file.read()
        return data

    def delete(self, md5: str) -> None:
        """Delete an object, if it is there."""
        path = self.odb.oid_to_path(md5)
        with contextlib.suppress(FileNotFoundError):
            self.odb.fs.rm_file(path)


@dataclass(frozen=True)
class StageRun:
    """One run of a DVC stage: MD5 of what it read and wrote, by path."""

    read: dict[str, str]
    wrote: dict[str, str]


@contextlib.contextmanager
def stores(paths: Paths) -> Iterator[list[Store]]:
    """Yield DVC's cache and every remote that is set up.

    `dvc.repo` is no public interface, hence the pinned release and a test.

    Raises:
        DataError: DVC or a remote cannot be reached; says why.
    """
    with _open(paths) as repo:
        found = [Store("cache", repo.cache.local)]
        for name in repo.config["remote"]:
            try:
                found.append(Store(name, repo.cloud.get_remote_odb(name)))
                found[-1].objects()
            # Each kind of remote has errors of its own.
            except Exception as error:
                raise DataError(
                    f"Expected to reach the DVC remote {name}, received: {error!r}. Faces may lie "
                    "there: connect it, or remove it with `dvc remote remove`."
                ) from error
        yield found


@dataclass(frozen=True)
class Cache:
    """Where DVC keeps on this machine what it knows by content; may lie outside the checkout.

    Args:
        objects: Folder of objects: `ab/cdef...`, named by their MD5.
        runs: Folder of the run cache: what each stage wrote, given what it read.
    """

    objects: Path
    runs: Path


def cache(paths: Paths) -> Cache:
    """Return where DVC's cache is.

    Raises:
        DataError: This is no DVC repository.
    """
    with _open(paths) as repo:
        return Cache(Path(repo.cache.local.path), Path(repo.stage_cache.cache_dir))


def check_out(paths: Paths) -> None:
    """Bring everything that dvc.lock and the `.dvc` files name from the cache (`dvc checkout`).

    Raises:
        DataError: DVC refuses; says why.
    """
    try:
        stages = _loaded(_text(paths.dvc_lock)).get("stages", {})
        pointers = [str(one) for one in _pointers(paths)]
        with _open(paths) as repo:
            # By name: of stages that never ran it would complain.
            if targets := [*stages, *pointers]:
                repo.checkout(targets, force=True)
    except DvcException as error:
        raise DataError(f"`dvc checkout --force` failed: {error}") from error


def stage_runs(paths: Paths) -> list[StageRun]:
    """Return every stage run that is known: of now, of DVC's run cache, of MLflow, of git."""
    kept = cache(paths).runs
    found = [_loaded(file.read_text("utf-8")) for file in kept.glob("*/*/*") if file.is_file()]
    locks = [paths.dvc_lock, *paths.mlruns.glob("artifacts/*/artifacts/lineage/dvc.lock")]
    texts = [lock.read_text("utf-8") for lock in locks if lock.is_file()]
    for text in [*texts, *_committed(paths)]:
        found += _loaded(text).get("stages", {}).values()
    return [StageRun(_hashes(one, "deps"), _hashes(one, "outs")) for one in found]


def forget_stages(paths: Paths, objects: set[str]) -> None:
    """Take the stages that wrote any of `objects` out of dvc.lock: DVC would miss their files."""
    lock = paths.dvc_lock
    if not lock.is_file():
        return
    value = _loaded(lock.read_text("utf-8"))
    stages = value.get("stages", {})
    kept = {k: one for k, one in stages.items() if not objects & {*_hashes(one, "outs").values()}}
    if len(kept) < len(stages):
        write_text(lock, yaml.safe_dump({**value, "stages": kept}, sort_keys=False))


def named(paths: Paths) -> set[str]:
    """Return the MD5 of all that dvc.lock and the `.dvc` files name now."""
    found = [
        *_loaded(_text(paths.dvc_lock)).get("stages", {}).values(),
        *(_loaded(_text(one)) for one in _pointers(paths)),
    ]
    return {md5 for one in found for md5 in _hashes(one, "outs").values()}


def files(paths: Paths, apart: Iterable[Store]) -> Iterator[Path]:
    """Yield every file of the checkout that could hold a face, temporary ones too.

    Args:
        paths: The checkout.
        apart: Stores that may lie in the checkout, and are looked at object by object.
    """
    skipped = {Path(store.odb.path) for store in apart}
    for folder, below, names in os.walk(paths.root):
        below[:] = sorted(
            name for name in below if name not in _NOT_OURS and Path(folder, name) not in skipped
        )
        yield from (path for name in sorted(names) if (path := Path(folder, name)).is_file())


def _pointers(paths: Paths) -> list[Path]:
    folders = (paths.captures, paths.parent.parent)
    return [file for folder in folders for file in folder.glob("*.dvc")]


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""


@contextlib.contextmanager
def _open(paths: Paths) -> Iterator[Repo]:
    try:
        repo = Repo(str(paths.root))
    except DvcException as error:
        raise DataError(f"Expected a DVC repository in {paths.root}, received: {error}") from error
    with repo:
        yield repo


def _committed(paths: Paths) -> Iterator[str]:
    """Yield dvc.lock as every commit that changed it has it."""
    if not (paths.root / ".git").exists():
        return
    for commit in _git(paths, "log", "--all", "--format=%H", "--", "dvc.lock").split():
        yield _git(paths, "show", f"{commit}:./dvc.lock")


def _git(paths: Paths, *arguments: str) -> str:
    # Nothing where git fails: a commit may have deleted the file.
    done = subprocess.run(["git", *arguments], cwd=paths.root, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def _loaded(text: str) -> dict[str, Any]:
    try:
        value = yaml.load(text, _Loader)  # noqa: S506  a safe loader
    except yaml.YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def _hashes(stage: dict[str, Any], kind: str) -> dict[str, str]:
    return {one["path"]: one["md5"] for one in stage.get(kind, []) if "md5" in one}
