"""What a door is, and what its inputs are made of."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

BENT = "../../canary"
"""Names a file beside the checkout, from most of its folders."""


@dataclass(frozen=True)
class Door:
    """Where input comes in.

    Args:
        valid: Input that is taken.
        nasty: Input made by hand.
        offer: Hands input in; raises what the product raises. True: it was set apart.
    """

    valid: list[bytes]
    nasty: list[bytes]
    offer: Callable[[bytes], bool | None]


def encoded(value: object) -> bytes:
    """Return `value` as JSON."""
    return json.dumps(value).encode()


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of `files`."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()
