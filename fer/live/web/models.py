"""Model versions with their verdicts, and the way back to an earlier one."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from fer.live import notices
from fer.live.seen import Agreement
from fer.live.web.service import Service


class ModelVersion(BaseModel):
    """One version, as the registry holds it.

    Of one that was judged in another checkout, `conditions` and `domains` are empty.

    Args:
        conditions: Every condition of the gate: `{"name", "holds", "expected", "received"}`.
        domains: By domain: `{"faces": n, "champion": accuracy or None, "candidate": accuracy}`.
        feedback: How people's votes are divided between it and the champion, in words; None: they
            were not asked about it.
        agreement: Of the shadow: how often it said what the champion said.
    """

    version: int
    aliases: list[str]
    created: datetime
    verdict: str | None
    reasons: list[str]
    accuracy: float | None
    data_version: str | None
    parent: str | None
    conditions: list[dict[str, Any]]
    domains: dict[str, dict[str, Any]]
    feedback: str | None
    agreement: Agreement | None


class Wish(BaseModel):
    """The version to return to; null: the previous champion."""

    version: int | None = None


class Moved(BaseModel):
    """The champion before, and the one now."""

    before: int
    after: int


def router(service: Service) -> APIRouter:
    """Return the routes for model versions."""
    routes = APIRouter(tags=["models"])

    @routes.get("/api/models")
    def models() -> list[ModelVersion]:
        """Tell every version, newest first, with its verdict, condition by condition."""
        return [
            _told(
                one,
                service.registry.decision(one.tags.get("candidate_sha256", "")) or {},
                service.onlooker.agreement,
            )
            for one in service.registry.listed()
        ]

    @routes.post("/api/models/rollback")
    def rollback(wish: Wish) -> Moved:
        """Give the champion's place back; a re-run of the pipeline does not undo this."""
        before, after = service.registry.rollback(wish.version)
        service.predictor.refresh()
        notices.rolled_back(service.paths, before, after)
        return Moved(before=before, after=after)

    return routes


def _told(one: Any, decision: dict[str, Any], agreement: Agreement | None) -> ModelVersion:
    accuracy = one.tags.get("validation_accuracy")
    return ModelVersion(
        version=one.number,
        aliases=list(one.aliases),
        created=one.created,
        verdict=one.tags.get("verdict"),
        reasons=one.tags.get("reasons", "").splitlines(),
        accuracy=float(accuracy) if accuracy else None,
        data_version=one.tags.get("data_version"),
        parent=one.tags.get("parent"),
        conditions=decision.get("conditions", []),
        domains=decision.get("accuracy", {}),
        feedback=one.tags.get("feedback"),
        agreement=agreement if agreement and agreement.shadow == one.number else None,
    )
