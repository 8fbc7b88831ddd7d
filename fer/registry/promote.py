"""Promote: the candidate against the champion, on the same faces, now.

Safe to kill and to run again: a run and a version are found by the candidate's SHA-256 before
they are made, the alias moves once, and the decision file, written last, ends it.
"""

import logging
import os
from dataclasses import asdict, dataclass
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from fer import audit
from fer.data import table
from fer.evaluation import answers, fresh, gate
from fer.evaluation.gate import Evidence
from fer.evaluation.scores import mean_over_domains
from fer.evaluation.verdict import Verdict, as_markdown
from fer.files import locked, read_report, sha256, short, write_json, write_text
from fer.model.classifier import Classifier, Lineage
from fer.params import PromoteParams
from fer.paths import Paths
from fer.registry import adopt, runs, versions
from fer.registry.tracking import NAME, connect
from fer.registry.versions import CHAMPION, ERASED, PREVIOUS, ROLLED_BACK, SHADOW

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PromoteReport:
    """What became of the candidate.

    Args:
        verdict: "promoted", "refused", "rolled back" or "erased"; "experiment" where nothing is
            decided.
        version: The candidate's number in the registry.
        champion: Number of the version it was held against; None: there was none.
        reasons: A line for each condition that failed, else what spoke for it.
        decided_before: Whether this run only found the decision of an earlier one.
        conditions: Every condition with its numbers.
        accuracy: By domain: `{"domain": {"faces": n, "champion": a or None, "candidate": b}}`.
    """

    verdict: str
    version: int | None
    champion: int | None
    reasons: str
    decided_before: bool
    conditions: list[dict[str, Any]]
    accuracy: dict[str, dict[str, Any]]


def promote(params: PromoteParams, paths: Paths) -> PromoteReport:
    """Make the candidate champion if the gate lets it; register it either way.

    Raises:
        Busy: Another promotion or a rollback is running.
        ModelError: The candidate's or the champion's file is missing or does not load.
        MissingData: A step before it has not run.
    """
    if os.environ.get("DVC_EXP_NAME"):
        # An experiment tries things; `dvc exp apply` and `dvc repro` promote on purpose.
        return PromoteReport(
            verdict="experiment",
            version=None,
            champion=None,
            reasons="not judged",
            decided_before=False,
            conditions=[],
            accuracy={},
        )
    with locked(paths.lock("promote")):
        lineage = Classifier(paths.candidate).lineage
        candidate = sha256(paths.candidate)
        if (decided := versions.read_decision(paths, candidate)) is not None:
            report = PromoteReport(**{**decided, "decided_before": True})
            _tell(report, versions.text_of(paths, candidate).read_text("utf-8"), paths)
            _log.info("candidate %s: decided before", short(candidate))
            return report
        client = connect(paths)
        champion = adopt.rival(client, paths, lineage)
        # Killed after the alias had moved: the old champion is the one before.
        moved = champion is not None and champion.tags.get(runs.CANDIDATE) == candidate
        rival = versions.alias(client, PREVIOUS) if moved else champion
        verdict = _judge(params, paths, rival)
        version = _register(client, paths, candidate, lineage, verdict)
        outcome = _outcome(version, verdict, moved=moved)
        if version.tags.get("verdict") != outcome:
            client.set_model_version_tag(NAME, version.version, "verdict", outcome)
        if not moved:
            _name(client, version, rival, outcome, unsure=verdict.unsure)
        report = PromoteReport(
            verdict=outcome,
            version=int(version.version),
            champion=int(rival.version) if rival else None,
            reasons=verdict.reasons,
            decided_before=False,
            conditions=[asdict(one) for one in verdict.conditions],
            accuracy=_accuracy(verdict),
        )
        _tell(report, as_markdown(verdict), paths)
        write_text(versions.text_of(paths, candidate), as_markdown(verdict))
        if outcome == "promoted":
            _keep_answers(paths)
            # Before the end is written down: killed in between, twice is better than never.
            audit.record(paths, "promotion", version=report.version, before=report.champion)
        write_json(versions.decision_of(paths, candidate), asdict(report))
        _log.info(
            "data version %d, candidate %s: run %s, model version %d, %s",
            lineage.data_version, short(candidate), version.run_id, report.version, outcome,
        )  # fmt: skip
        return report


def _name(
    client: MlflowClient,
    version: ModelVersion,
    rival: ModelVersion | None,
    outcome: str,
    *,
    unsure: bool,
) -> None:
    """Move the names, the champion's last: it says that all have moved."""
    if outcome == "promoted":
        # What the shadow would have shown was of another champion.
        versions.end_shadow(client)
        if rival is not None:
            client.set_registered_model_alias(NAME, PREVIOUS, rival.version)
        client.set_registered_model_alias(NAME, CHAMPION, version.version)
    elif outcome == "refused" and unsure:
        client.set_registered_model_alias(NAME, SHADOW, version.version)


def _keep_answers(paths: Paths) -> None:
    """Put the new champion's answers on record, for the `ingest` and the gate that come next."""
    faces = table.read(paths.validation, ["id", "domain", "label"])
    told = answers.recorded(paths.report("predictions.csv"))
    answers.keep(paths.candidate, faces, told, paths.answers)


def _tell(report: PromoteReport, text: str, paths: Paths) -> None:
    """Write the reports anew each time: the last ones may be of another candidate."""
    write_json(paths.report("verdict.json"), asdict(report))
    write_text(paths.report("verdict.md"), text)


def _judge(params: PromoteParams, paths: Paths, rival: ModelVersion | None) -> Verdict:
    faces, predictions = table.read(paths.validation), paths.report("predictions.csv")
    champion = None
    if rival is not None:
        model, _ = versions.files(rival)
        champion = answers.of(model, faces, paths.answers)
    evidence = Evidence(
        truth=answers.truth(faces),
        domains=answers.domains(faces),
        # As `evaluate` recorded them: that the file answers so is what the fresh process checks.
        candidate=answers.recorded(predictions),
        champion=champion,
        fresh=fresh.check(paths.candidate, paths.validation, predictions),
        data_accepted=bool(read_report(paths.report("validation.json"))["accepted"]),
    )
    return gate.decide(evidence, params)


def _outcome(version: ModelVersion, verdict: Verdict, *, moved: bool) -> str:
    # A person's word counts more, given before the decision was written or on another machine.
    if (said := version.tags.get("verdict")) in (ROLLED_BACK, ERASED):
        return str(said)
    # What is champion was promoted, though a slow moment might refuse it now.
    return "promoted" if verdict.promote or moved else "refused"


def _register(
    client: MlflowClient, paths: Paths, candidate: str, lineage: Lineage, verdict: Verdict
) -> ModelVersion:
    if (known := versions.tagged(client, runs.CANDIDATE, candidate)) is not None:
        return known
    run, model = runs.log(client, paths, candidate, lineage, verdict)
    parent = str(lineage.parent.version) if lineage.parent else "none"
    tags = {
        runs.CANDIDATE: candidate,
        "verdict": "promoted" if verdict.promote else "refused",
        "reasons": verdict.reasons,
        "validation_accuracy": f"{mean_over_domains(verdict.candidate):.4f}",
        runs.DATA_VERSION: str(lineage.data_version),
        "data_version_sha256": lineage.data_version_sha256,
        "train_sha256": lineage.train_sha256,
        "parent": parent,
        "git_commit": lineage.git_commit,
        "seed": str(lineage.seed),
        adopt.SOURCES: ",".join(lineage.sources),
    }
    return versions.new(client, model, run, tags, as_markdown(verdict))


def _accuracy(verdict: Verdict) -> dict[str, dict[str, Any]]:
    return {
        domain: {
            "faces": one.rows,
            "champion": verdict.champion[domain].accuracy if verdict.champion else None,
            "candidate": one.accuracy,
        }
        for domain, one in verdict.candidate.items()
    }
