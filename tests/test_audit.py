"""The audit log keeps whole lines, whoever writes at once, and says which lines are none."""

import errno
import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from fer import audit
from fer.paths import Paths
from fer.records import now

_REPOSITORY = Path(__file__).parents[1]


def _only_file(paths: Paths) -> Path:
    (file,) = paths.audit.iterdir()
    return file


def test_a_line_says_when_what_and_who(paths: Paths) -> None:
    before = now()
    audit.record(paths, "rollback", version=2, before=3)
    with audit.acting("phone"):
        audit.record(paths, "review", face="ab", verdict="reject")

    first, second = audit.read(paths).entries

    assert (first["kind"], first["who"], first["version"], first["before"]) == (
        "rollback", "local", 2, 3,
    )  # fmt: skip
    assert (second["who"], second["face"]) == ("phone", "ab")
    assert before.isoformat(timespec="milliseconds") <= first["at"] <= second["at"]
    assert audit.read(paths).damaged == []


def test_the_programs_log_has_the_same_with_digits_that_trace_takes(
    paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="fer"), audit.acting("phone"):
        audit.record(paths, "capture", face="3f9a01c2d4e5" + 52 * "0", label_source="blind")

    assert caplog.messages == ["capture by phone, face 3f9a01c2d4e5, label_source blind"]


def test_nobody_else_reads_it(paths: Paths) -> None:
    audit.record(paths, "update")

    assert _only_file(paths).stat().st_mode & 0o777 == 0o600


def test_a_command_acts_for_whom_it_was_started(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.actor() == "local"
    assert audit.actor(otherwise="flow") == "flow"
    monkeypatch.setenv(audit.VARIABLE, "phone")
    assert audit.actor(otherwise="flow") == "phone"
    with audit.acting("tablet"):
        assert audit.actor() == "tablet"
    assert audit.actor() == "phone"


def test_threads_and_processes_that_write_at_once_lose_no_line(paths: Paths) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from fer import audit; from fer.paths import Paths\n"
        "for _ in range(50): audit.record(Paths(Path(sys.argv[1])), 'capture', face='f' * 64)"
    )
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(paths.root)], env=environment)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            threads.submit(audit.record, paths, "review", face=f"{number}")

    assert [one.wait() for one in running] == [0, 0]
    found = audit.read(paths)
    assert found.damaged == []
    assert len(found.entries) == 150
    assert {one["face"] for one in found.entries} == {"f" * 64, *map(str, range(50))}


@pytest.mark.parametrize("rest", [b'{"at": "2026-1', b"\0\0\0\n", b"[1]\n", b'{"at": 1}\n'])
def test_a_damaged_last_line_is_told_and_spoils_no_other(paths: Paths, rest: bytes) -> None:
    audit.record(paths, "update")
    with _only_file(paths).open("ab") as file:
        file.write(rest)
    audit.record(paths, "rollback", version=1, before=2)

    found = audit.read(paths)

    assert [one["kind"] for one in found.entries] == ["update", "rollback"]
    assert found.damaged == [f"{_only_file(paths).name} line 2"]


def test_a_full_disk_undoes_nothing_and_is_told(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    audit.record(paths, "update")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:20]))
        with caplog.at_level(logging.WARNING):
            audit.record(paths, "erasure", receipt="r1")
    audit.record(paths, "update")

    assert os.strerror(errno.ENOSPC) in caplog.text
    assert "r1" in caplog.text
    found = audit.read(paths)
    assert [one["kind"] for one in found.entries] == ["update", "update"]
    assert len(found.damaged) == 1


def test_old_files_go_and_others_stay(paths: Paths) -> None:
    audit.record(paths, "update")
    old = paths.audit / "2020-01.jsonl"
    old.write_text(json.dumps({"at": "2020-01-31", "kind": "update", "who": "local"}) + "\n")
    seconds = (now() - timedelta(days=31)).timestamp()
    os.utime(old, (seconds, seconds))

    assert audit.clear(paths, None) == 0
    assert audit.clear(paths, 32) == 0
    assert audit.clear(paths, 30) == 1
    assert [one["kind"] for one in audit.read(paths).entries] == ["update"]
    assert not old.exists()


def test_where_nothing_was_done_there_is_nothing_to_read(paths: Paths) -> None:
    assert audit.read(paths) == audit.Log([], [])
    assert audit.clear(paths, 30) == 0
