"""What is wrong with the machine is found, and comes with what mends it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer.doctor import machine
from fer.files import locked, write_json
from fer.paths import Paths

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def project(paths: Paths) -> None:
    """The project's own files, in the checkout."""
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, paths.root)


@pytest.fixture
def gone() -> int:
    """Number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


# -- Python and packages ---------------------------------------------------------------------


def test_the_environment_that_runs_the_tests_is_in_order(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))

    assert machine.python(paths).level == "ok"


def test_another_python_than_asked_for_is_a_problem(paths: Paths) -> None:
    _replace(paths.root / "pyproject.toml", 'requires-python = ">=3.11', 'requires-python = ">=9')

    found = machine.python(paths)

    assert found.level == "problem"
    assert "PYTHON=" in found.fix


def test_another_python_on_path_is_told_because_stages_call_it(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "python"
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = machine.python(paths)

    assert found.level == "warning"
    assert str(other) in found.says
    assert "activate" in found.fix


def test_a_missing_or_old_package_is_a_problem_by_name(paths: Paths) -> None:
    _replace(paths.root / "pyproject.toml", '"numpy~=2.4.0"', '"numpy>=99", "no-such-thing"')

    found = machine.packages(paths)

    assert found.level == "problem"
    assert "numpy" in found.says
    assert "no-such-thing missing" in found.says
    assert "make" in found.fix


def test_a_release_other_than_locked_is_a_warning(paths: Paths) -> None:
    lock = paths.root / "requirements.lock"
    lock.write_text("numpy==0.1 \\\n    --hash=sha256:ab\nabsent==1 ; sys_platform == 'none'\n")

    found = machine.packages(paths)

    assert found.level == "warning"
    assert "numpy" in found.says
    assert "absent" not in found.says


# -- folders and space -----------------------------------------------------------------------


def test_a_fresh_checkout_can_be_written(paths: Paths) -> None:
    assert machine.folders(paths).level == "ok"
    assert not paths.inbox.exists()


def test_a_folder_that_cannot_be_written_is_a_problem(paths: Paths) -> None:
    paths.mlruns.touch()

    found = machine.folders(paths)

    assert found.level == "problem"
    assert str(paths.mlruns) in found.says
    assert str(paths.mlruns) in found.fix


def test_a_folder_that_everyone_may_write_is_told(paths: Paths) -> None:
    paths.inbox.mkdir(parents=True)
    paths.inbox.chmod(0o777)

    found = machine.folders(paths)

    assert found.level == "warning"
    assert str(paths.inbox) in found.fix


@pytest.mark.parametrize(("gigabytes", "level"), [(50, "ok"), (1, "warning"), (0.1, "problem")])
def test_space_runs_out_in_two_steps(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, gigabytes: float, level: str
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: SimpleNamespace(free=gigabytes * 1_000_000_000)
    )

    assert machine.space(paths).level == level


# -- what processes hold and leave -----------------------------------------------------------


def test_a_step_at_work_is_told_and_no_fault(paths: Paths) -> None:
    with locked(paths.lock("train")):
        found = machine.locks(paths)

    assert found.level == "ok"
    assert f"train (process {os.getpid()})" in found.says
    assert machine.locks(paths).says == "no step is at work"


def test_a_lock_that_outlives_its_process_is_told(paths: Paths, gone: int) -> None:
    with locked(paths.lock("update")):
        paths.lock("update").write_text(f"process {gone}")
        found = machine.locks(paths)

    assert found.level == "warning"
    assert str(gone) in found.says
    assert str(paths.lock("update")) in found.fix


def test_only_what_dead_processes_left_is_a_leftover(paths: Paths, gone: int) -> None:
    paths.inbox.mkdir(parents=True)
    (paths.inbox / f".{os.getpid()}-now.parquet").touch()
    assert machine.leftovers(paths).level == "ok"
    left = paths.inbox / f".{gone}-then.parquet"
    left.touch()

    found = machine.leftovers(paths)

    assert found.level == "warning"
    assert "1 half-written" in found.says
    assert str(left) in found.fix
    assert "now.parquet" not in found.fix


def test_a_restore_that_was_cut_short_is_a_problem(paths: Paths) -> None:
    write_json(paths.restoring, {"source": "fer.tar"})

    assert machine.leftovers(paths).level == "problem"
