"""The routes under ``/api/v1``: one module an area, each with ``routes(services)``. A new module is found here.

Every route names the role it needs (``arena.api.callers.needs``), reading ones that of a viewer.
"""

import importlib
import pkgutil

import fastapi

from arena.services import Services

PREFIX = "/api/v1"


def all_routes(services: Services) -> fastapi.APIRouter:
    """Every area's routes, in the order of their names."""
    router = fastapi.APIRouter(prefix=PREFIX)
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        router.include_router(importlib.import_module(f"{__name__}.{name}").routes(services))
    return router
