"""Health: whether the process answers, and whether it has something to show. Anybody may ask."""

import fastapi

from arena.api.routes.floor import current
from arena.floor import Floor

FAILED = "failed"


def health_routes(floor: Floor) -> fastapi.APIRouter:
    """``/healthz`` and ``/readyz`` over one floor."""
    router = fastapi.APIRouter(tags=["health"])

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "No snapshot was published yet, or the season failed."}})
    def readyz() -> dict[str, str]:
        """A snapshot can be shown, and the season behind it did not fail."""
        status = current(floor).status
        if status == FAILED:
            raise fastapi.HTTPException(503, "the season failed: the log says why; start again to go on")
        return {"status": status}

    return router
