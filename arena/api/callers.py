"""The role that a route asks for."""

from collections.abc import Awaitable, Callable
from typing import Any

import fastapi

from arena.access import Caller, Role, caller_of


def needs(role: Role) -> Any:
    """A dependency of a route: it gives the caller, and answers 403 to one who has less than ``role``."""
    return fastapi.Depends(_checked(role))


def _checked(role: Role) -> Callable[[fastapi.Request], Awaitable[Caller]]:
    # Asynchronous, so that it takes no thread: looking costs less than a thread does.
    async def checked(request: fastapi.Request) -> Caller:
        caller = caller_of(request.scope)
        caller.check(role)
        return caller

    checked.role = role  # type: ignore[attr-defined]  # the walk over the route table reads it
    return checked
