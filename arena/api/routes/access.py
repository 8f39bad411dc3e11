"""Access: who you are here, and what was written by whom."""

from typing import Annotated

import fastapi
from pydantic import BaseModel, ConfigDict

from arena.access import LOCAL, Audit, Caller, Role, Written
from arena.api.area import area
from arena.api.callers import needs
from arena.services import Services


class Me(BaseModel):
    """The caller. ``logged_in`` is false on loopback, where nobody is asked for a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: str
    logged_in: bool


class AuditLines(BaseModel):
    """The newest lines of the audit, oldest first. ``damaged`` lines are left out and counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: list[Written]
    damaged: int


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the audit of ``services``."""
    audit = Audit(services.home)
    router = area("access")

    @router.get("/me")
    def read_me(caller: Annotated[Caller, needs(Role.VIEWER)]) -> Me:
        """Who asks, and what they may do."""
        return Me(name=caller.name, role=caller.role.name.lower(), logged_in=caller is not LOCAL)

    @router.get("/audit", dependencies=[needs(Role.ADMIN)])
    def read_audit(limit: Annotated[int, fastapi.Query(ge=1, le=1_000)] = 100) -> AuditLines:
        """What was written, by whom, with what answer; never what was in it."""
        lines, damaged = audit.last(limit)
        return AuditLines(lines=lines, damaged=damaged)

    return router
