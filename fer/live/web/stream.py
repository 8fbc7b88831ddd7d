"""The live session: a frame comes, its faces go back, then the next."""

import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import anyio
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.types import Message

from fer.errors import DataError
from fer.faces.camera import Frame
from fer.faces.track import Tracker
from fer.live.learning import SelfLearner
from fer.live.reading import Face, follow
from fer.live.seen import Passers
from fer.live.web.service import BROWSER, Name, Service, decoded

_MAX_SESSIONS: Final = 32
_MAX_OF_ONE: Final = 24
"""Of one client, so that others find a place."""

_TRY_AGAIN_LATER: Final = 1013
_UNSUPPORTED: Final = 1003
_REFUSED: Final = 1008

# Cameras make 30 frames a second; a client that sends more waits.
_MIN_SECONDS: Final = 1 / 40


@dataclass
class _Session:
    """What one live session goes by.

    Args:
        learner: Keeps faces of the person who turned self-learning on; None: nobody did.
        blind: Whether faces come without what they show.
        tracker: Of its camera.
        passers: Likewise.
    """

    learner: SelfLearner | None
    blind: bool
    tracker: Tracker
    passers: Passers


def router(service: Service) -> APIRouter:
    """Return the live session's route."""
    routes = APIRouter()
    sessions: Counter[str] = Counter()

    @routes.websocket("/api/live")
    async def live(
        socket: WebSocket,
        sitting: str | None = None,
        camera: Name = BROWSER,
        *,
        blind: bool = False,
    ) -> None:
        """Answer frames; `blind`: with where faces are, and not with what they show."""
        await socket.accept()
        learner = _learner(service, sitting) if sitting is not None else None
        if sitting is not None and learner is None:
            await socket.close(_REFUSED, "Expected a sitting that a person agreed to")
            return
        client = socket.client.host if socket.client else ""
        if sessions.total() >= _MAX_SESSIONS or sessions[client] >= _MAX_OF_ONE:
            taken = (
                f"{sessions.total()} sessions are open already, {sessions[client]} of them yours"
            )
            await socket.close(_TRY_AGAIN_LATER, taken)
            return
        sessions[client] += 1
        try:
            with service.meters.sessions.track_inprogress():
                passers = Passers(service.onlooker, camera)
                session = _Session(learner, blind, Tracker(), passers)
                await _answer_frames(socket, service, session)
        except WebSocketDisconnect:
            pass
        finally:
            sessions[client] -= 1
            if not sessions[client]:
                del sessions[client]
            if learner is not None:
                learner.close()

    return routes


def _learner(service: Service, sitting: str) -> SelfLearner | None:
    """Return what keeps faces of this session; None where nobody agreed, or it is not offered."""
    seat = service.seats.get(sitting)
    if seat is None or seat.album is None:
        return None
    answer, settings = service.predictor.probabilities, service.capture.self_learning
    return SelfLearner(seat.album, answer, settings)


async def _answer_frames(socket: WebSocket, service: Service, session: _Session) -> None:
    while True:
        message = await socket.receive()
        data = message.get("bytes")
        if data is None:
            await _end(socket, message)
            return
        began = time.monotonic()
        # Nothing of the frame outlives this line but where its faces are, a face that
        # self-learning keeps, and counts of many faces.
        answer = await service.work(partial(_look, service, session, data, began))
        spent = time.monotonic() - began
        service.meters.seconds.observe(spent)
        await socket.send_json({**answer, "ms": round(1000 * spent, 1)})
        await anyio.sleep(max(0.0, _MIN_SECONDS - spent))


async def _end(socket: WebSocket, message: Message) -> None:
    if message["type"] == "websocket.receive":
        await socket.close(_UNSUPPORTED, "Expected a picture, received text")


def _look(service: Service, session: _Session, data: bytes, now: float) -> dict[str, Any]:
    try:
        frame = decoded(data)
    except DataError as error:
        return {"error": str(error), "faces": [], "model": model_state(service)}
    answer = None if session.blind else service.predictor.answer
    faces = follow(frame, service.detector, answer, session.tracker, seconds=now)
    count(service, faces)
    session.passers.look(frame, faces)
    learner = session.learner
    height, width = frame.shape[:2]
    return {
        "width": width,
        "height": height,
        "faces": [asdict(face) for face in faces],
        "model": model_state(service),
        "learning": None if learner is None else _learnt(service, learner, frame, faces),
    }


def _learnt(
    service: Service, learner: SelfLearner, frame: Frame, faces: list[Face]
) -> dict[str, Any]:
    kept = learner.look(frame, faces)
    if kept is not None:
        service.meters.captures.labels(kept.label).inc()
    return {
        "capture": service.captures.remember((kept.item, kept.face)) if kept else None,
        "label": kept.label if kept else None,
        "count": learner.count,
        "ended": learner.ended,
    }


def count(service: Service, faces: list[Face]) -> None:
    """Tell the meters of one frame."""
    service.meters.frames.inc()
    service.meters.faces.inc(len(faces))


def model_state(service: Service) -> dict[str, Any]:
    """Return what is being served, as the page shows it."""
    return asdict(service.predictor.state)
