"""Health, meters, signing in, and what the page must know before it starts."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from fer.emotions import EMOJI, MAX_SCORE
from fer.live.capture import CONSENT_PURPOSE, CONSENT_TEXT, CONSENT_VERSION
from fer.live.web import tokens
from fer.live.web.guard import COOKIE
from fer.live.web.service import Service
from fer.live.web.stream import model_state


class Token(BaseModel):
    """What `fer token new` told."""

    token: Annotated[str, Field(max_length=200)]


def router(service: Service) -> APIRouter:
    """Return the routes about the server itself."""
    routes = APIRouter(tags=["server"])

    @routes.get("/healthz")
    async def healthz() -> dict[str, str | bool]:
        """Tell anybody that the server runs, whether it has a model, and whether one is broken."""
        state = service.predictor.state
        return {"status": "ok", "model": state.name is not None, "broken": state.error is not None}

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Tell Prometheus what was counted."""
        state = service.predictor.state
        service.meters.version.set(state.version or 0)
        service.meters.broken.set(state.error is not None)
        return Response(service.meters.text(), media_type="text/plain; version=0.0.4")

    @routes.get("/api/about")
    async def about() -> dict[str, Any]:
        """Tell the emotions in class order, the consent text, and what is served."""
        return {
            "emotions": [{"name": name, "emoji": emoji} for name, emoji in EMOJI.items()],
            "max_score": MAX_SCORE,
            "consent": {
                "version": CONSENT_VERSION,
                "text": CONSENT_TEXT,
                "purpose": CONSENT_PURPOSE,
                "days": service.capture.consent_days,
            },
            "self_learning": service.capture.self_learning.enabled,
            "model": model_state(service),
        }

    @routes.post("/api/login", status_code=204)
    async def login(shown: Token, request: Request, response: Response) -> None:
        """Take the token into a cookie that scripts cannot read."""
        kept = tokens.signed_in(shown.token)
        if tokens.holder(service.paths, kept) is None:
            raise HTTPException(
                401, "That token is none of this server's, was revoked or is over."
            )
        response.set_cookie(
            COOKIE,
            kept,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

    return routes
