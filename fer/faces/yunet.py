"""YuNet's file: fetched once, and kept only if it is the one that was measured."""

from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fer.errors import DataError, FerError
from fer.files import locked, replacing, sha256
from fer.paths import Paths

URLS: Final = (
    "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_s_640_640.onnx",
    "https://github.com/opencv/opencv_zoo/raw/966be4cb6eefc2a4f586ed0581bf4bbaa2533070/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
)
"""The same file at its author's and at OpenCV's (MIT licence), as of two commits."""

SIZE: Final = 232_589
SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

_TIMEOUT_SECONDS: Final = 20
"""How long a server may say nothing."""

_CHUNK_BYTES: Final = 65_536


def fetch(paths: Paths, urls: Sequence[str] = URLS) -> None:
    """Put YuNet's file where `paths.detector` is, whole or not at all, if it is not there yet.

    What an attempt before this one received is not asked for again.

    Args:
        paths: The checkout.
        urls: Where to ask, one after the other, until one has given the file.

    Raises:
        FerError: None has; says why each.
        Busy: Another process is fetching it.
    """
    target = paths.detector
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    reasons: dict[str, str] = {}
    with locked(paths.lock("yunet")):
        if target.is_file() and is_whole(target):
            return
        for url in urls:
            try:
                _complete(part, url)
            except (OSError, HTTPException, DataError) as error:
                reasons[urlsplit(url).netloc] = str(error).strip("<>")
            else:
                with replacing(target) as temporary:
                    part.replace(temporary)
                return
    told = "; ".join(f"from {host}: {reason}" for host, reason in reasons.items())
    raise FerError(
        f"Expected YuNet's file, received {told}. Is this machine online? Try again, which goes "
        f"on where it broke off, or put the file at {target} yourself; until then the Haar "
        "cascade finds the faces."
    )


def is_whole(path: Path) -> bool:
    """Whether the file at `path` is YuNet's."""
    return path.stat().st_size == SIZE and sha256(path) == SHA256


def _complete(part: Path, url: str) -> None:
    """Bring `part` to the whole file.

    Raises:
        OSError: The server cannot be reached or refuses.
        HTTPException: It speaks no HTTP.
        DataError: It broke off, and `part` holds what came; or it has another file, and `part` is
            gone.
    """
    had = part.stat().st_size if part.is_file() else 0
    if had < SIZE:
        _append(part, had, url)
    if not is_whole(part):
        received = part.stat().st_size
        part.unlink()
        raise DataError(f"another file (of {received} bytes where YuNet has {SIZE})")


def _append(part: Path, had: int, url: str) -> None:
    asked = Request(url, headers={"Range": f"bytes={had}-"} if had else {})  # noqa: S310  https, ours
    with urlopen(asked, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        # A server that does not know ranges sends everything anew.
        continued = answer.headers.get("Content-Range", "").startswith(f"bytes {had}-")
        with part.open("ab" if continued else "wb") as file:
            # One byte too many is enough to know that it is another file.
            while chunk := answer.read1(min(_CHUNK_BYTES, SIZE + 1 - file.tell())):
                file.write(chunk)
            received = file.tell()
        if received < SIZE and answer.length:
            raise DataError(f"{received} of {SIZE} bytes before it broke off")
