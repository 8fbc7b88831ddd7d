"""Sweep: faces whose consent or retention has ended leave, as does what came back from a copy."""

import dataclasses
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import pandas as pd

from fer import audit
from fer.data import receipts, table, version
from fer.data.consent import ended
from fer.data.receipts import Receipt
from fer.files import remove_older
from fer.params import RetentionParams
from fer.paths import Paths
from fer.privacy import begun, places
from fer.privacy.look import Erasure
from fer.records import now


@dataclass(frozen=True)
class SweepReport:
    """What had to leave.

    Args:
        faces: Faces of the data version whose consent or retention has ended.
        set_apart: Files of quarantine that nobody decided on in time.
        came_back: Erasures that had to be repeated: a pull or a copy had brought something back.
        resumed: Whether an erasure that was cut short has been finished.
        audited: Files of the audit log that were old enough.
    """

    faces: int
    set_apart: int
    came_back: int
    resumed: bool
    audited: int


def sweep(params: RetentionParams, paths: Paths) -> SweepReport:
    """Remove what may not be kept any longer; with nothing due, change nothing.

    Raises:
        Busy: A step or an erasure is running.
        DataError: A remote cannot be reached, or a shard is missing.
    """
    with begun.alone(paths):
        left = begun.unfinished(paths)
        if left is not None:
            _erase(left, paths)
        back = [again(receipt) for receipt in _came_back(paths)]
        faces = _due(params, paths, now())
        if faces:
            receipt = receipts.begin("their consent or retention ended", None)
            receipt = dataclasses.replace(receipt, faces=tuple(sorted(faces)))
            back.append(Erasure(receipt, None, retire=params.retire_models))
        for erasure in back:
            _erase(erasure, paths)
        report = SweepReport(
            faces=len(faces),
            set_apart=_clear_quarantine(params, paths, now()),
            came_back=len(back) - bool(faces),
            resumed=left is not None,
            audited=audit.clear(paths, params.audit_days),
        )
        if any(asdict(report).values()):
            audit.record(paths, "sweep", **asdict(report))
        return report


def _erase(erasure: Erasure, paths: Paths) -> None:
    # It loads MLflow: more work than all else in an update with nothing due.
    from fer.privacy.erase import erase

    erase(erasure, paths)


def _due(params: RetentionParams, paths: Paths, moment: datetime) -> set[str]:
    current, found = version.read(paths.version), set()
    for shard in current.captures:
        file = version.check(paths.captures / shard.file, shard.sha256)
        faces = table.read(file, ["id", "source", "captured_at", "consent"])
        over = ended(faces, moment)
        if params.captures_days is not None:
            oldest = pd.Timestamp(moment - timedelta(days=params.captures_days))
            over |= (faces["source"] == "webcam") & (faces["captured_at"] < oldest)
        found |= set(faces.loc[over, "id"])
    return found


def _came_back(paths: Paths) -> list[Receipt]:
    """Return the receipts of which something is here: a face in a shard, an unnamed object."""
    told = receipts.listed(paths)
    if not told:
        return []
    with places.stores(paths) as stores:
        here = {md5 for store in stores for md5 in store.objects()} - places.named(paths)
    shards = paths.captures.glob("[!.]*.parquet")
    shown = {face for file in shards for face in table.read(file, ["id"])["id"]}
    return [one for one in told if here & {*one.objects} or shown & {*one.faces}]


def again(receipt: Receipt, faces: Iterable[str] = ()) -> Erasure:
    """Return the erasure that repeats the one of `receipt`.

    Args:
        receipt: Of the erasure before.
        faces: Ids of more faces that were to leave then.
    """
    repeated = dataclasses.replace(
        receipts.begin(f"came back after {receipt.name}", None),
        faces=tuple(sorted({*receipt.faces, *faces})),
        seen=receipt.seen,
        learnt=receipt.learnt,
        objects=receipt.objects,
    )
    asked = receipt.person is not None
    return Erasure(repeated, None, retire=asked or receipt.learnt is not None)


def _clear_quarantine(params: RetentionParams, paths: Paths, moment: datetime) -> int:
    if params.set_apart_days is None:
        return 0
    return remove_older(paths.quarantine, "*", moment - timedelta(days=params.set_apart_days))
