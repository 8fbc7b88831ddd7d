"""Watching updates when enough faces wait, or when an update did not end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import yaml

from fer.data import inbox
from fer.files import write_json
from fer.paths import Paths
from fer.records import LOST, SHIFTED
from pipelines import watch as module
from pipelines.watch import watch

pytestmark = pytest.mark.usefixtures("server")


@dataclass
class Watched:
    """Stands for the update, for DVC and for the commands that watch."""

    status: int = 0
    drift: int = 0
    feedback: int = 0
    reasons: list[str] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def update(self, reason: str) -> dict[str, Any]:
        """Write down why."""
        self.reasons.append(reason)
        return {"verdict": {"verdict": "promoted"}}

    def dvc(self, command: list[str], **_: object) -> SimpleNamespace:
        """Answer `dvc status`, `fer drift` and `fer models feedback`."""
        if command[2:] == ["fer", "models", "feedback", "--act"]:
            self.asked.append(command[3:])
            return SimpleNamespace(returncode=self.feedback, stdout="1, was 2", stderr="gone")
        if command[2:] == ["fer", "drift"]:
            return SimpleNamespace(returncode=self.drift, stdout="kiosk  shifted", stderr="lost")
        self.asked.append(command[2:])
        return SimpleNamespace(returncode=self.status)


@pytest.fixture
def watched(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Watched:
    fake = Watched()
    monkeypatch.setattr(module, "PATHS", paths)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(module, "update", fake.update)
    monkeypatch.setattr(module.subprocess, "run", fake.dvc)
    return fake


def test_few_faces_wait_on(
    watched: Watched, paths: Paths, faces: Callable[..., pd.DataFrame]
) -> None:
    inbox.put(paths.inbox, faces(3))

    watch()

    assert watched.reasons == []
    assert watched.asked == [["dvc", "status", "--quiet", "evaluate"]]


def test_enough_faces_are_taken_in(
    watched: Watched, paths: Paths, faces: Callable[..., pd.DataFrame]
) -> None:
    inbox.put(paths.inbox, faces(30))
    inbox.put(paths.inbox, faces(20, first=30))

    watch()

    assert watched.reasons == ["50 new faces"]


def test_an_update_that_did_not_end_is_taken_up(watched: Watched) -> None:
    watched.status = 1

    watch()

    assert len(watched.reasons) == 1


@pytest.mark.parametrize(("later", "reasons"), [(60, []), (-60, ["stages are out of date"])])
def test_what_failed_is_not_tried_again_until_something_changed(
    watched: Watched, paths: Paths, later: int, reasons: list[str]
) -> None:
    watched.status = 1
    changed = max(paths.version.stat().st_mtime, paths.params.stat().st_mtime)
    write_json(paths.update_progress, {"error": "refused", "ended": changed + later})

    watch()

    assert watched.reasons == reasons


@pytest.mark.parametrize(("waiting", "reasons"), [(9, 0), (10, 1)])
def test_where_faces_have_shifted_fewer_are_enough(
    watched: Watched,
    paths: Paths,
    faces: Callable[..., pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
    waiting: int,
    reasons: int,
) -> None:
    watched.drift = SHIFTED
    write_json(paths.seen, {})
    inbox.put(paths.inbox, faces(waiting))

    watch()

    assert len(watched.reasons) == reasons
    assert "kiosk  shifted" in caplog.text


def test_a_shift_is_told_once_until_it_has_gone(
    watched: Watched, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module.notices, "tell", lambda subject, _: told.append(subject))
    write_json(paths.seen, {})

    for watched.drift in (SHIFTED, SHIFTED, 0, SHIFTED):
        watch()

    assert told == ["Faces before a camera have shifted"] * 2


def test_where_nothing_has_shifted_or_can_be_judged_it_waits_for_all(
    watched: Watched,
    paths: Paths,
    faces: Callable[..., pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox.put(paths.inbox, faces(49))
    # Cameras have seen nothing: it is not even asked.
    watched.drift = SHIFTED
    watch()
    write_json(paths.seen, {})
    watched.drift = 1
    watch()

    assert watched.reasons == []
    assert "`fer drift` failed:\nlost" in caplog.text


def test_a_shift_may_be_told_alone(
    watched: Watched, paths: Paths, faces: Callable[..., pd.DataFrame]
) -> None:
    settings = yaml.safe_load(paths.params.read_text("utf-8"))
    settings["drift"]["min_new_faces"] = None
    paths.params.write_text(yaml.safe_dump(settings), "utf-8")
    watched.drift = SHIFTED
    write_json(paths.seen, {})
    inbox.put(paths.inbox, faces(49))

    watch()

    assert watched.reasons == []


@pytest.mark.parametrize(
    ("status", "told"),
    [(LOST, "The champion lost its place:\n1, was 2"), (1, "`fer models feedback --act` failed")],
)
def test_votes_are_counted_before_anything_else(
    watched: Watched,
    paths: Paths,
    faces: Callable[..., pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
    status: int,
    told: str,
) -> None:
    paths.registry.parent.mkdir()
    paths.registry.touch()
    watched.feedback = status
    inbox.put(paths.inbox, faces(50))

    watch()

    assert watched.asked == [["models", "feedback", "--act"]]
    assert watched.reasons == ["50 new faces"]
    assert told in caplog.text


def test_where_there_is_no_registry_none_is_made_by_asking(watched: Watched) -> None:
    watch()

    assert watched.asked == [["dvc", "status", "--quiet", "evaluate"]]
