"""Tokens: what others than this machine show to be let in. Hashes of them alone are kept."""

import functools
import hashlib
import hmac
import logging
import re
import secrets
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from fer import audit
from fer.errors import DataError, FerError
from fer.files import locked, replacing
from fer.paths import Paths
from fer.records import now

_BYTES: Final = 32
"""256 bits of chance: nobody guesses them, so that a fast hash is enough."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RESERVED: Final = (audit.LOCAL, audit.FLOW)

_log = logging.getLogger(__name__)


class Token(BaseModel):
    """What is kept of a token.

    Args:
        name: Of who or what holds it; the audit log says it.
        sha256: Of what `signed_in` makes of it, hexadecimal.
        created: UTC.
        expires: Likewise; from then on it opens nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created: AwareDatetime
    expires: AwareDatetime

    @property
    def holds(self) -> bool:
        """Whether it has not expired."""
        return now() < self.expires


_FILE: Final = TypeAdapter(list[Token])


def signed_in(token: str) -> str:
    """Return what a browser holds in the token's place: it does not tell the token."""
    return hmac.new(token.encode(), b"fer_token", "sha256").hexdigest()


def listed(paths: Paths) -> list[Token]:
    """Return every token that was made and not revoked, by name.

    Raises:
        DataError: The file is damaged.
    """
    try:
        return _FILE.validate_json(paths.tokens.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise DataError(
            f"Expected tokens in {paths.tokens}, received: {error}. Delete it, and make them anew "
            "with `fer token new NAME`."
        ) from error


def holder(paths: Paths, shown: str) -> str | None:
    """Return the name of the token behind `shown`, which `signed_in` made; None: nobody's.

    Reads the file each time: a token that is revoked opens nothing from then on. A damaged file
    opens nothing either, and the log says so.
    """
    if not shown:
        return None
    digest = hashlib.sha256(shown.encode()).hexdigest()
    # Each is compared, in a time that tells neither how much of it is equal nor which.
    try:
        equal = [one for one in listed(paths) if hmac.compare_digest(one.sha256, digest)]
    except DataError as error:
        _warn(str(error))
        return None
    return next((one.name for one in equal if one.holds), None)


@functools.cache
def _warn(text: str) -> None:
    # Once, because whoever asks would fill the log.
    _log.warning(text)


def new(paths: Paths, name: str, days: int) -> str:
    """Make a token and return it; nothing can tell it again.

    Args:
        paths: The checkout.
        name: Lower-case letters, digits and hyphens, at most 40.
        days: After which it ends, 1 or more.

    Raises:
        DataError: The name is taken or none, the days are not positive, or the file is damaged.
        Busy: Another process makes or revokes one.
    """
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise DataError(
            "Expected a name of lower-case letters, digits and hyphens, such as kiosk-2, but not "
            f"{' or '.join(_RESERVED)}, received {name!r}."
        )
    if not 1 <= days <= 36_500:
        raise DataError(f"Expected --days from 1 to 36500, received {days}.")
    token, moment = secrets.token_urlsafe(_BYTES), now()
    with locked(paths.lock("tokens")):
        others = [one for one in listed(paths) if one.name != name or one.holds]
        if any(one.name == name for one in others):
            raise DataError(
                f"Expected another name, because {name} has a token already. `fer token revoke "
                f"{name}` ends it."
            )
        made = Token(
            name=name,
            sha256=hashlib.sha256(signed_in(token).encode()).hexdigest(),
            created=moment,
            expires=moment + timedelta(days=days),
        )
        _write(paths, [*others, made])
    audit.record(paths, "token", did="new", name=name)
    return token


def revoke(paths: Paths, name: str) -> None:
    """End a token: from now on it opens nothing, and live sessions that it opened end.

    Raises:
        FerError: There is none of that name.
        Busy: Another process makes or revokes one.
    """
    with locked(paths.lock("tokens")):
        before = listed(paths)
        kept = [one for one in before if one.name != name]
        if len(kept) == len(before):
            raise FerError(
                f"Expected the name of a token, received {name!r}. See `fer token list`."
            )
        _write(paths, kept)
    audit.record(paths, "token", did="revoke", name=name)


def _write(paths: Paths, tokens: list[Token]) -> None:
    told = _FILE.dump_json(sorted(tokens, key=lambda one: one.name), indent=1)
    with replacing(paths.tokens, secret=True) as temporary:
        temporary.write_bytes(told + b"\n")
