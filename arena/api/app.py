"""The web application: health, a small read API, halt and resume, and the pages at the root."""

from typing import Annotated

import fastapi
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from arena.api.chat import chat_routes
from arena.api.guard import LoopbackGuard
from arena.api.standings import Standings, standings
from arena.meters import MEDIA_TYPE, Meters
from arena.seasons.reception import Reception
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.live_plot import PLOTLY_FILE, PLOTLY_URL
from arena.ui.floor import Floor
from arena.ui.site import mount
from trading.domain.errors import TradefloorError

_SNAPSHOT: TypeAdapter[FloorSnapshot] = TypeAdapter(FloorSnapshot)
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


class Order(BaseModel):
    """Why trading is halted or resumed; recorded with the act."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Accepted(BaseModel):
    """The act was recorded; the next snapshot shows what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: bool = True
    reason: str


def create_app(floor: Floor, reception: Reception | None = None, meters: Meters | None = None) -> fastapi.FastAPI:
    """The application over one floor. It answers on loopback only and needs no login there.

    With a ``reception`` the desks can be spoken to as well, and with ``meters`` there is ``/metrics`` for Prometheus.
    """
    app = fastapi.FastAPI(title="Tradefloor", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.include_router(_health(floor))
    app.include_router(_api(floor), prefix="/api/v1")
    if reception is not None:
        app.include_router(chat_routes(reception))
    if meters is not None:
        app.include_router(_metrics(meters))
    app.add_api_route(PLOTLY_URL, _plotly, include_in_schema=False)
    app.add_exception_handler(TradefloorError, _refused)
    mount(app, floor)
    app.add_middleware(LoopbackGuard)
    return app


def _health(floor: Floor) -> fastapi.APIRouter:
    router = fastapi.APIRouter(tags=["health"])

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "The season has not published a snapshot yet."}})
    def readyz() -> dict[str, str]:
        """A snapshot can be shown."""
        return {"status": _current(floor).status}

    return router


def _api(floor: Floor) -> fastapi.APIRouter:
    router = fastapi.APIRouter(tags=["floor"], responses={503: {"description": "No snapshot yet."}})

    @router.get("/snapshot", response_model=FloorSnapshot)
    def read_snapshot() -> Response:
        """Everything that the arena page shows. NaN is written as null."""
        return Response(_SNAPSHOT.dump_json(_current(floor)), media_type="application/json")

    @router.get("/standings")
    def read_standings() -> Standings:
        """All desks in rank order."""
        return standings(_current(floor))

    @router.post("/halt")
    def halt(order: Order) -> Accepted:
        """Stops trading until a person resumes it."""
        floor.halt(order.reason)
        return Accepted(reason=order.reason)

    @router.post("/resume")
    def resume(order: Order) -> Accepted:
        """Lets trading go on."""
        floor.resume(order.reason)
        return Accepted(reason=order.reason)

    return router


def _metrics(meters: Meters) -> fastapi.APIRouter:
    router = fastapi.APIRouter(tags=["health"])

    @router.get("/metrics")
    def read_metrics() -> Response:
        """The meters in Prometheus' text format."""
        return Response(meters.exposition(), media_type=MEDIA_TYPE)

    return router


def _current(floor: Floor) -> FloorSnapshot:
    snapshot = floor.snapshot()
    if snapshot is None:
        raise fastapi.HTTPException(503, "the season has not published a snapshot yet: ask again in a moment")
    return snapshot


def _plotly() -> FileResponse:
    return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=_FOR_EVER)


def _refused(_request: fastapi.Request, error: Exception) -> JSONResponse:
    problem = {"type": "about:blank", "title": "refused", "status": 409, "detail": str(error)}
    return JSONResponse(problem, status_code=409, media_type="application/problem+json")
