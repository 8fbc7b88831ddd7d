"""Ingest: the inbox becomes an immutable shard and a new data version.

The order makes it safe to kill at any point and to run again. Inbox items go last, when the data
version that holds them is durable; until then a second run finds them again, and what the first
one had already brought in counts as a repeat.
"""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from fer.data import dvc_files, inbox, quarantine, receipts, version
from fer.data.sorting import BY_CLOCK, Sorted, sort, untimely
from fer.files import clear_unfinished, locked
from fer.params import IngestParams
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent

PinChampion = Callable[[Paths, Parent | None], Parent | None]
"""Copies the two files that updates start from to `parent_weights` and `parent` and says which
version they are; else returns the parent that is pinned, which it is given, and writes nothing."""

HoldBack = Callable[[pd.DataFrame], pd.Series]
"""Says of sound faces that people labelled why a person should see each first; empty: no need."""


@dataclass(frozen=True)
class IngestReport:
    """What one run did. Counts are faces, but for `decisions`.

    `shard` holds what was added; `fer trace` leads from there to the verdicts.
    """

    data_version: int
    shard: str | None
    added: int
    train: int
    validation: int
    repeats: int
    quarantined: dict[str, int]
    decisions: int
    parent: int | None


def ingest(
    params: IngestParams,
    paths: Paths,
    pin_champion: PinChampion,
    hold_back: HoldBack | None = None,
) -> IngestReport:
    """Take the inbox into a new data version; with nothing new, change nothing.

    Args:
        params: How faces are grouped, split and compared.
        paths: The checkout.
        pin_champion: Where the weights to start the next training from come from.
        hold_back: What is asked about faces that no person has reviewed; None: nothing is.

    Raises:
        Busy: Another ingest is running.
        DataError: DVC refuses the shard.
    """
    with locked(paths.lock("ingest")):
        for folder in (paths.captures, paths.quarantine):
            clear_unfinished(folder)
        dvc_files.mend(paths)
        current = version.read(paths.version)
        items = inbox.read(paths.inbox)
        erased = receipts.erased(paths)
        heard = (one for one in items.decisions if one.face not in erased)
        said = _news(heard, current.decisions)
        decisions = (*current.decisions, *said)
        known = _known(current, decisions, paths)
        arrivals = _arrivals(items, known, paths)
        seen = {one.face for one in decisions if one.verdict == "accept"}
        found = sort(
            arrivals,
            known,
            version.rejected(decisions) | erased,
            params,
            _of_unseen(hold_back, seen),
        )
        if len(found.accepted) or said:
            current = _cut(found, said, current, paths, pin_champion)
        for file in (paths.parent_weights, paths.parent):
            if file.is_file():
                version.track(paths, file)
        _clear(items, found, paths)
        return _report(current, found, said)


def _of_unseen(hold_back: HoldBack | None, seen: set[str]) -> HoldBack:
    def asked(faces: pd.DataFrame) -> pd.Series:
        reason = pd.Series("", index=faces.index)
        unseen = faces[~faces["id"].isin(seen)]
        if hold_back is not None and len(unseen):
            reason[unseen.index] = hold_back(unseen)
        return reason

    return asked


def _news(said: Iterable[Decision], before: Iterable[Decision]) -> tuple[Decision, ...]:
    """The last decision on each face, unless it is the one that holds already."""
    last = {one.face: one for one in said}
    holds = {one.face: one for one in before}
    return tuple(one for face, one in last.items() if holds.get(face) != one)


def _known(current: DataVersion, decisions: tuple[Decision, ...], paths: Paths) -> pd.DataFrame:
    """Every face ingested before, also the rejected ones, under the labels that hold now."""
    kept = tuple(one for one in decisions if one.verdict == "accept")
    return version.captured(paths, dataclasses.replace(current, decisions=kept))


def _arrivals(items: inbox.Items, known: pd.DataFrame, paths: Paths) -> pd.DataFrame:
    """The inbox's faces, and those in quarantine that a person accepted, or a wrong clock refused.

    A picture that is known too was there for its label, which the decision has settled.
    """
    kept = quarantine.read(paths.quarantine)
    last = {said.face: said for said in items.decisions}
    accepted = {face: said.label for face, said in last.items() if said.verdict == "accept"}
    in_time = kept["reason"].isin(BY_CLOCK) & (untimely(kept) == "")
    back = (kept["id"].isin(accepted) | in_time) & ~kept["id"].isin(known["id"])
    # In the order in which they came to the inbox.
    released = kept[back].drop(columns="reason").sort_values("captured_at", kind="stable")
    labels = [
        accepted.get(face) or label
        for face, label in released[["id", "label"]].itertuples(index=False)
    ]
    released["label"] = pd.Series(labels, released.index, dtype="str")
    said = released["id"].isin(accepted)
    released["label_source"] = released["label_source"].mask(said, "human")
    # What a person accepted goes first: it wins over another label of the same picture.
    filled = [faces for faces in (released, items.faces) if len(faces)]
    return pd.concat(filled, ignore_index=True) if filled else items.faces


def _cut(
    found: Sorted,
    decisions: tuple[Decision, ...],
    current: DataVersion,
    paths: Paths,
    pin_champion: PinChampion,
) -> DataVersion:
    number = receipts.next_version(paths, current.number)
    shards = [version.write_shard(found.accepted, number, paths)] if len(found.accepted) else []
    with version.held_still(paths):
        following = DataVersion(
            number=number,
            captures=(*current.captures, *shards),
            decisions=(*current.decisions, *decisions),
            parent=pin_champion(paths, current.parent),
            withdrawn=(*current.withdrawn, *found.withdrawn),
        )
        version.write(paths.version, following)
    return following


def _clear(items: inbox.Items, found: Sorted, paths: Paths) -> None:
    """Everything is durable now: empty the inbox, and the quarantine of what is settled."""
    # Set apart once, say without a consent that holds, a face may come again as it should.
    settled = {said.face for said in items.decisions} | set(found.accepted["id"])
    for face in settled - set(found.refused["id"]):
        quarantine.remove(paths.quarantine, face)
    quarantine.put(paths.quarantine, found.refused)
    for path in items.unreadable:
        quarantine.keep_file(paths.quarantine, path)
    inbox.remove([path for path in items.files if path not in items.unreadable])


def _report(current: DataVersion, found: Sorted, decisions: tuple[Decision, ...]) -> IngestReport:
    return IngestReport(
        data_version=current.number,
        shard=current.captures[-1].file if len(found.accepted) else None,
        added=len(found.accepted),
        train=int((found.accepted["split"] == "train").sum()),
        validation=int((found.accepted["split"] == "validation").sum()),
        repeats=found.repeats,
        quarantined={str(k): int(n) for k, n in found.refused["reason"].value_counts().items()},
        decisions=len(decisions),
        parent=current.parent.version if current.parent else None,
    )
