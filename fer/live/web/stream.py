"""The live session: a frame comes, its faces go back, then the next."""

import time
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import anyio
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.types import Message

from fer.errors import DataError
from fer.faces.track import Tracker
from fer.live.reading import Face, follow
from fer.live.web.service import Service, decoded

_MAX_SESSIONS: Final = 32
_TRY_AGAIN_LATER: Final = 1013
_UNSUPPORTED: Final = 1003

# Cameras make 30 frames a second; a client that sends more waits.
_MIN_SECONDS: Final = 1 / 40


def router(service: Service) -> APIRouter:
    """Return the live session's route."""
    routes = APIRouter()
    sessions: set[WebSocket] = set()

    @routes.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        if len(sessions) >= _MAX_SESSIONS:
            await socket.close(_TRY_AGAIN_LATER, f"{_MAX_SESSIONS} sessions are open already")
            return
        sessions.add(socket)
        try:
            with service.meters.sessions.track_inprogress():
                await _answer_frames(socket, service)
        except WebSocketDisconnect:
            pass
        finally:
            sessions.discard(socket)

    return routes


async def _answer_frames(socket: WebSocket, service: Service) -> None:
    tracker = Tracker()
    while True:
        message = await socket.receive()
        data = message.get("bytes")
        if data is None:
            await _end(socket, message)
            return
        began = time.monotonic()
        # Nothing of the frame outlives this line but where its faces are.
        answer = await service.work(partial(_look, service, data, tracker, began))
        spent = time.monotonic() - began
        service.meters.seconds.observe(spent)
        await socket.send_json({**answer, "ms": round(1000 * spent, 1)})
        await anyio.sleep(max(0.0, _MIN_SECONDS - spent))


async def _end(socket: WebSocket, message: Message) -> None:
    if message["type"] == "websocket.receive":
        await socket.close(_UNSUPPORTED, "Expected a picture, received text")


def _look(service: Service, data: bytes, tracker: Tracker, now: float) -> dict[str, Any]:
    try:
        frame = decoded(data)
    except DataError as error:
        return {"error": str(error), "faces": [], "model": model_state(service)}
    faces = follow(frame, service.detector, service.predictor.answer, tracker, seconds=now)
    count(service, faces)
    height, width = frame.shape[:2]
    return {
        "width": width,
        "height": height,
        "faces": [asdict(face) for face in faces],
        "model": model_state(service),
    }


def count(service: Service, faces: list[Face]) -> None:
    """Tell the meters of one frame."""
    service.meters.frames.inc()
    service.meters.faces.inc(len(faces))


def model_state(service: Service) -> dict[str, Any]:
    """Return what is being served, as the page shows it."""
    return asdict(service.predictor.state)
