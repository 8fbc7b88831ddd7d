"""A film comes, what is read in each of its frames goes back; the film is not kept."""

import json
import re
from collections.abc import AsyncIterator, Generator
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Final

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
        # A name of its own for each request: the limiter lends to borrowers.
        try:
            places.acquire_on_behalf_of_nowait(request)
        except anyio.WouldBlock:
            raise HTTPException(
                429,
                f"Expected at most {_AT_ONCE} films at once, received one more. Try again later.",
                {"Retry-After": str(_TRY_AGAIN_SECONDS)},
            ) from None
        try:
            with NamedTemporaryFile(prefix="fer-", suffix=".film") as file:
                async for part in request.stream():
                    file.write(part)
                file.flush()
                yield Path(file.name)
        finally:
            places.release_on_behalf_of(request)

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
