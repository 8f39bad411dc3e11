"""The routes under ``/api/v1``: one module an area, each with ``routes(services)``. A new module is found here.

Every route names the role it needs (``arena.api.callers.needs``), reading ones that of a viewer.
"""

import importlib
import pkgutil

import fastapi
from starlette.routing import compile_path

from arena.access import Role
from arena.api.area import PREFIX, lay
from arena.api.callers import needs
from arena.services import Services

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def all_routes(services: Services) -> fastapi.APIRouter:
    """Every area's routes, in the order of their names, and a refusal of what is none of them."""
    router = fastapi.APIRouter(prefix=PREFIX)
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        lay(router, importlib.import_module(f"{__name__}.{name}").routes(services))

    @router.api_route("/{rest:path}", methods=_METHODS, include_in_schema=False, dependencies=[needs(Role.VIEWER)])
    def nothing_there(request: fastapi.Request) -> None:
        """Whatever no area answers: 405 where the path is known by another method, else 404."""
        known = _methods(request)
        if known:
            allowed = ", ".join(sorted(known))
            detail = f"{request.method} is not for this path; it takes {allowed}"
            raise fastapi.HTTPException(405, detail, {"allow": allowed})
        detail = f"there is no {request.url.path[:200]}; {PREFIX}/openapi.json lists what there is"
        raise fastapi.HTTPException(404, detail)

    return router


def _methods(request: fastapi.Request) -> set[str]:
    """The methods that the path of a request is known by."""
    described = request.app.openapi()["paths"]
    fitting = (path for path in described if compile_path(path)[0].match(request.url.path))
    return {method.upper() for path in fitting for method in described[path]}
