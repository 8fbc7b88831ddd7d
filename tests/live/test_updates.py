"""An update is started once, watched through its files, and outlives what started it."""

import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

from fer import audit
from fer.errors import Busy
from fer.files import locked, write_json
from fer.live.updates import Update, Updates
from fer.paths import Paths

Flow = Callable[[str], None]

LATER = 4e9
"""Seconds since 1970; after any start of these tests."""


@pytest.fixture
def flow(paths: Paths) -> Flow:
    """Return a function that puts another flow into the checkout."""

    def write(code: str) -> None:
        folder = paths.root / "pipelines"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "update.py").write_text(textwrap.dedent(code), "utf-8")

    return write


def progress(paths: Paths, **changes: Any) -> None:
    steps = [{"name": "ingest", "state": "running", "began": 1.0, "seconds": None}]
    told = {"reason": "a test", "began": LATER, "ended": None, "error": None, "steps": steps}
    write_json(paths.update_progress, {**told, **changes})


def ended(updates: Updates) -> Update:
    for _ in range(600):
        if not (told := updates.told()).running:
            return told
        time.sleep(0.05)
    raise AssertionError("it never ended")


def test_where_none_ran_there_is_nothing_to_tell(paths: Paths) -> None:
    assert Updates(paths).told() == Update()


def test_a_started_update_runs_in_the_checkout_for_who_started_it(
    paths: Paths, flow: Flow
) -> None:
    flow("""
        import os, shutil, sys
        print(os.getcwd(), sys.argv[1], os.environ["FER_ACTOR"], os.getsid(0) == os.getpid())
        sys.exit("no")
    """)
    updates = Updates(paths)

    with audit.acting("phone"):
        updates.start()

    told = ended(updates)
    assert told.log == [f"{paths.root} from the live page phone True", "no"]
    assert told.error == "The update did not begin: no"


def test_a_second_one_is_not_started(paths: Paths, flow: Flow) -> None:
    flow("import sys; sys.stdin.read(); import time; time.sleep(2)")
    updates = Updates(paths)
    updates.start()

    with pytest.raises(Busy):
        updates.start()

    ended(updates)


def test_one_that_runs_elsewhere_is_watched_and_none_started(paths: Paths, flow: Flow) -> None:
    flow("raise AssertionError")
    progress(paths)
    with locked(paths.lock("update")):
        told = Updates(paths).told()
        with pytest.raises(Busy):
            Updates(paths).start()

    assert told.running
    assert (told.reason, told.steps[0]["state"]) == ("a test", "running")


def test_one_that_was_killed_is_told_as_cut_short(paths: Paths) -> None:
    progress(paths)

    told = Updates(paths).told()

    assert not told.running
    assert "cut short" in (told.error or "")


def test_the_verdict_is_told_once_it_has_ended_well(paths: Paths) -> None:
    verdict = {"verdict": "promoted", "reasons": "better"}
    write_json(paths.report("update.json"), {"verdict": verdict})
    progress(paths, ended=LATER + 1, error="disk full")
    assert Updates(paths).told().verdict is None
    assert Updates(paths).told().error == "disk full"

    progress(paths, ended=LATER + 1)

    assert Updates(paths).told().verdict == verdict


def test_a_log_of_an_earlier_update_is_not_shown(paths: Paths) -> None:
    paths.update_log.parent.mkdir(parents=True)
    paths.update_log.write_text("old\n")
    progress(paths)
    assert Updates(paths).told().log == []

    progress(paths, began=1.0)

    assert Updates(paths).told().log == ["old"]
