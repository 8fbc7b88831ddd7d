"""Export: all that is kept of one person, for them to have; nothing of anybody else."""

import json
import zipfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fer import audit
from fer.data import inbox, quarantine, table, version
from fer.errors import DataError
from fer.files import replacing
from fer.paths import Paths
from fer.records import Span
from fer.registry import retire


@dataclass(frozen=True)
class ExportReport:
    """What was handed over.

    Args:
        file: The zip file.
        faces: Pictures in it.
        decisions: What people said of these faces.
        models: Versions that learnt from them.
    """

    file: str
    faces: int
    decisions: int
    models: list[int]


def export(person: str, paths: Paths, target: Path) -> ExportReport:
    """Write a zip file with the pictures, what is known of each, and who learnt from them.

    Raises:
        DataError: Nothing of them is here, or a shard is missing.
    """
    current, waiting = version.read(paths.version), inbox.read(paths.inbox)
    theirs = [
        *_rows(waiting.faces, person, where="inbox"),
        *_rows(quarantine.read(paths.quarantine), person, where="quarantine"),
    ]
    for shard in current.captures:
        faces = table.read(version.check(paths.captures / shard.file, shard.sha256))
        theirs += _rows(faces, person, where="data version", since_data_version=shard.version)
    if not theirs:
        raise DataError(f"Expected faces of the subject {person!r}, found none.")
    ids = {face["id"] for face in theirs}
    said = [one for one in (*current.decisions, *waiting.decisions) if one.face in ids]
    # As `erase` sees it: whatever is not held out teaches.
    since = [
        face["since_data_version"]
        for face in theirs
        if "since_data_version" in face and face["split"] != "validation"
    ]
    models = retire.learnt_from(paths, Span(min(since), current.number)) if since else []
    told = {
        "subject": person,
        "data_version_now": current.number,
        "models_that_learnt_from_them": models,
        "decisions": [asdict(one) for one in said],
        "faces": [_plain(face) for face in theirs],
    }
    with (
        replacing(target, secret=True) as temporary,
        zipfile.ZipFile(temporary, "w") as packed,
    ):
        packed.writestr("about.json", json.dumps(told, indent=1, ensure_ascii=False))
        for face in {one["id"]: one for one in theirs}.values():
            packed.writestr(f"faces/{face['id']}.png", face["image"])
    # A face of theirs says whose it was for as long as they are here, and not longer.
    audit.record(paths, "export", face=min(ids), faces=len(ids))
    return ExportReport(str(target), len(ids), len(said), models)


def _rows(faces: pd.DataFrame, person: str, **more: Any) -> list[dict[str, Any]]:
    theirs = faces[faces["subject"] == person]
    rows = theirs.itertuples(index=False, name=None)
    return [{**more, **dict(zip(theirs.columns, row, strict=True))} for row in rows]


def _plain(face: dict[str, Any]) -> dict[str, Any]:
    """What is known of a face, as JSON has it; its picture is a file beside."""
    kept = {name: value for name, value in face.items() if name != "image"}
    return {"picture": f"faces/{face['id']}.png", **json.loads(json.dumps(kept, default=_text))}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return None if pd.isna(value) else value.isoformat()
    return value.tolist()
