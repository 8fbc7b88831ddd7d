"""Trace: one face from the inbox to the verdicts on the models that learnt it."""

from collections.abc import Iterator
from typing import Final

from fer.data import inbox, quarantine, receipts, table, version
from fer.errors import DataError
from fer.files import short
from fer.paths import Paths
from fer.records import Span
from fer.registry import retire, versions
from fer.registry.tracking import connect

_SHORTEST: Final = 6
"""Digits of an id: with fewer, faces are mistaken for each other."""


def trace(face: str, paths: Paths) -> list[str]:
    """Return a line for each place where the face is or was, in the order of the loop.

    Names no person.

    Args:
        face: The first digits of its id, six at least.
        paths: The checkout.

    Raises:
        DataError: Too few digits, none or several faces; or a shard is missing.
    """
    if len(face) < _SHORTEST:
        raise DataError(f"Expected {_SHORTEST} digits of a face's id or more, received {face!r}.")
    looks = (_waiting(paths), _ingested(paths), _in_tables(paths), _erased(paths))
    found = [(one, told) for look in looks for one, told in look if one.startswith(face)]
    ids = sorted({one for one, _ in found})
    if len(ids) != 1:
        raise DataError(
            f"Expected the id of one face, received {face!r}, with which {len(ids)} begin."
        )
    return [f"face      {ids[0]}", *(told for _, told in found), *_models(ids[0], paths)]


def _waiting(paths: Paths) -> Iterator[tuple[str, str]]:
    for file in sorted(paths.inbox.glob("[!.]*.parquet")):
        for face in table.read(file, ["id"])["id"]:
            yield face, f"inbox     item {file.stem}, until the next `fer ingest`"
    apart = quarantine.read(paths.quarantine)
    for face, reason in apart[["id", "reason"]].itertuples(index=False):
        yield face, f"set apart {reason}"
    for said in inbox.read(paths.inbox).decisions:
        yield said.face, f"inbox     a person said: {said.verdict} {said.label or ''}".rstrip()


def _ingested(paths: Paths) -> Iterator[tuple[str, str]]:
    current = version.read(paths.version)
    for shard in current.captures:
        rows = table.read(version.check(paths.captures / shard.file, shard.sha256))
        for row in rows.itertuples():
            where = f"version {shard.version}, shard {shard.file}"
            label = f"{row.label} by {row.label_source}"
            taken = f"{row.domain}, {row.captured_at:%Y-%m-%d %H:%M:%S}"
            yield str(row.id), f"data      {where}: {label}, {taken}, {row.split}"
    for said in current.decisions:
        yield said.face, f"data      a person said: {said.verdict} {said.label or ''}".rstrip()
    for face in current.withdrawn:
        yield face, "data      withdrawn: a model's label had to leave"


def _in_tables(paths: Paths) -> Iterator[tuple[str, str]]:
    refused = table.read(paths.refused, ["id", "rules"]) if paths.refused.is_file() else None
    if refused is not None:
        for face, rules in refused.itertuples(index=False):
            yield face, f"validate  refused: {rules}"
    for file in (paths.train, paths.monitor, paths.validation):
        if file.is_file():
            for face in table.read(file, ["id"])["id"]:
                yield face, f"balance   in {file.name}"


def _erased(paths: Paths) -> Iterator[tuple[str, str]]:
    for receipt in receipts.listed(paths):
        for face in receipt.faces:
            yield face, f"erased    {receipt.ended}, receipt {receipt.name}"


def _models(face: str, paths: Paths) -> Iterator[str]:
    """Tell the models whose data version held it to learn from, and what became of them."""
    current = version.read(paths.version)
    for shard in current.captures:
        rows = table.read(paths.captures / shard.file, ["id", "split"])
        if not ((rows["id"] == face) & (rows["split"] == "train")).any():
            continue
        client = connect(paths)
        for number in retire.learnt_from(paths, Span(shard.version, current.number)):
            one = versions.get(client, number)
            candidate = short(one.tags.get("candidate_sha256", ""))
            yield (
                f"model     version {number}, run {one.run_id}, candidate {candidate}: "
                f"{one.tags.get('verdict')}"
            )
