"""What the areas of the API share: where they stand, and how their routes come into the application."""

from collections.abc import Mapping, Sequence
from typing import Any

import fastapi

PREFIX = "/api/v1"


def area(
    tag: str, *, below: str = "", dependencies: Sequence[Any] = (), responses: Mapping[int | str, Any] | None = None
) -> fastapi.APIRouter:
    """A router for one area, under ``/api/v1`` and there under ``below``."""
    return fastapi.APIRouter(
        prefix=PREFIX + below, tags=[tag], dependencies=dependencies, responses=dict(responses or {})
    )


def lay(target: fastapi.FastAPI | fastapi.APIRouter, router: fastapi.APIRouter) -> None:
    """Put the routes of ``router`` into the list of ``target``.

    A router that is included stays one: every request asks it, and all that it includes, twice over.
    """
    target.routes.extend(router.routes)
