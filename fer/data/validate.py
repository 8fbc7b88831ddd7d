"""Validate: bad faces are set apart with their rules, a bad batch stops the pipeline."""

import logging
from dataclasses import asdict, dataclass
from typing import Final

import pandas as pd
import pyarrow as pa

from fer.data import expectations, pictures, table, validation_page, version
from fer.data.consent import consented
from fer.data.expectations import Finding
from fer.emotions import EMOTIONS
from fer.errors import DataRefused
from fer.files import locked, sha256, short, write_json, write_text
from fer.params import ValidateParams
from fer.paths import Paths
from fer.records import FACES, SIZE, DataVersion

RULES = pa.schema([pa.field("rules", pa.string(), nullable=False)])
"""Column that the table of refused faces has beyond a face table's."""

_MOST_NAMED: Final = 5
"""Faces of a rule that are told; the report's page shows them all."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ValidateReport:
    """What was checked, and what came out.

    Args:
        data_version: Its number.
        data_version_sha256: Of `data/version.json`.
        accepted: Whether every batch rule holds.
        faces: Rows checked.
        refused: Rows that failed a rule and are set apart.
        rules: Every rule with its numbers.
        counts: Faces that remain, by domain, split and emotion.
    """

    data_version: int
    data_version_sha256: str
    accepted: bool
    faces: int
    refused: int
    rules: list[dict[str, object]]
    counts: dict[str, dict[str, dict[str, int]]]


def validate(params: ValidateParams, paths: Paths) -> ValidateReport:
    """Check base and captures; write the report, the page and the refused faces.

    Raises:
        DataRefused: A batch rule failed; names it with its numbers. The report is written first.
        MissingData: A shard of the data version is missing or has other bytes.
    """
    with locked(paths.lock("validate")):
        current = version.read(paths.version)
        faces = _gather(current, paths)
        rows = expectations.check_faces(faces, params)
        _log_refused(rows, current.number)
        refused = _refused(faces, rows)
        sound = faces.drop(index=refused.index)
        batch = _check_batch(sound, params, has_parent=current.parent is not None)
        # A rule about the table itself names no row.
        broken = [
            one for one in [*rows, *batch] if not one.holds and (one in batch or not one.failed)
        ]
        report = ValidateReport(
            data_version=current.number,
            data_version_sha256=sha256(paths.version),
            accepted=not broken,
            faces=len(faces),
            refused=len(refused),
            rules=[_summary(one) for one in [*rows, *batch]],
            counts=_counts(sound),
        )
        table.write(paths.refused, refused, extra=RULES)
        write_json(paths.report("validation.json"), asdict(report))
        write_text(
            paths.report("validation.html"), validation_page.render(asdict(report), refused)
        )
    if broken:
        raise DataRefused(
            "The data version was refused; no model is trained on it.\n"
            + "\n".join(f"  {_sentence(one)}" for one in broken)
            + f"\nLook at {paths.report('validation.html')}"
        )
    return report


def _gather(current: DataVersion, paths: Paths) -> pd.DataFrame:
    base = table.read(paths.base)
    captured = version.captured(paths, current)
    captured["in_base"] = captured["id"].isin(base["id"])
    base["in_base"] = False
    base["new"] = current.parent is None
    faces = pd.concat([part for part in (base, captured) if len(part)], ignore_index=True)
    pixels = table.decode(faces["image"])
    accepted = {said.face for said in current.decisions if said.verdict == "accept"}
    return faces.assign(
        **pictures.describe(pixels),
        width=SIZE,
        height=SIZE,
        consented=consented(faces),
        reviewed=faces["id"].isin(accepted),
    )


def _log_refused(rows: list[Finding], number: int) -> None:
    for one in rows:
        if one.failed:
            some = ", ".join(map(short, one.failed[:_MOST_NAMED]))
            told = "data version %d: %s refuses %d faces: %s"
            _log.info(told, number, one.rule, len(one.failed), some)


def _refused(faces: pd.DataFrame, rows: list[Finding]) -> pd.DataFrame:
    broken = pd.Series([(face, one.rule) for one in rows for face in one.failed], dtype=object)
    pairs = pd.DataFrame(broken.tolist(), columns=["id", "rules"]).drop_duplicates()
    rules = pairs.groupby("id")["rules"].agg("; ".join).to_dict()
    found = pd.Series([rules.get(face, "") for face in faces["id"]], faces.index, dtype="str")
    # The captured copy of a base face goes, the base face stays.
    copied = found.str.fullmatch(r"\S+ in_base") & ~faces["in_base"]
    refused: pd.DataFrame = faces.loc[(found != "") & ~copied, FACES.names]
    return refused.assign(rules=found[refused.index])


def _check_batch(
    sound: pd.DataFrame, params: ValidateParams, *, has_parent: bool
) -> list[Finding]:
    train = sound.loc[sound["split"] == "train", "label"].value_counts()
    counts = pd.DataFrame({"label": EMOTIONS})
    counts["train_faces"] = counts["label"].map(train).fillna(0).astype(int)
    learnt = sound[sound["split"] == "train"]
    before = learnt.loc[~learnt["new"], "label"].value_counts(normalize=True)
    known = {emotion: float(before.get(emotion, 0.0)) for emotion in EMOTIONS}
    return [
        *expectations.check_labels(counts, known if has_parent else None, learnt, params),
        *expectations.check_groups(_sides(sound)),
    ]


def _sides(faces: pd.DataFrame) -> pd.DataFrame:
    """On how many sides of the split each picture, and each person in a session, is."""
    # With the person: ingest may group by it, and a session can show several.
    session = faces["domain"] + "/" + faces["session"] + "/" + faces["subject"].fillna("")
    named = pd.DataFrame({
        "group": pd.concat([faces["id"], session[faces["session"].notna()]]),
        "split": pd.concat([faces["split"], faces.loc[faces["session"].notna(), "split"]]),
    })  # fmt: skip
    return named.groupby("group")["split"].nunique().rename("sides").reset_index()


def _summary(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "failed": len(finding.failed)}


def _sentence(finding: Finding) -> str:
    received = finding.observed or f"{len(finding.failed)} of {finding.checked} failed"
    return (
        f"{finding.rule}: expected {finding.expected}, received {received} "
        f"{', '.join(finding.failed[:_MOST_NAMED])}".rstrip()
    )


def _counts(faces: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    counted = faces.groupby(["domain", "split"])["label"].value_counts()
    nested: dict[str, dict[str, dict[str, int]]] = {}
    for (domain, split, label), count in zip(counted.index, counted, strict=True):
        nested.setdefault(domain, {}).setdefault(split, {})[label] = int(count)
    return nested
