"""Backup: data versions, registry and all that waits, as of one moment, in one file.

Captures, parents and tables come from DVC's cache, by content: also those of earlier versions, and
whatever a training that runs is doing to the files in the checkout.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer import audit
from fer.backup import archive
from fer.data import version
from fer.errors import MissingData
from fer.files import locked, write_json
from fer.paths import Paths
from fer.privacy import begun, places
from fer.records import now
from fer.registry.tracking import elsewhere

_CHANGING: Final = ("update", "ingest", "promote")
"""Whose locks a backup waits for: what they change has to fit together."""


@dataclass(frozen=True)
class BackupReport:
    """What was kept.

    Args:
        file: The archive.
        data_version: Its number.
        files: In it.
        megabytes: Its size.
        registry: Whether it has the registry, or why not.
    """

    file: str
    data_version: int
    files: int
    megabytes: float
    registry: str


def backup(paths: Paths, target: Path) -> BackupReport:
    """Write everything that git does not have to `target`, whole or not at all.

    Waits for a running update to end. Cameras, the page and a training by hand may go on; an
    update that begins meanwhile is refused, and `watch` begins it later.

    Raises:
        DataError: An erasure was cut short, or the place cannot be written.
        MissingData: DVC's cache lacks something that the data version or a stage names.
    """
    with contextlib.ExitStack() as stack:
        for name in _CHANGING:
            stack.enter_context(locked(paths.lock(name), wait=True))
        begun.refuse_unfinished(paths)
        current = version.read(paths.version)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=paths.restoring.parent)))
        server = elsewhere(paths)
        files = [
            *_state(paths),
            *_cached(paths),
            *(() if server else _registry(paths, folder / "mlflow.db")),
        ]
        made = now().isoformat(timespec="seconds")
        about = archive.pack(files, made, current.number, target)
        write_json(paths.last_backup, {"made": made})
        audit.record(paths, "backup", data_version=current.number, files=len(about.files))
    return BackupReport(
        file=str(target),
        data_version=current.number,
        files=len(about.files),
        megabytes=round(target.stat().st_size / 1e6, 1),
        registry=f"left out: keep {server} yourself" if server else "kept",
    )


def _state(paths: Paths) -> Iterator[tuple[str, Path]]:
    """What names the rest, and what waits."""
    named = [paths.version, paths.params, paths.dvc_lock]
    pointers = [*paths.captures.glob("*.dvc"), *paths.parent.parent.glob("parent.*.dvc")]
    waiting = [
        file
        for folder in (paths.inbox, paths.quarantine, paths.receipts)
        for file in folder.glob("[!.]*")
    ]
    for file in [*named, *sorted(pointers), *sorted(waiting)]:
        if file.is_file():
            yield _name(file, paths), file


def _cached(paths: Paths) -> Iterator[tuple[str, Path]]:
    cache = places.cache(paths)
    missing = [
        md5 for md5 in places.named(paths) if not (cache.objects / md5[:2] / md5[2:]).is_file()
    ]
    if missing:
        raise MissingData(
            f"Expected in DVC's cache what data version and stages name, {len(missing)} of it is "
            "not there. `dvc fetch` brings it from the remote, else `dvc repro` makes it."
        )
    for name, folder in ((archive.OBJECTS, cache.objects), (archive.RUNS, cache.runs)):
        for file in sorted(folder.rglob("*")):
            kept = f"{name}/{file.relative_to(folder).as_posix()}"
            if file.is_file() and archive.expects(kept):
                yield kept, file


def _registry(paths: Paths, copy: Path) -> Iterator[tuple[str, Path]]:
    if not paths.registry.is_file():
        return
    # Before the files that it names: what is logged meanwhile is at most too much of them.
    with (
        contextlib.closing(sqlite3.connect(paths.registry)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    yield _name(paths.registry, paths), copy
    for file in sorted(paths.mlruns.rglob("*")):
        # Beside its database SQLite has journals.
        ours = not file.name.startswith(paths.registry.name)
        if file.is_file() and ours and archive.expects(_name(file, paths)):
            yield _name(file, paths), file


def _name(file: Path, paths: Paths) -> str:
    return file.relative_to(paths.root).as_posix()
