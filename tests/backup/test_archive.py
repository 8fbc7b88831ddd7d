"""An archive is taken whole, or not at all, and writes nowhere but where it is told to."""

import io
import tarfile
from pathlib import Path

import pytest

from fer.backup.archive import pack, unpack
from fer.errors import DataError


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """An archive of two files."""
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode() * 20_000)
    named = [("params.yaml", tmp_path / "one"), ("data/inbox/two", tmp_path / "two")]
    pack(named, "2026-11-21T00:00:00+00:00", 4, tmp_path / "whole.tar")
    return tmp_path / "whole.tar"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_what_was_packed_comes_out(whole: Path, folder: Path) -> None:
    about = unpack(whole, folder)

    assert about.data_version == 4
    assert sorted(about.files) == ["data/inbox/two", "params.yaml"]
    assert (folder / "data" / "inbox" / "two").read_bytes() == b"two" * 20_000


@pytest.mark.parametrize("place", [100, 5_000, 61_000, -11_000])
def test_one_wrong_byte_is_refused(whole: Path, folder: Path, place: int) -> None:
    data = bytearray(whole.read_bytes())
    data[place] ^= 1
    whole.write_bytes(data)

    with pytest.raises(DataError, match="Expected a whole backup"):
        unpack(whole, folder)


@pytest.mark.parametrize("size", [0, 512, 30_000, 110_000])
def test_one_that_was_cut_short_is_refused(whole: Path, folder: Path, size: int) -> None:
    whole.write_bytes(whole.read_bytes()[:size])

    with pytest.raises(DataError, match="Expected a whole backup"):
        unpack(whole, folder)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("data/inbox/../../../outside", tarfile.REGTYPE),
        ("/etc/outside", tarfile.REGTYPE),
        ("data/inbox/link", tarfile.SYMTYPE),
        ("data/inbox/link", tarfile.LNKTYPE),
        ("data/inbox/device", tarfile.CHRTYPE),
        ("dvc.yaml", tarfile.REGTYPE),
        (".dvc/config", tarfile.REGTYPE),
        (".git/hooks/post-checkout", tarfile.REGTYPE),
        # DVC would write what it lists wherever it says.
        (f".dvc/cache/files/md5/ab/{30 * 'c'}.dir", tarfile.REGTYPE),
        ("params.yaml", tarfile.REGTYPE),
    ],
)
def test_what_no_backup_has_is_refused(whole: Path, folder: Path, name: str, kind: bytes) -> None:
    with tarfile.open(whole, "a:") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0
        tar.addfile(member, io.BytesIO())

    with pytest.raises(DataError, match="Expected a whole backup"):
        unpack(whole, folder)
    assert list(folder.rglob("*")) == []


@pytest.mark.parametrize(
    "told",
    ["[]", "{}", '{"made": 1, "data_version": "x", "files": []}',
     '{"made": "", "data_version": "4", "files": {}}'],
)  # fmt: skip
def test_one_that_says_nothing_sensible_of_itself_is_refused(
    tmp_path: Path, folder: Path, told: str
) -> None:
    with tarfile.open(tmp_path / "odd.tar", "w:") as tar:
        member = tarfile.TarInfo("about.json")
        member.size = len(told)
        tar.addfile(member, io.BytesIO(told.encode()))

    with pytest.raises(DataError, match="Expected a whole backup"):
        unpack(tmp_path / "odd.tar", folder)


def test_one_that_claims_more_than_there_is_room_for_is_refused(whole: Path, folder: Path) -> None:
    with whole.open("r+b") as file:
        header = tarfile.TarInfo("params.yaml")
        header.size = 2**60
        file.write(header.tobuf())

    with pytest.raises(DataError, match="Expected a whole backup"):
        unpack(whole, folder)
