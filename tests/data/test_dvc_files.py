"""DVC's own files, cut short by a full disk, do not stop the loop for ever; whole ones stay."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.lock import make_lock

from fer.data import dvc_files
from fer.paths import Paths

LOCK = """\
schema: '2.0'
stages:
  base:
    cmd: python -m fer base
    outs:
    - path: data/base.parquet
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 42
"""

POINTER = """\
outs:
- md5: 3c59dc048e8850243be8079a5c74d079
  size: 2
  hash: md5
  path: 00001-ab.parquet
"""

HOLDERS = json.dumps({"write": {}, "read": {"data/base.parquet": [{"pid": 1, "cmd": "dvc"}]}})

FILES: dict[str, tuple[Callable[[Paths], Path], str]] = {
    "dvc.lock": (lambda paths: paths.dvc_lock, LOCK),
    "a pointer": (lambda paths: paths.captures / "00001-ab.parquet.dvc", POINTER),
    "DVC's locks": (lambda paths: paths.dvc_work / "rwlock", HOLDERS),
}


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, paths: Paths) -> Path:
    """One of the files, whole."""
    place, text = FILES[request.param]
    found = place(paths)
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text(text, "utf-8")
    return found


def test_whole_files_and_none_are_left_alone(paths: Paths, file: Path) -> None:
    before = file.read_bytes()

    assert dvc_files.mend(paths) == []
    assert file.read_bytes() == before
    file.unlink()
    assert dvc_files.mend(paths) == []


@pytest.mark.parametrize("length", [0, 1, 10, 23, 31])
def test_what_was_cut_short_goes(paths: Paths, file: Path, length: int) -> None:
    file.write_text(file.read_text("utf-8")[:length], "utf-8")

    assert dvc_files.broken(paths) == [file]
    assert dvc_files.mend(paths) == [file]
    assert not file.exists()


def test_bytes_that_are_no_text_go(paths: Paths, file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")

    assert dvc_files.mend(paths) == [file]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_run_that_was_not_written_down_leaves_no_empty_folder(
    paths: Paths, tmp_path: Path, elsewhere: bool
) -> None:
    cache = tmp_path / "elsewhere" if elsewhere else paths.dvc_work.parent / "cache"
    paths.dvc_work.parent.mkdir(exist_ok=True)
    if elsewhere:
        config = paths.dvc_work.parent / "config"
        config.write_text(f"[cache]\n    dir = {cache}\n", "utf-8")
    empty, filled = (cache / "runs" / "ab" / name for name in ("ab01", "ab02"))
    for folder in (empty, filled):
        folder.mkdir(parents=True)
    (filled / "cd").write_text("cmd: python -m fer base\n", "utf-8")

    assert dvc_files.mend(paths) == [empty]
    assert not empty.exists()
    assert (filled / "cd").is_file()


def test_while_another_dvc_is_at_work_nothing_goes(
    paths: Paths, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0)
    file.write_text("", "utf-8")
    paths.dvc_work.mkdir(parents=True, exist_ok=True)

    with make_lock(str(paths.dvc_work / "lock")):
        assert dvc_files.mend(paths) == []

    assert file.exists()
