"""The web application: health, metrics, the API, desks in OpenAI's format, and the pages at the root."""

import fastapi
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from arena.access import LOOPBACK, Audit, Door, People, Role, Sessions
from arena.access.lockout import Lockout
from arena.access.rates import Rates
from arena.api.area import PREFIX, lay
from arena.api.callers import needs
from arena.api.chat import chat_routes
from arena.api.description import describe
from arena.api.doorkeeper import Doorkeeper
from arena.api.guard import LoopbackGuard
from arena.api.health import health_routes
from arena.api.idempotency import KeptAnswers
from arena.api.live import live_route
from arena.api.login import LoginDesk, login_routes
from arena.api.problems import answer_problems
from arena.api.routes import all_routes
from arena.api.writes import WriteBorder
from arena.meters import MEDIA_TYPE, Meters
from arena.services import Services
from arena.ui.charts.live_plot import PLOTLY_FILE, PLOTLY_URL
from arena.ui.site import build_site, mount
from arena.ui.theme import script, script_url

_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_VIEWERS = [needs(Role.VIEWER)]


def create_app(services: Services, door: Door = LOOPBACK) -> fastapi.FastAPI:
    """The application over one house, entered by ``door``. By that of loopback whoever comes may do everything."""
    app = create_api(services, door)
    lay(app, _files())
    audit, people, sessions = Audit(services.home), People(services.home), Sessions(services.home)
    lay(app, login_routes(LoginDesk(people, sessions, audit, Lockout()), door))
    site = build_site(services)
    app.router.routes.insert(0, live_route(site.pages))  # asked most by far, so it is looked for first
    mount(app, site)
    return app


def create_api(services: Services, door: Door = LOOPBACK) -> fastapi.FastAPI:
    """The application without its pages."""
    app = fastapi.FastAPI(title="Tradefloor", docs_url=None, redoc_url=None, openapi_url=None)
    lay(app, health_routes(services.floor))
    lay(app, _description(app))  # before the areas, which end with what is not there
    lay(app, all_routes(services))
    if services.reception is not None:
        lay(app, chat_routes(services.reception))
    if services.meters is not None:
        lay(app, _metrics(services.meters))
    answer_problems(app)
    describe(app)
    home = services.home
    # The last one added is passed first: our hosts alone, then callers we know, then writes done once.
    app.add_middleware(WriteBorder, answers=KeptAnswers(home))
    app.add_middleware(
        Doorkeeper, door=door, people=People(home), sessions=Sessions(home), audit=Audit(home), rates=Rates()
    )
    app.add_middleware(LoopbackGuard, door=door)
    return app


def _metrics(meters: Meters) -> fastapi.APIRouter:
    router = fastapi.APIRouter(tags=["health"], dependencies=_VIEWERS)

    @router.get("/metrics")
    def read_metrics() -> Response:
        """The meters in Prometheus' text format."""
        return Response(meters.exposition(), media_type=MEDIA_TYPE)

    return router


def _description(app: fastapi.FastAPI) -> fastapi.APIRouter:
    router = fastapi.APIRouter(include_in_schema=False, dependencies=_VIEWERS)

    @router.get(f"{PREFIX}/openapi.json")
    def openapi() -> JSONResponse:
        """The description of the API."""
        return JSONResponse(app.openapi())

    return router


def _files() -> fastapi.APIRouter:
    """What pages load from us."""
    router = fastapi.APIRouter(include_in_schema=False, dependencies=_VIEWERS)

    @router.get(PLOTLY_URL)
    def plotly() -> FileResponse:
        return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=_FOR_EVER)

    @router.get("/standings")
    def moved() -> RedirectResponse:
        return RedirectResponse("/leaderboard", status_code=308)

    @router.get(script_url())
    def our_script() -> Response:
        return Response(script(), media_type="text/javascript", headers=_FOR_EVER)

    return router
