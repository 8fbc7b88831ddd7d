"""Files are whole or absent; a lock is held by one, and says by whom."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer import files
from fer.errors import Busy, FerError

HOLDER = """
import sys
from pathlib import Path
from fer.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"face" * 100_000)
    assert files.sha256(file) == hashlib.sha256(b"face" * 100_000).hexdigest()


def test_a_written_value_is_read_back(tmp_path: Path) -> None:
    value = {"subject": "Zoë 🙂", "faces": [1, 2.5, None]}
    files.write_json(tmp_path / "a" / "new folder" / "value.json", value)
    assert files.read_json(tmp_path / "a" / "new folder" / "value.json") == value


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("old")
    with files.replacing(file) as temporary:
        temporary.write_text("half")
        assert file.read_text() == "old"
        temporary.write_text("new")
    assert file.read_text() == "new"


def test_a_secret_is_never_in_a_file_that_somebody_laid_there(tmp_path: Path) -> None:
    file, theirs = tmp_path / "file.txt", tmp_path / "theirs"
    theirs.write_text("theirs")
    (tmp_path / f".{os.getpid()}-file.txt").symlink_to(theirs)
    with files.replacing(file, secret=True) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600
        temporary.write_text("secret")
    assert (theirs.read_text(), file.read_text()) == ("theirs", "secret")
    assert not file.is_symlink()


def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("old")

    def fail() -> None:
        with files.replacing(file) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file.txt": "old"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_bytes_reach_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, synced = tmp_path / "file.txt", []

    def sync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append("folder" if name == tmp_path else "bytes")
        if name != tmp_path:
            assert not file.exists()

    monkeypatch.setattr(os, "fsync", sync)
    files.write_text(file, "new")
    assert synced == ["bytes", "folder"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_new_folder_reaches_the_disk_before_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink())
    )
    files.write_text(tmp_path / "data" / "inbox" / "item", "face")
    assert {tmp_path, tmp_path / "data", tmp_path / "data" / "inbox"} <= set(synced)


def test_the_temporary_file_is_hidden_and_keeps_its_suffix(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "model.keras") as temporary:
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".keras"
        temporary.touch()


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    lock = tmp_path / "new folder" / "train.lock"
    with files.locked(lock), pytest.raises(Busy, match=f"train.*process {os.getpid()}"):
        files.locked(lock).__enter__()
    with files.locked(lock):
        pass


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    lock = tmp_path / "train.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"process {child.pid}"):
            files.locked(lock).__enter__()
        child.kill()
        child.wait()
        with files.locked(lock):
            pass


def test_an_error_under_the_lock_frees_it(tmp_path: Path) -> None:
    lock = tmp_path / "train.lock"
    with pytest.raises(FerError, match="no faces"), files.locked(lock):
        raise FerError("no faces")
    with files.locked(lock):
        pass
