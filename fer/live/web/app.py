"""The application: routes, errors, the page, and who may ask."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from fer.errors import Busy, CameraError, DataError, FerError, MissingData, ModelError
from fer.live.web import about, films, models, pictures, review, stream, teach, update
from fer.live.web.guard import Guard
from fer.live.web.patience import Patience
from fer.live.web.service import Service

_STATIC: Final = Path(__file__).parent / "static"

# What the client can mend is 422; what must be mended on the server's side is 409 or 503.
_STATUS: Final[tuple[tuple[type[FerError], int], ...]] = (
    (ModelError, 503),
    (MissingData, 503),
    (DataError, 422),
    (CameraError, 422),
    (Busy, 409),
)

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Refusal(BaseModel):
    """Why nothing came of a request: in words, or fault by fault."""

    detail: str | list[dict[str, Any]]


def create_app(service: Service, *, closed: bool) -> FastAPI:
    """Return the application.

    Args:
        service: What the routes share.
        closed: Whether clients must show a token; not where only this machine can connect.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        followed = (service.predictor, service.shadow)
        for one in followed:
            one.follow()
        yield
        for one in followed:
            one.close()

    # The ready-made documentation pages load scripts from the internet.
    app = FastAPI(
        title="fer", version="1", docs_url=None, redoc_url=None, lifespan=lifespan,
        responses={"default": {"model": Refusal, "description": "Refused; says why."}},
    )  # fmt: skip
    # What is added last comes first: who may not ask is not waited for.
    app.add_middleware(Patience)
    tokens = service.paths if closed else None
    app.add_middleware(Guard, tokens=tokens, limits=service.limits)
    app.add_exception_handler(FerError, _explain)
    app.add_exception_handler(OSError, _find_no_room)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(RequestValidationError, _point_out)
    for part in (about, stream, pictures, films, teach, models, review, update):
        app.include_router(part.router(service))
    app.mount("/static", StaticFiles(directory=_STATIC))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    return app


async def _answer_nobody(_: Request, __: Exception) -> Response:
    # Who leaves while sending is no error; the log would have a traceback.
    return Response(status_code=400)


async def _point_out(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong, and do not say what came: not all of that fits into JSON."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    told = [{name: fault[name] for name in ("type", "loc", "msg")} for fault in faults]
    return JSONResponse({"detail": told}, 422)


async def _find_no_room(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OSError) or error.errno not in _FULL:
        raise error
    # Whatever is written here is whole or absent.
    detail = "Expected room on the server's disk, found none: nothing was kept. Free some."
    return JSONResponse({"detail": detail}, 507)


async def _explain(_: Request, error: Exception) -> JSONResponse:
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 409)
    return JSONResponse({"detail": str(error)}, status)
