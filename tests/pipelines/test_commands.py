"""A command's lines reach the log while it runs; its end tells refusal from failure."""

import os
import select
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import commands
from pipelines.commands import StepFailed, StepRefused, run

Step = Callable[[str], None]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that reach the flow's log."""
    lines: list[str] = []
    monkeypatch.setattr(commands, "get_run_logger", lambda: SimpleNamespace(info=lines.append))
    return lines


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Return a function that writes the module `step` of a checkout."""
    monkeypatch.setattr(commands, "ROOT", tmp_path)

    def write(code: str) -> None:
        (tmp_path / "step.py").write_text(textwrap.dedent(code), encoding="utf-8")

    return write


def test_lines_are_logged_and_returned(step: Step, log: list[str]) -> None:
    step("""
        import sys
        print("one", *sys.argv[1:])
        print("two  ", file=sys.stderr, flush=True)
    """)

    told = run("step", "a", "b", timeout_minutes=1)

    assert sorted(log) == ["one a b", "two"]
    assert sorted(told.split("\n")) == sorted(log)


def test_a_line_is_logged_while_the_step_still_runs(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    step(f"""
        import os
        print("ready")
        os.read({reading}, 1)
    """)

    # The step ends only once its line has been logged.
    def info(_: str) -> None:
        os.write(writing, b"!")

    monkeypatch.setattr(commands, "get_run_logger", lambda: SimpleNamespace(info=info))

    assert run("step", timeout_minutes=1) == "ready"
    os.close(reading)
    os.close(writing)


def test_it_runs_in_the_checkout_with_this_python_first_on_the_path(
    step: Step, log: list[str], tmp_path: Path
) -> None:
    step("""
        import os, shutil
        print(os.getcwd())
        print(shutil.which("python"))
    """)

    run("step", timeout_minutes=1)

    assert log == [str(tmp_path), str(Path(sys.executable).parent / "python")]


def test_a_refusal_carries_the_sentence_of_the_step(step: Step, log: list[str]) -> None:
    step("""
        import sys
        print("Running stage 'train':")
        print("fer train: Expected faces,\\n  received none.", file=sys.stderr)
        sys.exit(1)
    """)

    with pytest.raises(StepRefused) as refused:
        run("step", timeout_minutes=1)

    assert str(refused.value) == "fer train: Expected faces,\n  received none."


def test_what_was_interrupted_may_be_tried_again(step: Step, log: list[str]) -> None:
    step("""
        import sys
        sys.exit("fer promote was interrupted: Expected answers, received none: run it again.")
    """)

    with pytest.raises(StepFailed, match="fer promote was interrupted") as failed:
        run("step", timeout_minutes=1)

    assert not isinstance(failed.value, StepRefused)


def test_a_crash_is_a_failure_with_its_last_lines(step: Step, log: list[str]) -> None:
    step("""
        for number in range(40):
            print("line", number)
        raise ConnectionError("lost")
    """)

    with pytest.raises(StepFailed) as failed:
        run("step", "a", timeout_minutes=1)

    assert not isinstance(failed.value, StepRefused)
    assert "`step a` ended with status 1" in str(failed.value)
    assert str(failed.value).endswith("ConnectionError: lost")
    assert "line 3\n" not in str(failed.value)


class FakeTimer:
    """A timer whose time comes when the test says so."""

    made: "FakeTimer"

    def __init__(self, seconds: float, function: Callable[..., None], given: list[Any]) -> None:
        self.seconds, self.function, self.given = seconds, function, given
        self.running = False
        FakeTimer.made = self

    def start(self) -> None:
        self.running = True

    def cancel(self) -> None:
        self.running = False


FAMILY = """
    import subprocess, sys
    subprocess.run([sys.executable, "-c", "import os; print('ready', flush=True); os.read({}, 1)"],
                   close_fds=False)
"""


@pytest.mark.parametrize("cause", ["time is up", "interrupted"])
def test_nothing_of_a_step_outlives_its_end(
    step: Step, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    # A grandchild blocks on a pipe that nobody writes to, and holds the end of another.
    blocked, _unused = os.pipe()
    reading, alive = os.pipe()
    for descriptor in (blocked, alive):
        os.set_inheritable(descriptor, True)
    step(FAMILY.format(blocked))
    monkeypatch.setattr(commands.threading, "Timer", FakeTimer)

    def info(line: str) -> None:
        assert line == "ready"
        if cause == "interrupted":
            raise KeyboardInterrupt
        FakeTimer.made.function(*FakeTimer.made.given)

    monkeypatch.setattr(commands, "get_run_logger", lambda: SimpleNamespace(info=info))

    with pytest.raises(StepFailed if cause == "time is up" else KeyboardInterrupt):
        run("step", timeout_minutes=2)

    os.close(alive)
    ended, _, _ = select.select([reading], [], [], 30)
    assert ended, "the grandchild lives"
    assert os.read(reading, 1) == b""
    assert FakeTimer.made.seconds == 120
    assert not FakeTimer.made.running
    for descriptor in (blocked, _unused, reading):
        os.close(descriptor)


def test_a_step_that_ran_out_of_time_says_so(step: Step, log: list[str]) -> None:
    step("import signal; signal.pause()")

    with pytest.raises(StepFailed, match="did not end within"):
        run("step", timeout_minutes=1e-3)
