"""The data version: read it, cut a new one, and read the faces it names — nothing else.

`data/version.json` lies in git and is what the DVC stages depend on. A folder as a dependency
would make DVC train on whatever lies there.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any, Final

import pandas as pd
from dvc.fs import localfs
from dvc.lock import LockError
from dvc.rwlock import rwlock
from pydantic import TypeAdapter

from fer.data import table
from fer.errors import DataError, MissingData
from fer.files import sha256, write_json
from fer.paths import Paths
from fer.records import DataVersion, Decision, Shard

_VERSION: Final = TypeAdapter(DataVersion)
_NAME: Final = re.compile(r"[\w-][\w.-]{0,99}")

_log = logging.getLogger(__name__)


def read(path: Path) -> DataVersion:
    """Return the data version in `path`.

    Raises:
        MissingData: There is no such file.
        DataError: It is no data version.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = _VERSION.validate_json(text, strict=True)
        # `withdrawn` is not in versions of before self-learning.
        if missing := {"number", "captures", "decisions", "parent"} - json.loads(text).keys():
            raise KeyError(*missing)
        # A name that leads elsewhere would have that file read, and replaced after an erasure.
        if odd := [one.file for one in found.captures if not _NAME.fullmatch(one.file)]:
            raise ValueError(f"a shard's file name, not {odd[0]!r}")
        return found
    except FileNotFoundError:
        raise MissingData(f"Expected the data version at {path}: `git checkout` it.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Expected a data version in {path}, received: {error!r}. `git checkout` it."
        ) from error


def write(path: Path, version: DataVersion) -> None:
    """Replace the data version in `path`, whole or not at all."""
    write_json(path, dataclasses.asdict(version))


def write_shard(faces: pd.DataFrame, number: int, paths: Paths) -> Shard:
    """Write `faces` as a shard of the data version `number`, put it under DVC and return it.

    Raises:
        DataError: DVC refuses the shard.
    """
    # Named by number and content: a killed run, repeated, writes the very same file.
    digest = hashlib.sha256("".join(faces["id"] + faces["label"]).encode()).hexdigest()
    path = paths.captures / f"{number:05d}-{digest[:8]}.parquet"
    table.write(path, faces)
    track(paths, path)
    return Shard(path.name, sha256(path), len(faces), number)


def without(current: DataVersion, erased: Set[str]) -> DataVersion:
    """Return `current` freed of everything it says of the faces `erased`, but for the shards."""
    kept: dict[str, Any] = {
        each.name: tuple(one for one in value if not erased & _said_of(one))
        for each in dataclasses.fields(current)
        if isinstance(value := getattr(current, each.name), tuple)
    }
    return dataclasses.replace(current, **kept)


def _said_of(one: Any) -> set[Any]:
    return {one} if isinstance(one, str) else set(vars(one).values())


def captured(paths: Paths, version: DataVersion) -> pd.DataFrame:
    """Return every face that `version` names, with the column `new` and decisions applied.

    `new` says that the parent has not been trained on the face. Faces that a person rejected
    are left out, as are those that were withdrawn. Accepted faces carry the label that was given,
    and count as labelled by a person.

    Raises:
        MissingData: A shard is missing or has other bytes.
    """
    shards = [
        table.read(check(paths.captures / shard.file, shard.sha256)).assign(
            new=version.new_to_parent(shard)
        )
        for shard in version.captures
    ]
    empty = table.frame([]).assign(new=pd.Series(dtype=bool))
    faces = pd.concat(shards, ignore_index=True) if shards else empty
    labels = {said.face: said.label for said in version.decisions if said.label}
    named = [
        labels.get(face, label) for face, label in faces[["id", "label"]].itertuples(index=False)
    ]
    faces["label"] = pd.Series(named, faces.index, dtype="str")
    out = rejected(version.decisions)
    looked_at = faces["id"].isin({said.face for said in version.decisions} - out)
    # By label too: a person's picture may have taken the place of a model's.
    gone = faces["id"].isin(version.withdrawn) & table.by_model(faces)
    faces["label_source"] = faces["label_source"].mask(looked_at, "human")
    return faces[~gone & ~faces["id"].isin(out)].reset_index(drop=True)


def rejected(decisions: Iterable[Decision]) -> set[str]:
    """Return the faces that a person left out; of several decisions on a face the last holds."""
    last = {said.face: said.verdict for said in decisions}
    return {face for face, verdict in last.items() if verdict == "reject"}


def check(path: Path, digest: str) -> Path:
    """Return `path` if its bytes have the SHA-256 `digest`.

    Raises:
        MissingData: It is missing or has other bytes.
    """
    if not path.is_file():
        raise MissingData(
            f"The data version names {path}, which is not here. "
            f"Fetch it: `dvc pull {shlex.quote(f'{path}.dvc')}`"
        )
    if (received := sha256(path)) != digest:
        raise MissingData(
            f"The data version names {path} with SHA-256 {digest}, received {received}. "
            f"Restore it: `dvc checkout --force {shlex.quote(f'{path}.dvc')}`"
        )
    return path


def track(paths: Paths, file: Path) -> None:
    """Put `file` under DVC (`dvc add`): its bytes into the cache, a `.dvc` file beside it.

    Does nothing where the `.dvc` file names these bytes already.

    Raises:
        DataError: DVC refuses; says why.
    """
    pointer = file.with_name(f"{file.name}.dvc")
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "md5").hexdigest()
    if pointer.is_file() and f"md5: {digest}" in pointer.read_text(encoding="utf-8"):
        return
    # --no-relink: else DVC removes the file and puts it back from its cache, and a kill in between
    # leaves neither the file nor a pointer to its bytes.
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", "--quiet", "--no-relink", str(file)],
        cwd=paths.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DataError(f"`dvc add {shlex.quote(str(file))}` failed: {done.stderr.strip()}")


@contextlib.contextmanager
def held_still(paths: Paths) -> Iterator[None]:
    """Wait until no DVC stage reads the data version or the parent, and keep the others waiting.

    DVC hashes what a stage read after the stage has ended: a version that moved meanwhile would
    be written down for tables that never saw it. `dvc.rwlock` is internal to DVC, hence the
    pinned release and a test.
    """
    paths.dvc_work.mkdir(parents=True, exist_ok=True)
    targets = [str(one) for one in (paths.version, paths.parent_weights, paths.parent)]
    with contextlib.ExitStack() as stack:
        told = False
        while True:
            try:
                stack.enter_context(
                    rwlock(str(paths.dvc_work), localfs, "fer ingest", [], targets, hardlink=False)
                )
                break
            except LockError as error:
                if not told:
                    _log.warning("Waiting for a running stage to end. %s", error)
                told = True
                time.sleep(1)
        yield
