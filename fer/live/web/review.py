"""Review: faces that were set apart, and what a person says of them."""

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fer.data import inbox, review
from fer.live.web.service import Service
from fer.live.web.teach import Emotion
from fer.records import Decision


class Waiting(BaseModel):
    """A face that was set apart."""

    face: str
    image: str
    label: str | None
    domain: str
    subject: str | None
    reason: str
    decided: str | None


class Verdict(BaseModel):
    """What a person says of a face; a label accepts it under that label."""

    face: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    verdict: Literal["accept", "reject"]
    label: Emotion | None = None


def router(service: Service) -> APIRouter:
    """Return the routes for review."""
    routes = APIRouter(tags=["review"])

    @routes.get("/api/review")
    def waiting() -> list[Waiting]:
        """Tell the faces that were set apart, why, and what was decided since."""
        said = {one.face: _said(one) for one in inbox.read(service.paths.inbox).decisions}
        faces = review.waiting(service.paths).to_dict("records")
        return [_told(face, said.get(face["id"])) for face in faces]

    @routes.post("/api/review", status_code=202)
    def decide(verdict: Verdict) -> dict[str, str]:
        """Hand in a verdict; it takes effect at the next `fer ingest`."""
        told = review.decide(service.paths, verdict.face, verdict.verdict, verdict.label)
        return {"face": told.face, "verdict": told.verdict}

    return routes


def _said(decision: Decision) -> str:
    return f"{decision.verdict} as {decision.label}" if decision.label else decision.verdict


def _told(face: dict[Any, Any], decided: str | None) -> Waiting:
    picture = base64.b64encode(face["image"]).decode()
    return Waiting(
        face=face["id"],
        image=f"data:image/png;base64,{picture}",
        label=_text(face["label"]),
        domain=face["domain"],
        subject=_text(face["subject"]),
        reason=face["reason"],
        decided=decided,
    )


def _text(value: object) -> str | None:
    # pandas has NaN where a string is missing.
    return value if isinstance(value, str) else None
