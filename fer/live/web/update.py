"""Update: start the flow from the page, and watch its steps."""

from fastapi import APIRouter

from fer.live.updates import Update, Updates
from fer.live.web.service import Service


def router(service: Service) -> APIRouter:
    """Return the routes for updates."""
    routes = APIRouter(tags=["update"])
    updates = Updates(service.paths)

    @routes.get("/api/update")
    def update() -> Update:
        """Tell how far the running update is, or how the last one ended, and the verdict."""
        return updates.told()

    @routes.post("/api/update", status_code=202)
    def start() -> Update:
        """Start an update; 409 while one runs. It goes on when this server ends."""
        updates.start()
        return updates.told()

    return routes
