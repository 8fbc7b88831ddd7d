"""The archive: a tar file whose last member names every other one with its SHA-256.

Names are those of the checkout, wherever DVC's cache really is.
"""

import hashlib
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from pydantic import TypeAdapter

from fer.errors import DataError
from fer.files import replacing, sha256

OBJECTS: Final = ".dvc/cache/files/md5"
RUNS: Final = ".dvc/cache/runs"

_ABOUT: Final = "about.json"
_FORMAT: Final = 1
_NAME: Final = r"[^/.][^/]*"
_EXPECTED: Final = re.compile(
    "|".join([
        r"params\.yaml|dvc\.lock|data/version\.json",
        rf"data/captures/{_NAME}\.parquet\.dvc|models/parent\.(keras|onnx)\.dvc",
        rf"data/(inbox|quarantine|receipts)/{_NAME}",
        rf"mlruns(/{_NAME})+",
        rf"{OBJECTS}/[0-9a-f]{{2}}/[0-9a-f]{{30}}",
        rf"{RUNS}/[0-9a-f]{{2}}/[0-9a-f]{{64}}/[0-9a-f]{{64}}",
    ])
)  # fmt: skip
"""What may be in an archive. Nothing in it is code, or says what to run; DVC's lists of folders,
which say where to write, are not there either: no stage has one."""


@dataclass(frozen=True)
class About:
    """What an archive says of itself.

    Args:
        made: When, UTC.
        data_version: Number of the data version.
        files: SHA-256 of each file, by name.
        format: Of the archive.
    """

    made: str
    data_version: int
    files: dict[str, str]
    format: int = _FORMAT


_READER: Final = TypeAdapter(About)


class _Hashing:
    """A file that is hashed while it is read: what was packed, not what is there afterwards."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def expects(name: str) -> bool:
    """Whether a file of this name may be in an archive."""
    return _EXPECTED.fullmatch(name) is not None


def pack(files: Iterable[tuple[str, Path]], made: str, data_version: int, target: Path) -> About:
    """Write `files`, each under its name, to the tar file `target`, whole or not at all.

    Raises:
        DataError: A file changed or vanished meanwhile, or the place cannot be written.
    """
    try:
        with (
            replacing(target, secret=True) as temporary,
            tarfile.open(temporary, "w:") as tar,
        ):
            digests = {name: _add(tar, name, path) for name, path in files}
            about = About(made, data_version, digests)
            text = json.dumps(asdict(about), indent=1).encode()
            last = tarfile.TarInfo(_ABOUT)
            last.size = len(text)
            tar.addfile(last, BytesIO(text))
    except OSError as error:
        raise DataError(
            f"Expected to write everything to {target}, received: {error}. Run it again."
        ) from error
    return about


def _add(tar: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as file:
        member, hashed = tar.gettarinfo(arcname=name, fileobj=file), _Hashing(file)
        # Who packed it is nobody's business; when it was set apart, retention asks.
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o600
        tar.addfile(member, hashed)  # type: ignore[arg-type]  # it only reads
    return hashed.digest.hexdigest()


def unpack(source: Path, folder: Path) -> About:
    """Unpack an archive into `folder`, and make sure that every byte is as it was packed.

    Raises:
        DataError: It is none, is cut short or damaged, holds what no archive does, or there is no
            room for it.
    """
    try:
        with tarfile.open(source, "r:") as tar:
            members = tar.getmembers()
            _check(members, folder)
            for member in members:
                _extract(tar, member, folder / member.name)
        about = _about((folder / _ABOUT).read_bytes())
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise DataError(
            f"Expected a whole backup in {source}, received: {error!r}. Take another one."
        ) from error
    (folder / _ABOUT).unlink()
    here = {one.name for one in members} - {_ABOUT}
    both = sorted(here & about.files.keys())
    wrong = [name for name in both if sha256(folder / name) != about.files[name]]
    if wrong := [*wrong, *sorted(here ^ about.files.keys())]:
        raise DataError(
            f"Expected a whole backup in {source}, received {len(wrong)} files that are damaged, "
            f"missing or too many, the first of them {wrong[0]}. Take another one."
        )
    return about


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> None:
    """Write a regular file, for its owner alone; `extractall` has filters from 3.11.4 on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    packed = cast(IO[bytes], tar.extractfile(member))
    with packed, file.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    file.chmod(0o600)
    os.utime(file, (member.mtime, member.mtime))


def _check(members: list[tarfile.TarInfo], folder: Path) -> None:
    known = {one.name for one in members if one.isreg() and expects(one.name)}
    if odd := [one.name for one in members if one.name not in {*known, _ABOUT}]:
        raise ValueError(f"{odd[0]}, which no backup has")
    if len({one.name for one in members}) < len(members):
        raise ValueError("one name twice")
    needed, free = sum(one.size for one in members), shutil.disk_usage(folder).free
    if needed > free:
        raise ValueError(f"{needed / 1e6:.0f} MB, where {free / 1e6:.0f} MB are free")


def _about(text: bytes) -> About:
    about = _READER.validate_json(text, strict=True)
    if about.format != _FORMAT:
        raise ValueError(f"format {about.format}, which another release wrote")
    return about
