"""A picture comes, its faces and emotions go back; the picture is not kept."""

from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request

from fer.live.reading import Reading, read
from fer.live.web.service import Service, decoded
from fer.live.web.stream import count

PICTURE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}
"""For OpenAPI: the body is the picture's bytes. A form would need another library."""


def router(service: Service) -> APIRouter:
    """Return the route for pictures."""
    routes = APIRouter(tags=["faces"])

    @routes.post("/api/predict", openapi_extra=PICTURE_BODY)
    async def predict(request: Request) -> Reading:
        """Tell the faces in a picture and their emotions, largest face first."""
        return await service.work(partial(_look, service, await request.body()))

    return routes


def _look(service: Service, data: bytes) -> Reading:
    frame = decoded(data)
    faces = read(frame, service.detector, service.predictor.answer)
    count(service, faces)
    height, width = frame.shape[:2]
    return Reading("", width, height, faces)
