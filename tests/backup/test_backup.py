"""A backup holds one moment whole, whatever goes on meanwhile."""

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from fer import audit
from fer.backup import archive
from fer.backup.backup import backup
from fer.errors import DataError, MissingData
from fer.files import locked, read_json, write_json
from fer.privacy import places
from fer.records import now


@pytest.fixture
def target(tmp_path):
    return tmp_path / "away" / "fer.tar"


def test_only_its_owner_may_read_it(kept, target) -> None:
    report = backup(kept, target)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (report.data_version, report.registry) == (1, "kept")


def test_it_is_in_the_audit_log_and_its_time_is_known(kept, target) -> None:
    backup(kept, target)

    (entry,) = (one for one in audit.read(kept).entries if one["kind"] == "backup")
    assert entry["data_version"] == 1
    made = datetime.fromisoformat(read_json(kept.last_backup)["made"])
    assert timedelta(0) <= now() - made < timedelta(hours=1)


def test_what_a_writer_has_not_committed_is_left_out_of_the_registry(kept, target) -> None:
    with closing(sqlite3.connect(kept.registry)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("insert into aliases values ('previous', 0)")
        backup(kept, target)
        writer.rollback()
    folder = target.parent / "out"
    folder.mkdir()

    about = archive.unpack(target, folder)

    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as copy:
        assert copy.execute("select name from aliases").fetchall() == [("champion",)]
    assert [name for name in about.files if name.startswith("mlruns/mlflow.db")] == [
        "mlruns/mlflow.db"
    ]


def test_it_waits_for_an_update_to_end(kept, target, caplog) -> None:
    running = threading.Thread(target=backup, args=(kept, target))
    with locked(kept.lock("update")):
        running.start()
        running.join(0.2)
        assert not target.exists()
    running.join()

    assert target.is_file()
    assert "Waiting for `update`" in caplog.text


def test_a_registry_elsewhere_is_left_out_and_said(kept, target, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://registry.example")

    assert "http://registry.example" in backup(kept, target).registry


def test_what_the_cache_lacks_is_refused(kept, target) -> None:
    lost = next(places.cache(kept).objects.rglob("??????????????????????????????"))
    lost.unlink()

    with pytest.raises(MissingData, match="dvc fetch"):
        backup(kept, target)
    assert not target.exists()


def test_an_erasure_under_way_is_refused(kept, target) -> None:
    write_json(kept.erasure, {})

    with pytest.raises(DataError, match="fer sweep"):
        backup(kept, target)


def test_a_place_that_cannot_be_written_keeps_the_backup_before(kept, target) -> None:
    target.parent.mkdir()
    target.mkdir()

    with pytest.raises(DataError, match="Run it again"):
        backup(kept, target)
    assert [one.name for one in target.parent.iterdir()] == [target.name]
