"""Watching updates when enough faces wait, or when an update did not end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from fer.data import inbox
from fer.files import write_json
from fer.paths import Paths
from pipelines import watch as module
from pipelines.watch import watch

pytestmark = pytest.mark.usefixtures("server")


@dataclass
class Watched:
    """Stands for the update and for DVC."""

    status: int = 0
    reasons: list[str] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def update(self, reason: str) -> dict[str, Any]:
        """Write down why."""
        self.reasons.append(reason)
        return {"verdict": {"verdict": "promoted"}}

    def dvc(self, command: list[str], **_: object) -> SimpleNamespace:
        """Answer `dvc status`."""
        self.asked.append(command[2:])
        return SimpleNamespace(returncode=self.status)


@pytest.fixture
def watched(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Watched:
    fake = Watched()
    monkeypatch.setattr(module, "PATHS", paths)
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
