"""A person gets all that is kept of them, and nothing of anybody else."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from fer import audit
from fer.errors import DataError
from fer.privacy import export
from fer.registry import retire


@pytest.fixture
def packed(house, tmp_path: Path, monkeypatch) -> zipfile.ZipFile:
    monkeypatch.setattr(retire, "learnt_from", lambda _, span: [span.first, span.last])
    export.export("ana", house.paths, tmp_path / "ana.zip")
    return zipfile.ZipFile(tmp_path / "ana.zip")


def test_it_has_every_picture_of_theirs_and_no_other(house, packed) -> None:
    pictures = {packed.read(name) for name in packed.namelist() if name.endswith(".png")}
    assert pictures == set(house.hers["image"])


def test_it_tells_what_is_known_of_each(house, packed) -> None:
    told = json.loads(packed.read("about.json"))
    first = next(one for one in told["faces"] if one["id"] == house.hers["id"].iloc[0])

    assert {one["where"] for one in told["faces"]} == {"inbox", "quarantine", "data version"}
    assert {one["subject"] for one in told["faces"]} == {"ana"}
    assert first["captured_at"].startswith("2026-03-01T09:00")
    assert first["label"] == "happy"
    assert {one["verdict"] for one in told["decisions"]} == {"accept", "reject"}
    assert told["models_that_learnt_from_them"] == [1, 3]
    assert set(packed.namelist()) == {"about.json", *(one["picture"] for one in told["faces"])}


def test_it_says_nothing_of_others(house, packed) -> None:
    text = packed.read("about.json").decode()
    people = {f'"{name}' for name in house.others["subject"]}
    assert not [name for name in (*house.others["id"], *people) if name in text]


def test_the_audit_log_knows_of_it_by_a_face_and_not_by_the_name(house, packed) -> None:
    (said,) = audit.read(house.paths).entries
    assert (said["kind"], said["faces"]) == ("export", house.hers["id"].nunique())
    assert said["face"] in set(house.hers["id"])
    assert "ana" not in json.dumps(said)


def test_only_the_owner_may_read_it(packed) -> None:
    assert stat.S_IMODE(Path(packed.filename).stat().st_mode) == 0o600


def test_of_nobody_there_is_no_file(house, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'zoe'"):
        export.export("zoe", house.paths, tmp_path / "zoe.zip")
    assert not (tmp_path / "zoe.zip").exists()
