"""The update runs the steps in order, stops at the first that fails, and says why."""

from dataclasses import dataclass, field

import pytest

from fer import audit
from fer.errors import Busy
from fer.files import locked, read_json, write_json, write_text
from fer.paths import Paths
from pipelines import tasks
from pipelines import update as module
from pipelines.commands import StepFailed, StepRefused
from pipelines.update import update

pytestmark = pytest.mark.usefixtures("server")

ORDER = [
    "pull", "sweep", "ingest", "base", "validate", "balance", "train", "evaluate", "promote",
    "push",
]  # fmt: skip
VERDICT = {"verdict": "promoted", "reasons": "better", "version": 2, "champion": 1}


@dataclass
class Steps:
    """Stands for the commands: writes down what was asked for, and fails where it is told to."""

    paths: Paths
    failures: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, module: str, *arguments: str, timeout_minutes: float) -> str:
        name = arguments[-1] if "repro" in arguments else arguments[0]
        assert (module == "fer") == (name in ("sweep", "ingest"))
        assert timeout_minutes == 90
        self.asked.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)
        if name == "promote":
            write_json(self.paths.report("verdict.json"), VERDICT)
            write_text(self.paths.report("verdict.md"), "# Promoted\n")
        return ""


@pytest.fixture
def steps(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Steps:
    fake = Steps(paths)
    monkeypatch.setattr(tasks, "PATHS", paths)
    monkeypatch.setattr(module, "PATHS", paths)
    monkeypatch.setattr(tasks, "run", fake)
    for name in ORDER:
        monkeypatch.setattr(getattr(tasks, name), "retry_delay_seconds", 0)
    return fake


def test_steps_run_in_order_and_the_outcome_is_written(steps: Steps) -> None:
    with (steps.paths.dvc_work.parent / "config").open("a", encoding="utf-8") as config:
        config.write("['remote \"backup\"']\n    url = /somewhere\n")

    outcome = update("a test")

    assert steps.asked == ORDER
    assert list(outcome["seconds"]) == ORDER
    assert outcome["verdict"] == VERDICT
    assert read_json(steps.paths.report("update.json")) == outcome
    assert outcome["reason"] == "a test"


def test_who_began_it_is_in_the_audit_log(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    update("a schedule")
    monkeypatch.setenv(audit.VARIABLE, "phone")
    update("from the live page")

    told = [(one["kind"], one["who"]) for one in audit.read(steps.paths).entries]
    assert told == [("update", "flow"), ("update", "phone")]


def test_without_a_remote_nothing_is_fetched_or_sent(steps: Steps) -> None:
    update()

    assert steps.asked == ORDER[1:-1]


def test_a_refusal_is_not_tried_again_stops_the_rest_and_is_told(steps: Steps) -> None:
    steps.failures["validate"] = [StepRefused("fer validate: 3 of 70 labels are unknown")]

    with pytest.raises(StepRefused, match="3 of 70 labels"):
        update()

    assert steps.asked == ["sweep", "ingest", "base", "validate"]
    assert not steps.paths.report("update.json").exists()


def test_a_failure_is_tried_again(steps: Steps) -> None:
    steps.failures["train"] = [StepFailed("out of memory")]

    assert update()["verdict"] == VERDICT
    assert steps.asked.count("train") == 2


def test_a_lock_of_dvc_that_was_cut_short_does_not_stop_the_update(steps: Steps) -> None:
    write_text(steps.paths.dvc_lock, "schema: '2.0'\nstages:\n  ba")

    assert update()["verdict"] == VERDICT
    assert not steps.paths.dvc_lock.exists()


def test_a_failure_that_stays_ends_the_update(steps: Steps) -> None:
    steps.failures["base"] = [StepFailed("disk full"), StepFailed("disk full")]

    with pytest.raises(StepFailed, match="disk full"):
        update()

    assert steps.asked == ["sweep", "ingest", "base", "base"]


def test_a_second_update_does_not_start_while_one_runs(steps: Steps) -> None:
    with locked(steps.paths.lock("update")), pytest.raises(Busy):
        update()

    assert steps.asked == []


def test_the_next_update_runs_after_one_that_failed(steps: Steps) -> None:
    steps.failures["ingest"] = [StepRefused("fer ingest: no")]
    with pytest.raises(StepRefused):
        update()

    assert update()["verdict"] == VERDICT
