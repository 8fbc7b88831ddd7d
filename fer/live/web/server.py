"""Serve: the live page and the API, on this machine alone unless a token is given."""

import contextlib
import socket
import sys
from pathlib import Path
from typing import Final

import uvicorn

from fer.errors import FerError
from fer.faces.detect import Detector, chosen
from fer.live.champion import Champion
from fer.live.predictor import Predictor
from fer.live.web import films
from fer.live.web.app import create_app
from fer.live.web.guard import LOOPBACK
from fer.live.web.service import MAX_BYTES, Service
from fer.params import CaptureParams
from fer.paths import Paths

_MIN_TOKEN: Final = 16


def serve(
    params: CaptureParams,
    paths: Paths,
    *,
    host: str,
    port: int,
    token: str | None,
    model: Path | None,
) -> None:
    """Serve until interrupted.

    Args:
        params: Detector and consent.
        paths: The checkout.
        host: Address to listen at.
        port: Likewise; 0: any free one.
        token: What clients must show; needed where others than this machine can connect.
        model: ONNX file to serve; None: the champion, wherever its alias moves.

    Raises:
        FerError: The port is taken, or the token is missing or short.
        ModelError: The file is no emotion model.
    """
    required = checked_token(host, token)
    films.clear(paths)
    registry = Champion(paths)
    service = Service(
        paths=paths,
        detector=Detector(chosen(params, paths)),
        predictor=Predictor.of_file(model) if model else Predictor(registry),
        registry=registry,
        capture=params,
    )
    with bound(host, port) as listening:
        shown = f"[{host}]" if ":" in host else host
        print(  # noqa: T201  where to look is this command's answer
            f"Open http://{shown}:{listening.getsockname()[1]} - stop with Ctrl-C",
            file=sys.stderr,
        )
        # Ctrl-C is how it ends; uvicorn has closed everything by then.
        with contextlib.suppress(KeyboardInterrupt):
            server(service, required).run([listening])


def server(service: Service, token: str | None) -> uvicorn.Server:
    """Return the server of one application; `run([socket])` starts it."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(service, token=token),
            ws="websockets-sansio",
            ws_max_size=MAX_BYTES,
            # JPEG does not compress again.
            ws_per_message_deflate=False,
            log_level="warning",
            # Addresses of people who looked at the page are nobody's business.
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
    )


def checked_token(host: str, token: str | None) -> str | None:
    """Return the token that clients must show, or None where none is needed.

    Raises:
        FerError: `host` can be reached from elsewhere and there is none, or a short one.
    """
    if token is None and host not in LOOPBACK:
        raise FerError(
            f"Expected a token, because others can connect to {host}: set FER_TOKEN or give "
            "--token-file. `openssl rand -hex 24` makes one."
        )
    if token is not None and len(token) < _MIN_TOKEN:
        raise FerError(
            f"Expected a token of at least {_MIN_TOKEN} characters, received {len(token)}."
        )
    return token


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        FerError: The address is taken or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise FerError(
            f"Expected to listen at {host} port {port}, received: {error}. Give another --port."
        ) from error
