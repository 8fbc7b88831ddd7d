"""Review: faces that were set apart or look mislabelled, and what a person says of them."""

import base64
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fer.data import inbox, review
from fer.live.doubts import Doubts
from fer.live.web.service import Service
from fer.live.web.teach import Emotion
from fer.records import Decision

_MOST: Final = 200
"""Doubted faces that are told at a time: more than a person looks at in one go."""


class Waiting(BaseModel):
    """A face that was set apart."""

    face: str
    image: str
    label: str | None
    session: str | None
    held_back: bool
    domain: str
    subject: str | None
    reason: str
    decided: str | None


class Doubted(Waiting):
    """A face whose label a model contradicts; `sure` and `given` are probabilities."""

    suggested: str
    sure: float
    given: float
    learnt: bool


class Verdict(BaseModel):
    """What a person says of a face; a label accepts it under that label."""

    face: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    verdict: Literal["accept", "reject"]
    label: Emotion | None = None


class SessionVerdict(BaseModel):
    """What a person says of all faces of a session that was held back."""

    session: str
    verdict: Literal["accept", "reject"]


def router(service: Service) -> APIRouter:
    """Return the routes for review."""
    routes = APIRouter(tags=["review"])
    doubts = Doubts(service.paths, service.predictor)

    @routes.get("/api/review")
    def waiting() -> list[Waiting]:
        """Tell the faces that were set apart, why, and what was decided since."""
        said = _all_said(service)
        faces = review.waiting(service.paths).to_dict("records")
        return [Waiting(**_told(face, said.get(face["id"]))) for face in faces]

    @routes.get("/api/review/doubts")
    def doubted() -> list[Doubted]:
        """Tell the faces whose label the model contradicts, the most contradicted first."""
        said = _all_said(service)
        names = ("suggested", "sure", "given", "learnt")
        return [
            Doubted(**_told(face, said.get(face["id"])), **{name: face[name] for name in names})
            for face in doubts.found().head(_MOST).to_dict("records")
        ]

    @routes.post("/api/review", status_code=202)
    def decide(verdict: Verdict) -> dict[str, str]:
        """Hand in a verdict; it takes effect at the next `fer ingest`."""
        told = review.decide(service.paths, verdict.face, verdict.verdict, verdict.label)
        return {"face": told.face, "verdict": told.verdict}

    @routes.post("/api/review/sessions", status_code=202)
    def decide_session(verdict: SessionVerdict) -> dict[str, int]:
        """Hand in a verdict on a session that was held back as a whole."""
        said = review.decide_session(service.paths, verdict.session, verdict.verdict)
        return {"faces": len(said)}

    return routes


def _all_said(service: Service) -> dict[str, str]:
    return {one.face: _said(one) for one in inbox.read(service.paths.inbox).decisions}


def _said(decision: Decision) -> str:
    return f"{decision.verdict} as {decision.label}" if decision.label else decision.verdict


def _told(face: dict[Any, Any], decided: str | None) -> dict[str, Any]:
    picture = base64.b64encode(face["image"]).decode()
    return {
        "face": face["id"],
        "image": f"data:image/png;base64,{picture}",
        "label": _text(face["label"]),
        "session": _text(face["session"]),
        "held_back": face["reason"].startswith(review.HELD_BACK),
        "domain": face["domain"],
        "subject": _text(face["subject"]),
        "reason": face["reason"],
        "decided": decided,
    }


def _text(value: object) -> str | None:
    # pandas has NaN where a string is missing.
    return value if isinstance(value, str) else None
