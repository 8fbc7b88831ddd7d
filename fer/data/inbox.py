"""The inbox: what cameras, imports and reviewers hand in, until `ingest` has made it durable.

An item is one file: a face table with any number of rows, or one person's decision. It is written
under a temporary name, synced and renamed, so it is whole or absent. Any process may write at
any time, also while `ingest` runs; only `ingest` removes.
"""

import contextlib
import dataclasses
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fer.data import table
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.files import read_json, sync_folder, write_json
from fer.records import FACES, Decision, now

_ID: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Items:
    """What lay in the inbox at one moment.

    Args:
        files: Every item, oldest first.
        faces: The rows of all face tables, in that order.
        decisions: In that order.
        unreadable: Items that are neither, with the reason.
    """

    files: list[Path]
    faces: pd.DataFrame
    decisions: list[Decision]
    unreadable: dict[Path, str]


def put(inbox: Path, faces: pd.DataFrame) -> Path:
    """Hand in `faces` (columns of `records.FACES`); durable when this returns.

    Raises:
        DataError: A column is missing, unknown or of another type.
    """
    path = inbox / f"{_name()}.parquet"
    table.write(path, faces)
    return path


def put_decision(inbox: Path, decision: Decision) -> Path:
    """Hand in what a person said of one face; durable when this returns."""
    path = inbox / f"{_name()}.json"
    write_json(path, dataclasses.asdict(decision))
    return path


def read(inbox: Path) -> Items:
    """Return what lies in the inbox now."""
    files = sorted(path for path in inbox.glob("[!.]*") if path.is_file())
    tables, decisions, unreadable = [FACES.empty_table()], [], {}
    for path in files:
        try:
            if path.suffix == ".parquet":
                table.check_size(path)
                tables.append(table.content(path, FACES.names).select(FACES.names).cast(FACES))
            else:
                decisions.append(_decision(read_json(path)))
        except (DataError, KeyError, ValueError, TypeError) as error:
            unreadable[path] = str(error)
    return Items(files, table.stack(tables), decisions, unreadable)


def count(inbox: Path) -> int:
    """Return how many faces wait; reads no picture. Unreadable items count as none."""
    rows = 0
    for path in inbox.glob("[!.]*.parquet"):
        # Taken away meanwhile, or unreadable: `ingest` deals with it.
        with contextlib.suppress(OSError, pa.ArrowException):
            rows += pq.read_metadata(path).num_rows
    return rows


def remove(files: list[Path]) -> None:
    """Take away items whose content is durable elsewhere."""
    for path in files:
        path.unlink(missing_ok=True)
    if files:
        sync_folder(files[0].parent)


def _decision(value: dict[str, Any]) -> Decision:
    said = Decision(**value)
    # The name becomes part of a path in quarantine: anything else could point out of it.
    if not isinstance(said.face, str) or not _ID.fullmatch(said.face):
        raise ValueError(f"Expected the id of a face, 64 hex digits, received: {said.face!r}")
    if said.verdict not in ("accept", "reject"):
        raise ValueError(f"Expected what a person said of a face, received: {value}")
    if said.label not in (None, *EMOTIONS):
        raise ValueError(f"Expected a label of {', '.join(EMOTIONS)}, received: {said.label}")
    return said


def _name() -> str:
    # Time first, so that items sort by arrival; the random part keeps two writers apart.
    return f"{now():%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"
