"""Receipts of erasures: by content what was removed, so that it can be proved and stays out.

They lie in git beside the data version. A face's id is the SHA-256 of pixels that exist nowhere
any more; a person's name is kept as a salted scrypt hash, of no use to who cannot guess it.
"""

import contextlib
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fer.errors import DataError
from fer.files import read_json, write_json
from fer.paths import Paths
from fer.records import Span, now


@dataclass(frozen=True)
class Receipt:
    """One erasure.

    Args:
        name: Of its file, without the suffix; in the order of time.
        began: When, UTC.
        reason: Why: a person asked, or their faces were kept long enough.
        person: Hash of the pseudonym; None: the faces of several people, picked by their age.
        salt: Of that hash, hexadecimal.
        faces: Ids of all faces that were erased.
        seen: Data versions that held them; None: they waited, and never were in one.
        learnt: Those whose training faces held them, where models were retired too.
        removed: Files that were deleted and files that were replaced, `{path: SHA-256}`.
        objects: MD5 of what was deleted from DVC's cache and remotes.
        stores: Cache and remotes that were reached.
        models: Versions that were retired.
        data_version: The first one without the faces; None: the erasure has not ended.
        ended: When everything was done, UTC.
        left: What still held something then and this product did not write, and what cannot be
            searched.
    """

    name: str
    began: str
    reason: str
    person: str | None
    salt: str
    faces: tuple[str, ...] = ()
    seen: Span | None = None
    learnt: Span | None = None
    removed: dict[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    models: tuple[int, ...] = ()
    data_version: int | None = None
    ended: str | None = None
    left: tuple[str, ...] = ()

    def is_about(self, person: str) -> bool:
        """Whether `person` is who was erased."""
        return self.person is not None and hmac.compare_digest(
            self.person, _hash(person, self.salt)
        )


def begin(reason: str, person: str | None) -> Receipt:
    """Return the receipt of an erasure that begins now."""
    salt, moment = secrets.token_hex(16), now()
    return Receipt(
        name=f"{moment:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}",
        began=moment.isoformat(timespec="seconds"),
        reason=reason,
        person=None if person is None else _hash(person, salt),
        salt=salt,
    )


def _hash(person: str, salt: str) -> str:
    # Slow on purpose: pseudonyms are short, and a fast hash would be guessed.
    return hashlib.scrypt(person.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def path_of(paths: Paths, receipt: Receipt) -> Path:
    """Return where `receipt` lies once the erasure has ended."""
    return paths.receipts / f"{receipt.name}.json"


def write(path: Path, receipt: Receipt) -> None:
    """Replace `path` by `receipt`, whole or not at all."""
    write_json(path, asdict(receipt))


def read(path: Path) -> Receipt:
    """Return the receipt in `path`.

    Raises:
        DataError: It is none.
    """
    try:
        return parsed(read_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Expected a receipt of an erasure in {path}, received: {error!r}. `git checkout` it."
        ) from error


def parsed(value: dict[str, Any]) -> Receipt:
    """Return the receipt that `asdict` wrote as `value`."""
    spans = {name: Span(**value[name]) if value[name] else None for name in ("seen", "learnt")}
    lists = ("faces", "objects", "stores", "models", "left")
    return Receipt(**{**value, **spans, **{name: tuple(value[name]) for name in lists}})


def listed(paths: Paths) -> list[Receipt]:
    """Return every receipt, oldest first."""
    return [read(path) for path in sorted(paths.receipts.glob("[!.]*.json"))]


def next_version(paths: Paths, number: int) -> int:
    """Return the number of the data version after `number`: none that a receipt speaks of.

    After a restore the numbers go on behind those of before: a receipt says by number which
    models learnt from a person.
    """
    return 1 + max([number, *(one.data_version or 0 for one in listed(paths))])


def forgotten_since(paths: Paths, person: str, moment: datetime) -> bool:
    """Whether `person` is being erased, or was since `moment` (with time zone)."""
    # It may end while it is looked at; then there is a receipt.
    with contextlib.suppress(FileNotFoundError):
        if read_json(paths.erasure)["person"] == person:
            return True
    # Receipts know whole seconds; who agrees within the same one agrees again.
    since = moment.replace(microsecond=0)
    return any(
        one.ended is not None
        and datetime.fromisoformat(one.ended) >= since
        and one.is_about(person)
        for one in listed(paths)
    )


def erased(paths: Paths) -> set[str]:
    """Return the ids of all faces that were erased: they do not come back from some copy."""
    return {face for receipt in listed(paths) for face in receipt.faces}
