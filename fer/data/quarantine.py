"""Faces that `ingest` refused, kept apart with the reason until a person decides."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from fer.data import table
from fer.records import FACES

REASON = pa.schema([pa.field("reason", pa.string(), nullable=False)])


def put(quarantine: Path, faces: pd.DataFrame) -> None:
    """Keep `faces` (columns of `records.FACES` and `reason`), one file a face.

    One file a face makes this idempotent: refusing the same face again replaces its file.
    """
    for number in range(len(faces)):
        row = faces.iloc[[number]]
        table.write(_file(quarantine, row["id"].iloc[0]), row, extra=REASON)


def read(quarantine: Path) -> pd.DataFrame:
    """Return all faces kept apart, with their `reason`."""
    tables = [table.read(path) for path in sorted(quarantine.glob("[!.]*.parquet"))]
    empty = pd.DataFrame(columns=[*FACES.names, *REASON.names])
    return pd.concat(tables, ignore_index=True) if tables else empty


def keep_file(quarantine: Path, item: Path) -> None:
    """Keep an inbox item that nothing can read, as it is, for a person to look at."""
    quarantine.mkdir(parents=True, exist_ok=True)
    place, number = quarantine / f"{item.name}.unreadable", 1
    while place.exists():
        number += 1
        place = quarantine / f"{item.name}.{number}.unreadable"
    item.rename(place)


def remove(quarantine: Path, face: str) -> None:
    """Let go of one face: it was accepted or rejected."""
    _file(quarantine, face).unlink(missing_ok=True)


def _file(quarantine: Path, face: str) -> Path:
    return quarantine / f"{face}.parquet"
