"""Balance: new faces and rehearsed ones, weighed; the tables that training and gate read."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from fer.data import replay, table, version
from fer.emotions import EMOTIONS
from fer.errors import DataRefused
from fer.files import locked, read_report, sha256, write_json
from fer.params import BalanceParams
from fer.paths import Paths
from fer.records import DataVersion, Parent, knows_real_faces

DRAW = pa.schema([
    pa.field("new", pa.bool_(), nullable=False),  # unknown to the parent
    pa.field("draw", pa.float32(), nullable=False),  # how often an epoch shows it, on average
    pa.field("weight", pa.float32(), nullable=False),  # of its loss
])  # fmt: skip
"""Columns that the training table has beyond a face table's."""


_ENOUGH_GROUPS: Final = 3
"""People or sessions from which a domain can spare a whole one for the monitor."""


@dataclass(frozen=True)
class BalanceReport:
    """What was taken, and why.

    Args:
        data_version: Its number.
        data_version_sha256: Of `data/version.json`; training refuses tables of another version.
        class_balance: The method.
        new: Training faces that the parent does not know.
        rehearsed: Training faces that it knows, after the cap.
        left_out: Why faces of the data version are in no table.
        new_share: Part of what an epoch shows that is new.
        shown: Faces of each emotion that an epoch shows, on average.
        monitor: Faces held out of training by domain, to stop early.
        validation: Faces the gate scores on by domain.
        notes: What a person should know before trusting the gate.
    """

    data_version: int
    data_version_sha256: str
    class_balance: str
    new: int
    rehearsed: int
    left_out: dict[str, int]
    new_share: float
    shown: dict[str, float]
    monitor: dict[str, int]
    validation: dict[str, int]
    notes: list[str]


def balance(params: BalanceParams, paths: Paths) -> BalanceReport:
    """Write the tables `train`, `monitor` and `validation`; the same ones for the same seed.

    Raises:
        DataRefused: The report of `validate` is about another data version, or there are too
            few people to hold some out.
        MissingData: A table or shard is not here.
    """
    with locked(paths.lock("balance")):
        current = version.read(paths.version)
        _check_validated(paths)
        rng = np.random.default_rng(params.seed)
        faces, left_out = _gather(current, paths)
        learnt = faces[faces["split"] == "train"].reset_index(drop=True)
        # What a model labelled must never judge a model, nor stop its training.
        judged = faces[(faces["split"] == "validation") & ~table.by_model(faces)]
        held = _held_out(learnt, params.monitor_share, params.seed)
        beside = table.by_model(learnt) & _group(learnt).isin(_group(learnt[held]))
        if not held.any():
            raise DataRefused(
                f"Expected training faces to hold out for early stopping, received {len(learnt)} "
                "of too few people or sessions. Raise balance.monitor_share, or capture more."
            )
        kept = learnt[~held & ~beside].reset_index(drop=True)
        chosen = choose(kept, params, rng, updating=current.parent is not None)
        left_out["labelled by a model, of people held out"] = int(beside.sum())
        left_out["replay cap or undersampling"] = len(kept) - len(chosen)
        table.write(paths.train, chosen, extra=DRAW)
        table.write(paths.monitor, learnt[held].drop(columns="new"))
        table.write(paths.validation, judged.drop(columns="new"))
        report = BalanceReport(
            data_version=current.number,
            data_version_sha256=sha256(paths.version),
            class_balance=params.class_balance,
            new=int(chosen["new"].sum()),
            rehearsed=int((~chosen["new"]).sum()),
            left_out=left_out,
            new_share=float(chosen.loc[chosen["new"], "draw"].sum() / chosen["draw"].sum()),
            shown={e: float(chosen.loc[chosen["label"] == e, "draw"].sum()) for e in EMOTIONS},
            monitor=_by_domain(learnt[held]),
            validation=_by_domain(judged),
            notes=_notes(chosen, judged),
        )
        write_json(paths.report("balance.json"), asdict(report))
        return report


def _check_validated(paths: Paths) -> None:
    seen = read_report(paths.report("validation.json"))
    # By content: after a merge two data versions may bear one number.
    if seen["data_version_sha256"] != sha256(paths.version) or not seen["accepted"]:
        raise DataRefused(
            "Expected the present data version to be accepted, received a report on data version "
            f"{seen['data_version']}, accepted: {seen['accepted']}. Run `dvc repro`."
        )


def _gather(current: DataVersion, paths: Paths) -> tuple[pd.DataFrame, dict[str, int]]:
    base = table.read(paths.base).assign(new=current.parent is None)
    _check_parent(current.parent, base)
    parts = [part for part in (base, version.captured(paths, current)) if len(part)]
    faces = pd.concat(parts, ignore_index=True)
    # Not by id alone: a captured copy may be refused while the base face stays.
    keys = ["id", "source", "domain"]
    refused = pd.MultiIndex.from_frame(faces[keys]).isin(
        pd.MultiIndex.from_frame(table.read(paths.refused, keys)[keys])
    )
    left_out = {"refused by validate": int(refused.sum())}
    return faces[~refused].reset_index(drop=True), left_out


def _check_parent(parent: Parent | None, base: pd.DataFrame) -> None:
    """Refuse to go on from a model of drawn faces with real ones, or the other way round."""
    real = knows_real_faces(set(base["source"]))
    if parent is not None and parent.real != real:
        kinds = {True: "real", False: "drawn"}
        raise DataRefused(
            f"Expected a parent that knows {kinds[real]} faces, as base.source in params.yaml "
            f"says, received version {parent.version} of {kinds[parent.real]} faces, "
            "pinned in data/version.json. Start anew in a fresh clone, or "
            "`git checkout data/version.json` to leave the captured faces out."
        )


def _held_out(faces: pd.DataFrame, share: float, seed: int) -> "pd.Series[bool]":
    """Whole groups, in the order of their hash, until each domain has given its share.

    A group that one domain gives is held out of all of them. Faces that a model labelled are
    never held out, nor do they count in what others are.
    """
    held = pd.Series(data=False, index=faces.index)
    faces = faces[~table.by_model(faces)]
    group = _group(faces)
    # fmt: off
    order = group.map({
        name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest() for name in group.unique()
    })
    # fmt: on
    given: set[str] = set()
    for rows in faces.groupby("domain").groups.values():
        sizes = order[rows].value_counts().sort_index()
        room = share * len(rows) - sizes[sizes.index.isin(given)].sum()
        others = sizes[~sizes.index.isin(given)].cumsum()
        taken = set(others[others <= room].index)
        if not taken and len(sizes) >= _ENOUGH_GROUPS and room == share * len(rows):
            # A camera of few people: the one with the fewest faces, or it would have no say.
            taken = {str(sizes.idxmin())}
        given |= taken
    held[faces.index] = order.isin(given)
    return held


def _group(faces: pd.DataFrame) -> pd.Series:
    """Person, else session, else the face alone."""
    return faces["subject"].fillna(faces["session"]).fillna(faces["id"])


def choose(
    faces: pd.DataFrame, params: BalanceParams, rng: np.random.Generator, *, updating: bool
) -> pd.DataFrame:
    """Return the faces that a training sees, with the columns `draw` and `weight`.

    An epoch of an update shows every new face `new_draws` times, or fewer where it would then
    show more faces than there are new ones and the replay cap; the rest of it are known ones.

    Args:
        faces: Face table with the column `new`.
        params: How much of what.
        rng: Source of the draw.
        updating: Whether there is a parent; without new faces it makes no difference.
    """
    updating = updating and bool(faces["new"].any())
    shown = (0.0, 0.0)
    if updating:
        known = faces[~faces["new"]]
        shown = _shown(int(faces["new"].sum()), params)
        rehearsed = known.iloc[replay.choose(known, min(params.replay_cap, round(shown[1])), rng)]
        faces = pd.concat([faces[faces["new"]], rehearsed]).sort_index()
    if params.class_balance == "undersample":
        faces = _undersampled(faces, rng)
    faces = faces.assign(draw=1.0, weight=1.0)
    if params.class_balance in ("oversample", "weights"):
        column = "draw" if params.class_balance == "oversample" else "weight"
        faces[column] = _inverse_frequency(faces["label"])
    if updating:
        faces["draw"] = _scaled(faces["draw"], faces["new"], *shown)
    return faces.reset_index(drop=True)


def _shown(new: int, params: BalanceParams) -> tuple[float, float]:
    """Return how many faces an epoch of an update shows: `new` ones, and rehearsed ones."""
    epoch = min(new * params.new_draws / params.new_share, new + params.replay_cap)
    return epoch * params.new_share, epoch * (1 - params.new_share)


def _undersampled(faces: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    smallest = int(faces["label"].value_counts().min())
    shuffled = faces.iloc[rng.permutation(len(faces))]
    return shuffled[shuffled.groupby("label").cumcount() < smallest].sort_index()


def _inverse_frequency(labels: pd.Series) -> pd.Series:
    """1 on average; the same sum for every emotion that is there."""
    counts = labels.value_counts()
    return len(labels) / len(counts) / labels.map(counts)


def _scaled(draw: pd.Series, new: "pd.Series[bool]", of_new: float, of_known: float) -> pd.Series:
    """Scale so that an epoch shows so many new faces, and so many known ones."""
    return draw / draw.groupby(new).transform("sum") * new.map({True: of_new, False: of_known})


def _by_domain(faces: pd.DataFrame) -> dict[str, int]:
    return {str(domain): int(count) for domain, count in faces["domain"].value_counts().items()}


def _notes(chosen: pd.DataFrame, judged: pd.DataFrame) -> list[str]:
    unseen = sorted(set(chosen["domain"]) - set(judged["domain"]))
    return [
        f"{domain} has no validation faces: the gate cannot see what is learnt there. Capture a "
        "second person, or set ingest.group_by: session where one person uses the camera."
        for domain in unseen
    ]
