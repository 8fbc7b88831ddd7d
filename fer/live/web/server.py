"""Serve: the live page and the API, on this machine alone unless a token is given."""

import contextlib
import ipaddress
import socket
import sys
from pathlib import Path

import uvicorn

from fer.errors import FerError
from fer.faces.detect import Detector, chosen
from fer.live.champion import Champion, Shadow
from fer.live.predictor import Predictor
from fer.live.web import films, tokens
from fer.live.web.app import create_app
from fer.live.web.connections import Connection
from fer.live.web.guard import LOOPBACK
from fer.live.web.service import MAX_BYTES, Service
from fer.params import CaptureParams
from fer.paths import Paths


def serve(
    params: CaptureParams,
    paths: Paths,
    *,
    host: str,
    port: int,
    proxy: str | None,
    model: Path | None,
) -> None:
    """Serve until interrupted.

    Args:
        params: Detector and consent.
        paths: The checkout.
        host: Address to listen at.
        port: Likewise; 0: any free one.
        proxy: Address of a reverse proxy, which is believed who asks; None: nobody is.
        model: ONNX file to serve; None: the champion, wherever its alias moves.

    Raises:
        FerError: The port is taken, a token is needed and there is none that holds, or `proxy` is
            no address.
        ModelError: The file is no emotion model.
    """
    closed = needs_token(paths, host, proxy)
    films.clear(paths)
    registry = Champion(paths)
    service = Service(
        paths=paths,
        detector=Detector(chosen(params, paths)),
        predictor=Predictor.of_file(model) if model else Predictor(registry),
        registry=registry,
        shadow=Predictor(Shadow(paths)),
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
            server(service, closed=closed, proxy=proxy).run([listening])


def server(service: Service, *, closed: bool, proxy: str | None = None) -> uvicorn.Server:
    """Return the server of one application; `run([socket])` starts it."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(service, closed=closed),
            http=Connection,
            ws="websockets-sansio",
            ws_max_size=MAX_BYTES,
            # JPEG does not compress again.
            ws_per_message_deflate=False,
            log_level="warning",
            # Addresses of people who looked at the page are nobody's business.
            access_log=False,
            server_header=False,
            # One hop: of several addresses that were forwarded, the one that the proxy added.
            proxy_headers=proxy is not None,
            forwarded_allow_ips=proxy or "",
            timeout_graceful_shutdown=2,
        )
    )


def needs_token(paths: Paths, host: str, proxy: str | None) -> bool:
    """Return whether clients must show a token: where there is one, or others can connect.

    Raises:
        FerError: They must and none holds, or `proxy` is no address.
    """
    if proxy is not None:
        try:
            ipaddress.ip_address(proxy)
        except ValueError as error:
            raise FerError(f"Expected the address of a proxy, received {error}.") from error
    made = tokens.listed(paths)
    if not made and proxy is None and host in LOOPBACK:
        return False
    if not any(one.holds for one in made):
        raise FerError(
            "Expected a token that holds, because others can connect or tokens were made, found "
            "none. Make one: `fer token new NAME`."
        )
    return True


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
