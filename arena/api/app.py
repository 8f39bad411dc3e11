"""The web application: health, metrics, the API, desks in OpenAI's format, and the pages at the root."""

import fastapi
from fastapi.responses import FileResponse, Response

from arena.api.border import ApiBorder
from arena.api.chat import chat_routes
from arena.api.description import describe
from arena.api.guard import LoopbackGuard
from arena.api.idempotency import KeptAnswers
from arena.api.live import live_routes
from arena.api.problems import answer_problems
from arena.api.routes import PREFIX, all_routes
from arena.api.routes.floor import current
from arena.floor import Floor
from arena.meters import MEDIA_TYPE, Meters
from arena.services import Services
from arena.ui.charts.live_plot import PLOTLY_FILE, PLOTLY_URL
from arena.ui.site import build_site, mount

_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


def create_app(services: Services) -> fastapi.FastAPI:
    """The application over one house. It answers on loopback only and needs no login there."""
    app = create_api(services)
    app.add_api_route(PLOTLY_URL, _plotly, include_in_schema=False)
    site = build_site(services)
    app.include_router(live_routes(site.pages))
    mount(app, site)
    return app


def create_api(services: Services) -> fastapi.FastAPI:
    """The application without its pages."""
    app = fastapi.FastAPI(title="Tradefloor", docs_url=None, redoc_url=None, openapi_url=f"{PREFIX}/openapi.json")
    app.include_router(_health(services.floor))
    app.include_router(all_routes(services))
    if services.reception is not None:
        app.include_router(chat_routes(services.reception))
    if services.meters is not None:
        app.include_router(_metrics(services.meters))
    answer_problems(app)
    describe(app)
    app.add_middleware(ApiBorder, answers=KeptAnswers(services.home))
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
        return {"status": current(floor).status}

    return router


def _metrics(meters: Meters) -> fastapi.APIRouter:
    router = fastapi.APIRouter(tags=["health"])

    @router.get("/metrics")
    def read_metrics() -> Response:
        """The meters in Prometheus' text format."""
        return Response(meters.exposition(), media_type=MEDIA_TYPE)

    return router


def _plotly() -> FileResponse:
    return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=_FOR_EVER)
