"""Where no window can open, a sentence says so and the process lives."""

import sys
from pathlib import Path

import pytest

from fer.errors import FerError
from fer.live.screen import Screen

linux = pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's display")


@linux
def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)

    with pytest.raises(FerError, match="DISPLAY is not set"):
        Screen()


@linux
def test_a_display_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "127.0.0.1:6999")

    with pytest.raises(FerError, match=r"could not connect.*fer serve"):
        Screen()


def test_an_opencv_without_windows_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    headless = tmp_path / "python"
    headless.write_text("#!/bin/sh\necho 'error: The function is not implemented.' >&2\nexit 1\n")
    headless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(headless))
    monkeypatch.setenv("DISPLAY", ":0")

    with pytest.raises(FerError, match="opencv-python-headless"):
        Screen()
