"""What was restored is what was kept; who was erased since stays erased."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from fer import audit
from fer.backup import archive
from fer.backup.backup import backup
from fer.backup.restore import restore
from fer.cli import main
from fer.data import inbox, quarantine, version
from fer.data.version import captured
from fer.errors import Busy, DataError
from fer.files import locked, write_json
from fer.paths import Paths
from fer.privacy import erase, places
from fer.privacy.forget import forget
from tests.backup.conftest import take_in


@pytest.fixture
def file(kept, tmp_path):
    backup(kept, tmp_path / "fer.tar")
    return tmp_path / "fer.tar"


def state(paths: Paths) -> dict[str, bytes]:
    """Return every file but locks, DVC's notes to itself and the database's layout."""
    apart = (".dvc/tmp", ".fer/", "mlruns/mlflow.db")
    files = {str(one.relative_to(paths.root)): one for one in paths.root.rglob("*")}
    return {
        name: one.read_bytes()
        for name, one in files.items()
        if one.is_file() and not name.startswith(apart)
    }


def champion(paths: Paths) -> int:
    with closing(sqlite3.connect(paths.registry)) as database:
        return database.execute("select version from aliases").fetchone()[0]


def go_on(paths: Paths, faces) -> None:
    """Ingest more, and let another champion win."""
    take_in(paths, faces(4, first=40, subject="dan"))
    write_json(paths.decisions / "two.json", {"verdict": "promoted"})
    with closing(sqlite3.connect(paths.registry)) as database, database:
        database.execute("update aliases set version = 2")


def test_a_lost_checkout_comes_back_byte_for_byte(kept, file) -> None:
    before = state(kept)
    for lost in (kept.base.parent, kept.mlruns, kept.parent.parent, places.cache(kept).objects):
        shutil.rmtree(lost, ignore_errors=True)

    report = restore(kept, file)

    assert state(kept) == before
    assert champion(kept) == 1
    assert (report.data_version, report.erased_again) == (1, 0)
    (entry,) = (one for one in audit.read(kept).entries if one["kind"] == "restore")
    assert (entry["made"], entry["data_version"]) == (report.made, 1)
    assert len(captured(kept, version.read(kept.version))) == 8


def test_what_is_newer_is_replaced_by_force_alone(kept, file, faces) -> None:
    before = version.read(kept.version)
    go_on(kept, faces)
    newer = state(kept)

    with pytest.raises(DataError, match=r"data version 2.* and 1 verdicts.*--force"):
        restore(kept, file)
    assert state(kept) == newer

    restore(kept, file, force=True)
    assert version.read(kept.version) == before
    assert champion(kept) == 1
    assert {one.name for one in kept.captures.glob("*.parquet")} == {before.captures[0].file}


def test_what_waits_here_and_there_waits_afterwards(kept, file, faces) -> None:
    inbox.remove(inbox.read(kept.inbox).files)
    inbox.put(kept.inbox, faces(1, first=50, subject="eve"))

    restore(kept, file)

    assert set(inbox.read(kept.inbox).faces["subject"]) == {"cleo", "eve"}


@pytest.mark.parametrize("harm", ["byte", "pointer", "registry"])
def test_a_backup_that_is_not_whole_changes_nothing(kept, file, harm, tmp_path) -> None:
    if harm == "byte":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    else:
        folder = tmp_path / "out"
        folder.mkdir()
        about = archive.unpack(file, folder)
        name = "mlruns/mlflow.db" if harm == "registry" else next(
            one for one in about.files if one.endswith(".parquet.dvc"))  # fmt: skip
        text = b"cmd: rm -rf ." if harm == "pointer" else (folder / name).read_bytes()[:5000]
        (folder / name).write_bytes(text)
        archive.pack([(one, folder / one) for one in about.files], about.made, 1, file)
    before = state(kept)

    with pytest.raises((DataError, sqlite3.DatabaseError)):
        restore(kept, file)

    assert state(kept) == before
    assert not kept.restoring.exists()
    assert not kept.unpacked.exists()


def test_who_was_erased_since_stays_erased(kept, file, faces) -> None:
    hers = {*faces(8)["id"][::2], faces(1, first=20)["id"][0]}
    # Gone before she asked, so that no receipt names it.
    quarantine.remove(kept.quarantine, faces(1, first=20)["id"][0])
    forget("ana", kept)
    gone = version.read(kept.version).number

    report = restore(kept, file, force=True)

    left = captured(kept, version.read(kept.version))
    assert set(left["subject"]) == {"bob"}
    assert set(quarantine.read(kept.quarantine)["subject"]) == {"bob"}
    assert report.erased_again == 1
    assert report.data_version > gone
    assert not any(one.encode() in data for one in hers for name, data in state(kept).items()
                   if not name.startswith("data/receipts/"))  # fmt: skip


def test_numbers_of_receipts_are_not_given_again(kept, file, faces) -> None:
    take_in(kept, faces(4, first=40, subject="dan"))
    forget("dan", kept)
    gone = version.read(kept.version).number
    restore(kept, file, force=True)

    take_in(kept, faces(4, first=60, subject="fay"))

    assert version.read(kept.version).number > gone


def test_cut_short_it_refuses_all_else_until_it_is_run_again(
    kept, file, faces, monkeypatch, capsys
) -> None:
    forget("ana", kept)
    with monkeypatch.context() as dying:
        dying.setattr(erase, "erase", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            restore(kept, file, force=True)

    assert main(["models"]) == 1
    assert f"fer restore {file}" in capsys.readouterr().err
    restore(kept, file)

    assert set(captured(kept, version.read(kept.version))["subject"]) == {"bob"}
    assert not kept.restoring.exists()


def test_a_running_step_is_waited_for(kept, file) -> None:
    with locked(kept.lock("train")), pytest.raises(Busy, match="train"):
        restore(kept, file)
