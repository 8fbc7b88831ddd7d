"""Restore: a backup takes the place of what is here, and who was erased since stays erased.

Everything is unpacked and verified beside the checkout first. What is named by content, what waits
and every receipt are added to what is here; the rest is replaced. Killed in between, it is run
again, and until then every other command refuses.
"""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from fer import audit
from fer.backup import archive
from fer.backup.archive import About
from fer.data import inbox, quarantine, receipts, table, version
from fer.data.receipts import Receipt
from fer.errors import DataError
from fer.files import replacing, sha256, sync_folder, write_json
from fer.paths import Paths
from fer.privacy import begun, erase, places, sweep
from fer.records import Shard

_ADDED: Final = ("data/inbox", "data/quarantine", "data/receipts")
_MD5: Final = re.compile("[0-9a-f]{32}")
_REPLACED: Final = ("params.yaml", "dvc.lock", "data/version.json")


@dataclass(frozen=True)
class RestoreReport:
    """What is here now.

    Args:
        made: When the backup was made, UTC.
        data_version: Its number; another than the backup's where somebody had to be erased again.
        erased_again: Erasures since the backup that were repeated.
    """

    made: str
    data_version: int
    erased_again: int


def restore(paths: Paths, source: Path, *, force: bool = False) -> RestoreReport:
    """Put back what `backup` kept in `source`, and repeat every erasure since.

    Nothing is touched before the backup is found whole.

    Args:
        paths: The checkout.
        source: The archive.
        force: Whether it may take the place of what is newer.

    Raises:
        Busy: A step or an update is running.
        DataError: The backup is damaged, or what is here is newer; or DVC or a remote refuses.
    """
    with begun.alone(paths, "update"):
        half = paths.restoring.is_file()
        if not half:
            begun.refuse_unfinished(paths)
        with _unpacked(paths, source) as (about, kept):
            _verify(kept, paths)
            # Of a restore that was cut short, part is here: nothing of it is newer.
            if not force and not half:
                _refuse_older(about, kept, paths)
            since = [one for one in receipts.listed(paths)
                     if not (kept.receipts / f"{one.name}.json").is_file()]  # fmt: skip
            again = [sweep.again(one, faces) for one, faces in _in_backup(since, kept)]
            write_json(paths.restoring, {"source": str(source)})
            _put_back(about, kept, paths)
            places.check_out(paths)
            for erasure in again:
                erase.erase(erasure, paths)
            number = version.read(paths.version).number
            # Before the end is written down: killed in between, twice is better than never.
            audit.record(paths, "restore", made=about.made, data_version=number,
                         erased_again=len(again))  # fmt: skip
            paths.restoring.unlink()
        return RestoreReport(about.made, number, len(again))


@contextlib.contextmanager
def _unpacked(paths: Paths, source: Path) -> Iterator[tuple[About, Paths]]:
    """Yield what the backup says of itself, and where it is laid out as a checkout is."""
    folder = paths.unpacked
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield archive.unpack(source, folder), Paths(folder)
    finally:
        shutil.rmtree(folder)


# -- before anything is touched ------------------------------------------------------------------


def _verify(kept: Paths, paths: Paths) -> None:
    """Make sure that all that the kept data version names is there, byte for byte."""
    current = version.read(kept.version)
    wanted = {paths.captures / one.file: one.sha256 for one in current.captures}
    if current.parent is not None:
        wanted[paths.parent] = current.parent.model_sha256
        wanted[paths.parent_weights] = current.parent.weights_sha256
    for file, digest in wanted.items():
        name = file.relative_to(paths.root)
        found = _object(kept, kept.root / f"{name}.dvc")
        if not found.is_file() or sha256(found) != digest:
            raise DataError(f"Expected {name} in the backup, which its data version names, "
                            "received none or another. Take another backup.")  # fmt: skip
    if kept.registry.is_file():
        with contextlib.closing(sqlite3.connect(kept.registry)) as database:
            (state,) = database.execute("pragma integrity_check").fetchone()
        if state != "ok":
            raise DataError(f"Expected a registry in the backup, received: {state}. "
                            "Take another one.")  # fmt: skip


def _object(kept: Paths, pointer: Path) -> Path:
    """Return the object that a `.dvc` file names, which must be a pointer and nothing more."""
    try:
        told = yaml.safe_load(pointer.read_text("utf-8"))
        (out,) = told.pop("outs")
        if told or out["path"] != pointer.stem or set(out) > {"md5", "size", "hash", "path"}:
            raise ValueError(f"{told} {out}")
        if not _MD5.fullmatch(md5 := str(out["md5"])):
            raise ValueError(f"an MD5 of {md5!r}")
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise DataError(
            f"Expected DVC's pointer {pointer.name} in the backup, received: {error!r}. "
            "Take another one."
        ) from error
    return kept.root / archive.OBJECTS / md5[:2] / md5[2:]


def _refuse_older(about: About, kept: Paths, paths: Paths) -> None:
    newer = []
    # What is damaged here is what one restores for.
    with contextlib.suppress(DataError):
        here = version.read(paths.version)
        if here.number > about.data_version:
            newer.append(f"data version {here.number}, where the backup has {about.data_version}")
        elif here.number == about.data_version and sha256(paths.version) != sha256(kept.version):
            newer.append(f"another data version {here.number}")
    judged = [one for one in paths.decisions.glob("[!.]*.json")
              if not _same(one, kept.decisions / one.name)]  # fmt: skip
    if judged:
        newer.append(f"{len(judged)} verdicts that the backup does not have")
    if newer:
        raise DataError(
            f"Expected nothing newer here than the backup of {about.made}, received "
            f"{' and '.join(newer)}. Back this up first; then --force replaces it."
        )


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and sha256(one) == sha256(other)


def _in_backup(since: list[Receipt], kept: Paths) -> Iterator[tuple[Receipt, set[str]]]:
    """Yield each erasure since the backup that it would undo, with all faces of theirs in it."""
    if not since:
        return
    current = version.read(kept.version)
    tables = [table.read(_shard(one, kept), ["id", "subject"]) for one in current.captures]
    tables += [inbox.read(kept.inbox).faces, quarantine.read(kept.quarantine)]
    by_person: dict[str, set[str]] = {}
    for rows in tables:
        for face, person in rows[["id", "subject"]].itertuples(index=False):
            by_person.setdefault(person or "", set()).add(face)
    here = {face for faces in by_person.values() for face in faces}
    for receipt in since:
        theirs = [faces for name, faces in by_person.items() if name and receipt.is_about(name)]
        if theirs or here & {*receipt.faces}:
            yield receipt, {face for faces in theirs for face in faces}


def _shard(shard: Shard, kept: Paths) -> Path:
    return _object(kept, kept.captures / f"{shard.file}.dvc")


# -- putting back --------------------------------------------------------------------------------


def _put_back(about: About, kept: Paths, paths: Paths) -> None:
    cache = places.cache(paths)
    for name in about.files:
        if name.startswith(_ADDED):
            _add(kept.root / name, paths.root / name)
        elif name.startswith(archive.OBJECTS):
            _add(kept.root / name, cache.objects / Path(name).relative_to(archive.OBJECTS))
        elif name.startswith(archive.RUNS):
            _add(kept.root / name, cache.runs / Path(name).relative_to(archive.RUNS))
    if kept.registry.is_file():
        shutil.rmtree(paths.mlruns, ignore_errors=True)
        kept.mlruns.rename(paths.mlruns)
        sync_folder(paths.root)
    _replace([name for name in about.files if name in _REPLACED or name.endswith(".dvc")],
             kept, paths)  # fmt: skip


def _replace(names: list[str], kept: Paths, paths: Paths) -> None:
    for old in (*paths.captures.glob("[!.]*"), *paths.parent.parent.glob("parent.*")):
        old.unlink()
    for name in names:
        with replacing(paths.root / name) as temporary:
            shutil.copyfile(kept.root / name, temporary)
    # Counts of what another champion saw.
    paths.seen.unlink(missing_ok=True)


def _add(file: Path, target: Path) -> None:
    if not target.exists():
        with replacing(target) as temporary:
            shutil.copy2(file, temporary)
