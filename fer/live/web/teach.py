"""Teach: people name what their face shows, and it goes into the inbox."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from fer.data import table, undo
from fer.emotions import EMOTIONS
from fer.errors import DataError
from fer.faces.align import canonical
from fer.faces.detect import Box
from fer.faces.track import overlap
from fer.live.capture import CONSENT_VERSION, Sitting, consent_now, keep
from fer.live.learning import Album
from fer.live.web.counts import Counts
from fer.live.web.pictures import PICTURE_BODY
from fer.live.web.service import BROWSER, Name, Service, decoded
from fer.live.web.sittings import Capture, Seat
from fer.records import LabelSource, now

Emotion = Literal[EMOTIONS]  # type: ignore[valid-type]
Pixel = Annotated[int, Field(ge=0, le=100_000)]


class Agreement(BaseModel):
    """A person's consent. Who is seen goes by a pseudonym."""

    subject: Name
    domain: Name = BROWSER
    consent: str


class Started(BaseModel):
    """Name of a sitting, to be given with every capture of it."""

    sitting: str


class Captured(BaseModel):
    """Name of a capture, to undo it."""

    capture: str
    label: str


def router(service: Service) -> APIRouter:
    """Return the routes for teaching."""
    routes = APIRouter(tags=["teach"])
    counts = Counts(service.paths)

    @routes.post("/api/sittings", status_code=201)
    async def agree(agreement: Agreement) -> Started:
        """Begin to capture, after the person has read the consent text and agreed."""
        if agreement.consent != CONSENT_VERSION:
            raise HTTPException(403, f"Expected consent to text version {CONSENT_VERSION}.")
        return Started(sitting=service.seats.remember(_seat(service, agreement)))

    @routes.post("/api/captures", status_code=201, openapi_extra=PICTURE_BODY)
    async def capture(  # noqa: PLR0913, PLR0917  a query has one argument a field
        request: Request,
        sitting: str,
        label: Emotion,
        x: Pixel,
        y: Pixel,
        width: Annotated[Pixel, Field(gt=0)],
        height: Annotated[Pixel, Field(gt=0)],
        *,
        blind: bool = False,
    ) -> Captured:
        """Put the face that is nearest to the box into the inbox, under a label.

        `blind` says that no answer was shown while it was named: such a label may judge models.
        """
        seat = service.seats.get(sitting)
        if seat is None:
            raise HTTPException(403, "Expected a sitting that a person agreed to. Agree again.")
        chosen = Box(x, y, width, height)
        body = await request.body()
        said: LabelSource = "blind" if blind else "human"
        item = await service.work(partial(_keep, service, body, chosen, label, seat, said))
        service.meters.captures.labels(label).inc()
        return Captured(capture=service.captures.remember(item), label=label)

    @routes.delete("/api/captures/{capture}")
    def take_back(capture: str) -> dict[str, str]:
        """Undo a capture; what training has taken in already is left out from the next one on."""
        kept = service.captures.pop(capture, None)
        if kept is None:
            raise HTTPException(404, "Expected a capture of this server that was not undone yet.")
        return {"undone": undo.take_back(service.paths, *kept)}

    @routes.get("/api/captures")
    def counted() -> dict[str, dict[str, int]]:
        """Tell how many faces of each emotion wait in the inbox, and how many were taken in."""
        return {"waiting": counts.waiting(), "learnt": counts.taken_in()}

    return routes


def _seat(service: Service, agreement: Agreement) -> Seat:
    sitting = Sitting(
        source="webcam",
        domain=agreement.domain,
        session=f"{now():%Y%m%dT%H%M%S}",
        consent=consent_now(service.capture),
    )
    settings = service.capture.self_learning
    album = (
        Album(service.paths, settings, agreement.subject, sitting) if settings.enabled else None
    )
    return Seat(agreement.subject, sitting, album)


def _keep(
    service: Service, data: bytes, chosen: Box, label: str, seat: Seat, said: LabelSource
) -> Capture:
    frame = decoded(data)
    found = service.detector.detect(frame)
    if not found:
        raise DataError("Expected a face in the frame, found none. Look at the camera.")
    nearest = max(found, key=lambda one: overlap(one.box, chosen))
    if not overlap(nearest.box, chosen):
        raise DataError("Expected a face at that place, found none. Look at the camera.")
    face = canonical(frame, nearest.box)
    item = keep(face, label, seat.subject, seat.sitting, service.paths, label_source=said)
    return item, table.face_id(face)
