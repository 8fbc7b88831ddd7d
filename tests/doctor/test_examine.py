"""Every check answers, whatever is broken; a problem is the command's exit status."""

import sys

import pytest

from fer.cli import _QUIET, main
from fer.doctor import checkout, examine, machine
from fer.doctor.findings import Finding
from fer.errors import FerError
from fer.paths import Paths


@pytest.fixture(autouse=True)
def well(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check finds nothing; the process stands in the checkout."""
    for name, value in _QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(paths.root)
    for name, module in examine.CHECKS.items():
        owner = {"fer.doctor.machine": machine, "fer.doctor.checkout": checkout}[module]
        monkeypatch.setattr(owner, name, lambda _: Finding("ok", "well"))


def test_every_check_is_told_and_warnings_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "space", lambda _: Finding("warning", "tight", "make room"))

    assert main(["doctor"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line[0] != " "] == list(examine.CHECKS)
    assert "! space      tight" in lines
    assert lines[lines.index("! space      tight") + 1].strip() == "make room"


def test_a_problem_is_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "folders", lambda _: Finding("problem", "closed", "open it"))

    assert main(["doctor"]) == 1

    told = capsys.readouterr()
    assert "✗ folders    closed" in told.out
    assert "1 of these" in told.err


@pytest.mark.parametrize("error", [FerError("mend it so"), ZeroDivisionError("mend it so")])
def test_a_check_that_fails_is_a_problem_and_the_others_answer(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(_: Paths) -> Finding:
        raise error

    monkeypatch.setattr(machine, "packages", failing)

    found = dict(examine.examine(paths))

    assert found["packages"].level == "problem"
    assert "mend it so" in found["packages"].says
    assert [one.level for one in found.values()].count("ok") == len(examine.CHECKS) - 1


def test_a_missing_library_is_a_problem_and_the_others_answer(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fer.doctor.checkout", None)

    found = dict(examine.examine(paths))

    assert found["registry"].level == "problem"
    assert found["python"].level == "ok"


def test_yunet_is_fetched_by_name(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched: list[Paths] = []
    monkeypatch.setattr("fer.faces.yunet.fetch", fetched.append)

    assert main(["doctor", "--get", "yunet"]) == 0

    assert fetched == [paths]
    assert str(paths.detector) in capsys.readouterr().out
