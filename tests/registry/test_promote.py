"""One champion, one version a candidate, one verdict: killed anywhere and run again."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.tracking import MlflowClient

from fer import audit
from fer.data import table
from fer.errors import Busy, MissingData, ModelError
from fer.evaluation import answers, fresh
from fer.files import locked, read_json, sha256, write_json
from fer.model.classifier import Classifier
from fer.records import Parent
from fer.registry import promote as module
from fer.registry import versions
from fer.registry.promote import PromoteReport
from tests.registry.conftest import CONSTANT, FAIR, GOOD


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


# -- the verdict -----------------------------------------------------------------------------


def test_the_first_champion_beats_the_most_common_emotion(registry) -> None:
    registry.candidate(FAIR)

    report = registry.promote()

    assert (report.verdict, report.version, report.champion) == ("promoted", 1, None)
    assert registry.named("champion") == 1
    assert registry.named("previous") is None
    assert report.accuracy["office"] == {"faces": 100, "champion": None, "candidate": 0.6}


@pytest.mark.parametrize(("skill", "champion"), [(GOOD, 2), (CONSTANT, 1)])
def test_who_is_champion_now_is_on_record_with_its_answers(
    ruled, skill: int, champion: int
) -> None:
    ruled.candidate(skill)

    ruled.promote()

    file = versions.files(versions.get(ruled.client, champion))[0]
    faces = table.read(ruled.paths.validation)
    (record,) = ruled.paths.answers.iterdir()
    assert record.stem == sha256(file)
    told = Classifier(file).probabilities(table.decode(faces["image"]))
    assert np.abs(answers.recorded(record) - told).max() < 1e-6


def test_who_always_answers_the_most_common_emotion_is_no_champion(registry) -> None:
    registry.candidate(CONSTANT)

    report = registry.promote()

    assert report.verdict == "refused"
    assert "better on the whole" in report.reasons
    assert registry.named("champion") is None
    assert registry.versions() == 1


def test_a_better_candidate_takes_the_place_and_the_old_champion_is_remembered(ruled) -> None:
    ruled.candidate(GOOD)

    report = ruled.promote()

    assert (report.verdict, report.version, report.champion) == ("promoted", 2, 1)
    assert (ruled.named("champion"), ruled.named("previous")) == (2, 1)
    assert report.accuracy["base"]["candidate"] > report.accuracy["base"]["champion"]
    assert read_json(ruled.paths.report("verdict.json")) == dataclasses.asdict(report)
    assert ruled.paths.report("verdict.md").read_text("utf-8").startswith("# Promoted")


def test_whom_the_place_went_to_is_in_the_audit_log_once(ruled) -> None:
    for skill in (GOOD, CONSTANT):
        ruled.candidate(skill)
        ruled.promote()
        ruled.promote()

    (said,) = audit.read(ruled.paths).entries
    assert (said["kind"], said["version"], said["before"]) == ("promotion", 2, 1)


@pytest.mark.parametrize("skill", [FAIR, CONSTANT], ids=["equal", "worse"])
def test_an_equal_or_worse_candidate_is_registered_with_the_reason(ruled, skill: int) -> None:
    ruled.candidate(skill, seed=2)

    report = ruled.promote()

    tags = ruled.client.get_model_version("fer", str(report.version)).tags
    assert (report.verdict, report.version, report.champion) == ("refused", 2, 1)
    assert ruled.named("champion") == 1
    assert tags["verdict"] == "refused"
    assert "better on the whole" in tags["reasons"]


def test_who_is_ahead_on_too_few_faces_to_be_sure_becomes_the_shadow(ruled) -> None:
    table.write(ruled.paths.validation, table.read(ruled.paths.validation).head(10))
    ruled.candidate(GOOD)
    assert ruled.promote().verdict == "refused"
    assert (ruled.named("champion"), ruled.named("shadow")) == (1, 2)


def test_who_is_behind_or_fails_elsewhere_is_no_shadow_and_a_promotion_ends_it(ruled) -> None:
    versions.cast_shadow(ruled.paths, None)
    ruled.candidate(CONSTANT)
    ruled.promote()
    assert ruled.named("shadow") is None
    versions.cast_shadow(ruled.paths, 2)
    write_json(ruled.paths.report("validation.json"), {"accepted": False})
    ruled.candidate(GOOD)
    ruled.promote()
    assert ruled.named("shadow") == 2
    write_json(ruled.paths.report("validation.json"), {"accepted": True})
    ruled.candidate(GOOD, seed=2)
    ruled.promote()
    assert (ruled.named("champion"), ruled.named("shadow")) == (4, None)


def test_no_candidate_of_refused_data_is_promoted(ruled) -> None:
    write_json(ruled.paths.report("validation.json"), {"accepted": False})
    ruled.candidate(GOOD)

    assert "data version is valid" in ruled.promote().reasons
    assert ruled.named("champion") == 1


def test_a_candidate_that_does_not_repeat_its_answers_is_refused(ruled) -> None:
    ruled.candidate(GOOD)
    predictions = ruled.paths.report("predictions.csv")
    record = pd.read_csv(predictions)
    record.loc[0, "p_fear"] += 0.01
    record.loc[0, f"p_{record['predicted'][0]}"] -= 0.01
    record.to_csv(predictions, index=False)

    assert "answers as the trained model did" in ruled.promote().reasons


def test_a_candidate_without_recorded_answers_is_not_judged(ruled) -> None:
    ruled.candidate(GOOD)
    ruled.paths.report("predictions.csv").unlink()

    with pytest.raises(MissingData, match="dvc repro"):
        ruled.promote()
    assert ruled.named("champion") == 1


def test_a_process_of_its_own_looks_at_the_candidate(
    ruled, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(fresh, "check", lambda *given: asked.append(given) or fresh._look(*given))
    ruled.candidate(GOOD)
    ruled.promote()

    paths = ruled.paths
    assert asked == [(paths.candidate, paths.validation, paths.report("predictions.csv"))]


def test_a_candidate_that_is_no_model_is_refused(ruled) -> None:
    ruled.paths.candidate.parent.mkdir()
    ruled.paths.candidate.write_bytes(b"junk")

    with pytest.raises(ModelError):
        ruled.promote()


# -- once ------------------------------------------------------------------------------------


def test_a_second_run_decides_nothing(ruled) -> None:
    ruled.candidate(GOOD)
    first = ruled.promote()
    runs = ruled.runs()

    second = ruled.promote()

    assert second == dataclasses.replace(first, decided_before=True)
    assert ruled.runs() == runs
    assert ruled.versions() == 2


def test_a_version_that_was_rolled_back_is_not_promoted_by_a_second_run(ruled) -> None:
    ruled.candidate(GOOD)
    ruled.promote()
    versions.rollback(ruled.paths, None)

    report = ruled.promote()

    assert report.decided_before
    assert report.verdict == "rolled back"
    assert ruled.named("champion") == 1


def test_a_decision_of_before_is_told_in_the_reports(ruled) -> None:
    ruled.candidate(GOOD)
    ruled.promote()
    for name in ("verdict.json", "verdict.md"):
        ruled.paths.report(name).unlink()

    ruled.promote()

    assert read_json(ruled.paths.report("verdict.json"))["verdict"] == "promoted"
    assert "Promoted" in ruled.paths.report("verdict.md").read_text("utf-8")


def test_not_even_where_the_decision_file_is_lost(ruled) -> None:
    ruled.candidate(GOOD)
    ruled.promote()
    versions.rollback(ruled.paths, None)
    versions.decision_of(ruled.paths, sha256(ruled.paths.candidate)).unlink()

    report = ruled.promote()

    assert report.verdict == "rolled back"
    assert ruled.named("champion") == 1
    assert ruled.versions() == 2


def test_the_log_leads_from_the_data_version_to_run_version_and_verdict(
    registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.candidate(FAIR)
    with caplog.at_level("INFO", logger="fer"):
        registry.promote()

    run = versions.get(registry.client, 1).run_id
    candidate = sha256(registry.paths.candidate)[:12]
    (line,) = (one for one in caplog.messages if candidate in one)
    assert line.startswith("data version ")
    assert line.endswith(f"run {run}, model version 1, promoted")


def test_an_experiment_changes_nothing(ruled, monkeypatch: pytest.MonkeyPatch) -> None:
    ruled.candidate(GOOD)
    runs = ruled.runs()
    monkeypatch.setenv("DVC_EXP_NAME", "tryout")

    report = ruled.promote()

    assert report.verdict == "experiment"
    assert (ruled.named("champion"), ruled.versions(), ruled.runs()) == (1, 1, runs)
    assert not ruled.paths.report("verdict.json").exists()


def test_two_promotions_at_once_are_refused(ruled) -> None:
    ruled.candidate(GOOD)

    with locked(ruled.paths.lock("promote")), pytest.raises(Busy):
        ruled.promote()

    assert ruled.versions() == 1


# -- killed, and run again -------------------------------------------------------------------

CALLS = [
    # In their order: after one of them is before the next.
    (MlflowClient, "create_run", 1),
    (MlflowClient, "log_batch", 1),
    (MlflowClient, "create_model_version", 1),
    (MlflowClient, "set_registered_model_alias", 1),
    (MlflowClient, "set_registered_model_alias", 2),
    (module, "write_json", 1),
    (module, "write_json", 2),
]


@pytest.mark.parametrize(
    ("owner", "name", "time"), CALLS, ids=[f"{name} {time}" for _, name, time in CALLS]
)
def test_killed_at_a_call_and_run_again_it_ends_the_same(
    ruled, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, time: int
) -> None:
    ruled.candidate(GOOD)
    runs = ruled.runs()
    with monkeypatch.context() as patched:
        _kill(patched, owner, name, time=time, done=False)
        with pytest.raises(Killed):
            ruled.promote()

    report = ruled.promote()

    assert (report.verdict, report.version, report.champion) == ("promoted", 2, 1)
    assert (ruled.named("champion"), ruled.named("previous")) == (2, 1)
    assert (ruled.versions(), ruled.runs()) == (2, runs + 1)
    assert ruled.promote().decided_before


def test_killed_after_the_first_champion_was_named_it_ends_the_same(
    registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.candidate(FAIR)
    with monkeypatch.context() as patched:
        _kill(patched, MlflowClient, "set_registered_model_alias", time=1, done=True)
        with pytest.raises(Killed):
            registry.promote()

    report = registry.promote()

    assert (report.verdict, report.version, report.champion) == ("promoted", 1, None)
    assert registry.named("champion") == 1


def test_a_champion_stays_promoted_though_a_slow_moment_would_refuse_it_now(
    ruled, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled.candidate(GOOD)
    with monkeypatch.context() as patched:
        _kill(patched, MlflowClient, "set_registered_model_alias", time=2, done=True)
        with pytest.raises(Killed):
            ruled.promote()

    report = ruled.promote(max_ms_per_face=1e-9)

    assert report.verdict == "promoted"
    assert ruled.named("champion") == 2


def _kill(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, time: int, done: bool
) -> None:
    """Let the call number `time` of `owner.name` be the last thing that happens."""
    work, calls = getattr(owner, name), []

    def dying(*given: Any, **options: Any) -> Any:
        calls.append(given)
        answer = work(*given, **options) if len(calls) < time or done else None
        if len(calls) == time:
            raise Killed
        return answer

    monkeypatch.setattr(owner, name, dying)


# -- a clone ---------------------------------------------------------------------------------


@pytest.fixture
def clone(registry, model_file: Callable[..., Path]):
    """A checkout with an empty registry and a pinned parent of skill `GOOD`."""
    model_file(registry.paths.parent, reads=GOOD, seed=9)
    registry.paths.parent_weights.write_bytes(b"weights of the parent")
    return registry


def _pinned(clone) -> Parent:
    paths = clone.paths
    return Parent(7, 3, sha256(paths.parent_weights), sha256(paths.parent))


def test_in_a_clone_the_parent_is_adopted_and_refuses_a_worse_candidate(clone) -> None:
    clone.candidate(FAIR, parent=_pinned(clone))

    report = clone.promote()

    assert report.verdict == "refused"
    assert clone.named("champion") == report.champion != report.version
    model, weights = versions.files(versions.alias(clone.client, "champion"))
    assert sha256(weights) == sha256(clone.paths.parent_weights)
    assert Classifier(model).lineage == Classifier(clone.paths.parent).lineage


def test_killed_while_adopting_and_run_again_the_parent_is_there_once(
    clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.candidate(FAIR, parent=_pinned(clone))
    with monkeypatch.context() as patched:
        _kill(patched, MlflowClient, "create_model_version", time=1, done=True)
        with pytest.raises(Killed):
            clone.promote()

    assert clone.promote().verdict == "refused"
    assert clone.versions() == 2


def test_in_a_clone_without_the_parents_files_nothing_is_promoted_unopposed(clone) -> None:
    clone.candidate(FAIR, parent=_pinned(clone))
    clone.paths.parent.unlink()

    with pytest.raises(MissingData, match="dvc pull"):
        clone.promote()

    assert not clone.client.search_registered_models()


# -- what is kept ----------------------------------------------------------------------------


def test_lineage_data_and_curves_are_in_the_registry(ruled) -> None:
    parent = Parent(1, 1, "a" * 64, "b" * 64)
    ruled.candidate(GOOD, parent=parent, seed=5)

    report = ruled.promote()

    client = ruled.client
    found = client.get_model_version("fer", str(report.version))
    run = client.get_run(found.run_id)
    lineage = Classifier(ruled.paths.candidate).lineage
    assert found.tags["data_version"] == "1"
    assert found.tags["data_version_sha256"] == lineage.data_version_sha256
    assert found.tags["parent"] == "1"
    assert found.tags["git_commit"] == run.data.tags["mlflow.source.git.commit"] == "f" * 40
    assert found.tags["seed"] == "5"
    assert found.tags["candidate_sha256"] == sha256(ruled.paths.candidate)
    # Of the training, not of the params.yaml of today.
    assert run.data.params["train.epochs"] == "2"
    assert run.data.metrics["office/accuracy"] == report.accuracy["office"]["candidate"]
    curve = client.get_metric_history(run.info.run_id, "monitor_loss")
    assert [(point.step, point.value) for point in curve] == [(1, 2.1), (2, 1.4)]
    inputs = {one.dataset.name: one.dataset for one in run.inputs.dataset_inputs}
    lock = yaml.safe_load((ruled.paths.root / "dvc.lock").read_text("utf-8"))
    assert inputs["train"].digest == lock["stages"]["balance"]["outs"][0]["md5"]
    assert set(inputs) == {"train", "validation"}
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {
        "lineage", "plots", "reports", "verdict.md",
    }  # fmt: skip


def test_what_mlflow_keeps_of_the_data_shows_no_person(ruled) -> None:
    ruled.candidate(GOOD)

    run = ruled.client.get_run(
        ruled.client.get_model_version("fer", str(ruled.promote().version)).run_id
    )

    for one in run.inputs.dataset_inputs:
        assert "subject" not in one.dataset.schema
        assert "image" not in one.dataset.schema


def test_mlflow_alone_answers_as_the_champion(ruled) -> None:
    ruled.candidate(GOOD)
    ruled.promote()
    faces = table.decode(table.read(ruled.paths.validation)["image"])[:20]

    champion = mlflow.pyfunc.load_model("models:/fer@champion")
    told = champion.predict(faces[..., None].astype(np.float32))

    expected = Classifier(ruled.paths.candidate).probabilities(faces)
    assert np.allclose(told["probabilities"], expected, atol=1e-6)


def test_a_report_is_what_its_decision_says(ruled) -> None:
    ruled.candidate(GOOD)
    report = ruled.promote()

    decided = versions.read_decision(ruled.paths, sha256(ruled.paths.candidate))

    assert PromoteReport(**decided) == report
