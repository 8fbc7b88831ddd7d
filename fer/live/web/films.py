"""A film comes, what is read in each of its frames goes back; the film is not kept."""

import json
import re
from collections.abc import AsyncIterator, Generator
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Annotated, Any, Final

import anyio
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import StreamingResponse

from fer.errors import CameraError, DataError
from fer.live.film import of_film
from fer.live.reading import Reading
from fer.live.web.service import Service
from fer.live.web.stream import count

_AT_ONCE: Final = 2
"""Films in work; each may take `MAX_FILM_BYTES` of the disk."""

_TRY_AGAIN_SECONDS: Final = 10

_RECEIVING_SECONDS: Final = 300
"""In which a film has to come, else its place is another's: the largest one at 13 Mbit/s."""

# FFmpeg also reads playlists, which name other files and addresses for it to open. So a film is
# known by how its container begins, whatever it is called.
_CONTAINERS: Final = {
    "MP4, MOV": re.compile(rb".{4}(ftyp|moov|mdat|wide|free)", re.DOTALL),
    "WebM, Matroska": re.compile(rb"\x1a\x45\xdf\xa3"),
    "AVI": re.compile(rb"RIFF.{4}AVI ", re.DOTALL),
    "Ogg": re.compile(rb"OggS"),
}

_FILM_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"video/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def router(service: Service) -> APIRouter:
    """Return the route for films."""
    routes = APIRouter(tags=["faces"])
    places = anyio.CapacityLimiter(_AT_ONCE)

    async def received(request: Request) -> AsyncIterator[Path]:
        client = request.client.host if request.client else ""
        if client in places.statistics().borrowers:
            raise _full("1 film at once from one client")
        try:
            places.acquire_on_behalf_of_nowait(client)
        except anyio.WouldBlock:
            raise _full(f"{_AT_ONCE} films at once") from None
        try:
            with NamedTemporaryFile(prefix="fer-", suffix=".film") as file:
                await _receive(request, file)
                yield Path(file.name)
        finally:
            places.release_on_behalf_of(client)

    @routes.post("/api/films", response_class=StreamingResponse, openapi_extra=_FILM_BODY)
    async def film(path: Annotated[Path, Depends(received)]) -> StreamingResponse:
        """Tell the faces in every frame, a line of JSON each, as they are found.

        Only faces that stay are told, and numbered. One frame is in memory at a time.
        """
        _check_container(path)
        readings = of_film(path, service.detector, service.predictor.answer)
        try:
            first = await service.work(partial(next, readings, None))
        except CameraError as error:
            # That one names the file on this machine.
            raise CameraError(
                "Expected a film, received one without a frame that can be read. Save it as MP4."
            ) from error
        return StreamingResponse(
            _lines(service, first, readings), media_type="application/x-ndjson"
        )

    return routes


def _full(most: str) -> HTTPException:
    return HTTPException(
        429,
        f"Expected at most {most}, received one more. Try again later.",
        {"Retry-After": str(_TRY_AGAIN_SECONDS)},
    )


async def _receive(request: Request, file: IO[bytes]) -> None:
    try:
        with anyio.fail_after(_RECEIVING_SECONDS):
            async for part in request.stream():
                file.write(part)
    except TimeoutError:
        raise HTTPException(
            408,
            f"Expected a film within {_RECEIVING_SECONDS} s, received a part. Send it smaller.",
        ) from None
    file.flush()


def _check_container(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    if not any(begin.match(head) for begin in _CONTAINERS.values()):
        raise DataError(
            f"Expected a film ({', '.join(_CONTAINERS)}), received something else. Save it as MP4."
        )


async def _lines(
    service: Service, first: Reading | None, readings: Generator[Reading, None, None]
) -> AsyncIterator[str]:
    reading = first
    with closing(readings):
        while reading is not None:
            count(service, reading.faces)
            # The name on this machine is nobody's business.
            yield json.dumps(asdict(replace(reading, path=""))) + "\n"
            # Frame by frame, so that live sessions have their turn in between.
            reading = await service.work(partial(next, readings, None))
