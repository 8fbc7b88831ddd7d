"""The command line: one message for what a user can mend, from wherever the user stands."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from fer import audit, cli
from fer.cli import main
from fer.commands.command import Command
from fer.data import inbox, table
from fer.errors import Interrupted
from fer.evaluation import drift
from fer.evaluation.drift import Measure
from fer.files import locked
from fer.live.web import tokens
from fer.paths import Paths
from fer.records import LOST
from fer.registry import feedback, versions


@pytest.fixture(autouse=True)
def checkout(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """A checkout that the process stands in; what `main` sets does not reach other tests."""
    for name, value in cli._QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(paths.root)
    return paths


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {name} " in told for name in cli._COMMANDS)


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["improve"])

    assert ended.value.code == 2
    assert "improve" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "level", "told"),
    [("fer.audit", "INFO", True), ("mlflow", "INFO", False), ("mlflow", "WARNING", True)],
)
def test_of_libraries_warnings_alone_are_told(name: str, level: str, told: bool) -> None:
    record = logging.makeLogRecord({"name": name, "levelno": logging.getLevelName(level)})

    assert cli._worth_telling(record) is told


def test_what_a_user_can_mend_is_one_message_and_status_1(
    checkout: Paths, capfd: pytest.CaptureFixture[str]
) -> None:
    checkout.version.unlink()

    status = main(["balance"])

    told = capfd.readouterr()
    assert status == 1
    assert told.out == ""
    assert told.err.startswith("fer balance: Expected the data version at ")
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err


def test_an_interruption_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed(*_: object) -> None:
        raise Interrupted("run it again")

    monkeypatch.setitem(cli._COMMANDS, "sweep", Command("", killed))

    assert main(["sweep"]) == 1
    assert capsys.readouterr().err == "fer sweep was interrupted: run it again\n"


@pytest.mark.parametrize("step", ["validate", "balance", "train", "evaluate", "promote"])
def test_a_step_before_its_turn_is_refused_with_what_to_do(
    step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = main([step])

    told = capfd.readouterr().err
    assert status == 1
    assert told.startswith(f"fer {step}: Expected ")
    assert "Run `dvc repro`" in told
    assert told.count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("fer.data.balance.balance", broken)

    with pytest.raises(ZeroDivisionError):
        main(["balance"])


def test_settings_are_refused_before_anything_heavy_loads(checkout: Paths) -> None:
    text = checkout.params.read_text("utf-8").replace("  batch_size: ", "  batch_size: x")
    checkout.params.write_text(text, "utf-8")
    code = """
import sys
from fer.cli import main
status = main(["train"])
print(status, {"tensorflow", "keras", "numpy"} & set(sys.modules))
"""

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout.root, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "1 set()"
    assert "train.batch_size" in done.stderr
    assert "Traceback" not in done.stderr


def test_python_m_fer_runs_and_says_how_it_ended(checkout: Paths) -> None:
    below = checkout.root / "docs"
    below.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "fer", "review", "accept", "ffff"],
        cwd=below, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("fer review: ")


def test_it_works_from_a_folder_inside_the_checkout(
    checkout: Paths, faces: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    below = checkout.root / "docs" / "decisions"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert main(["ingest"]) == 0
    assert Path.cwd() == checkout.root


def test_ingest_leaves_the_champion_alone_while_a_promotion_judges_it(
    checkout: Paths,
    faces: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def let_in(arrived: pd.DataFrame, *_: object) -> pd.Series:
        return pd.Series("", arrived.index)

    monkeypatch.setattr("fer.data.version.track", lambda *_: None)
    monkeypatch.setattr("fer.registry.guard.hold_back", let_in)
    monkeypatch.setattr("fer.registry.adopt.pin_champion", lambda *_, **__: None)
    inbox.put(checkout.inbox, faces(1))

    with locked(checkout.lock("promote")):
        assert main(["ingest"]) == 1

    assert "alone at `promote`" in capsys.readouterr().err
    assert inbox.count(checkout.inbox) == 1
    assert main(["ingest"]) == 0
    assert inbox.count(checkout.inbox) == 0


def test_pictures_are_found_where_the_user_stands(
    checkout: Paths,
    faces: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    below = checkout.root / "work"
    for row in faces(4, label=["happy", "happy", "sad", "sad"]).itertuples():
        folder = below / "photos" / row.label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.id[:8]}.png").write_bytes(row.image)
    monkeypatch.chdir(below)

    status = main(["import", "photos", "--domain", "office", "--aligned"])

    assert status == 0
    assert "imported  4 faces, 0 left out" in capsys.readouterr().out
    taken = inbox.read(checkout.inbox).faces
    assert sorted(taken["label"]) == ["happy", "happy", "sad", "sad"]
    assert set(taken["source"]) == {"import:photos"}


def test_a_film_is_found_where_the_user_stands(
    checkout: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = checkout.root / "work"
    (below / "film").mkdir(parents=True)
    monkeypatch.chdir(below)
    wishes = []
    monkeypatch.setattr("fer.live.session.run", lambda wish, *_: wishes.append(wish))

    main(["capture", "film"])
    main(["capture", "0"])
    main(["capture", "synthetic:studio"])

    assert [one.source for one in wishes] == [str(below / "film"), "0", "synthetic:studio"]


def test_a_capture_without_consent_is_refused_with_the_text(
    checkout: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["capture", "0", "--label", "happy", "--subject", "anna"])

    assert status == 1
    assert "Your face is kept" in capsys.readouterr().err
    assert inbox.count(checkout.inbox) == 0


def test_doubts_without_a_model_say_what_to_do(
    checkout: Paths,
    faces: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("fer.live.champion.SHIPPED_MODEL", Path("nowhere.onnx"))
    table.write(checkout.validation, faces(7))

    status = main(["review", "doubts"])

    assert status == 1
    assert "Expected a model that answers, found none" in capsys.readouterr().err


def test_a_report_is_told_line_by_line(
    checkout: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["capture", "synthetic:studio", "--faces", "2"])

    assert capsys.readouterr().out.splitlines() == [
        f"captured             {inbox.count(checkout.inbox)}",
        f"without_face         {2 - inbox.count(checkout.inbox)}",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's display")
def test_a_window_without_a_display_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)

    assert main(["live"]) == 1

    told = capsys.readouterr().err
    assert told.startswith("fer live: Expected a display")
    assert told.count("\n") == 1


@pytest.mark.parametrize(("limit", "status"), [(0.1, 3), (0.9, 0)])
def test_drift_tells_by_its_status_whether_a_camera_has_shifted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: float,
    status: int,
) -> None:
    measure = Measure("brightness", distance=0.5, limit=limit, moved=-40.0, faces=50)
    monkeypatch.setattr(drift, "drift", lambda *_, **__: [drift.Finding("kiosk", 1, (measure,))])

    assert main(["drift"]) == status
    assert "kiosk" in capsys.readouterr().out


def test_before_anything_was_seen_there_is_no_drift(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift"]) == 0
    assert "yet" in capsys.readouterr().out


def test_forgetting_nobody_is_one_message(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", "zoe"]) == 1
    assert capfd.readouterr().err.startswith("fer forget: Expected faces of the subject 'zoe'")


def test_verifying_without_a_receipt_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", "zoe", "--verify"]) == 1
    assert "Expected a receipt about the subject 'zoe'" in capfd.readouterr().err


def test_sweeping_with_nothing_due_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep"]) == 0
    assert "faces                0" in capsys.readouterr().out


def test_a_token_is_told_once_and_listed_until_it_is_revoked(
    checkout: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "new", "phone", "--days", "7"]) == 0
    token = capsys.readouterr().out.strip()
    assert tokens.holder(checkout, tokens.signed_in(token)) == "phone"

    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("phone ")
    assert token not in listed

    assert main(["token", "revoke", "phone"]) == 0
    assert main(["token", "revoke", "phone"]) == 1
    assert tokens.holder(checkout, tokens.signed_in(token)) is None


def test_the_audit_log_is_shown_and_filtered(
    checkout: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        audit.record(checkout, "rollback", version=number, before=9)
        audit.record(checkout, "update")
    with next(checkout.audit.iterdir()).open("a", encoding="utf-8") as file:
        file.write("half a li")

    assert main(["audit", "--kind", "rollback", "--last", "2"]) == 0
    told = capsys.readouterr()
    assert [line.split()[-2:] for line in told.out.splitlines()] == [
        ["version=1", "before=9"], ["version=2", "before=9"],
    ]  # fmt: skip
    assert "line 7 is damaged" in told.err

    main(["audit", "--json", "--last", "9"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == audit.read(checkout).entries
    assert len(lines) == 6


def test_an_import_is_in_the_audit_log_without_what_people_typed(
    checkout: Paths, faces: Callable[..., pd.DataFrame]
) -> None:
    folder = checkout.root / "ana" / "happy"
    folder.mkdir(parents=True)
    (folder / "ana.png").write_bytes(faces(1)["image"][0])

    main(["import", "ana", "--domain", "ana", "--aligned"])

    (said,) = audit.read(checkout).entries
    assert (said["kind"], said["faces"]) == ("import", 1)
    assert "ana" not in json.dumps(said)


def test_whoever_reads_the_output_may_stop_early(checkout: Paths) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [sys.executable, "-m", "fer", "sweep"],
        cwd=checkout.root, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "chance", "status", "asked"),
    [
        (["--act"], 0.05, LOST, [(["votes"], 0.05)]),
        (["--act"], 0.01, 0, [(["votes"], 0.01)]),
        (["--act"], None, 0, []),
        ([], 0.05, 0, []),
    ],
)
def test_votes_take_the_champions_place_where_that_is_wanted_and_certain(  # noqa: PLR0917
    checkout: Paths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    chance: float | None,
    status: int,
    asked: list[object],
) -> None:
    settings = yaml.safe_load(checkout.params.read_text("utf-8"))
    settings["feedback"]["false_rollbacks"] = chance
    checkout.params.write_text(yaml.safe_dump(settings), "utf-8")
    calls: list[object] = []

    def defend(found: object, given: float, _: Paths) -> SimpleNamespace | None:
        calls.append((found, given))
        return SimpleNamespace(version=1, champion=2) if given >= 0.05 else None

    monkeypatch.setattr(feedback, "feedback", lambda *_: ["votes"])
    monkeypatch.setattr(feedback, "defend", defend)

    assert main(["models", "feedback", *arguments]) == status
    assert calls == asked
    assert ("version 1, was 2" in capsys.readouterr().out) == (status == LOST)


@pytest.mark.parametrize(("word", "number"), [("none", None), ("3", 3)])
def test_a_shadow_is_a_number_or_none(
    monkeypatch: pytest.MonkeyPatch, word: str, number: int | None
) -> None:
    cast: list[int | None] = []
    monkeypatch.setattr(versions, "cast_shadow", lambda _, given: cast.append(given))

    assert main(["models", "shadow", word]) == 0
    assert cast == [number]
