"""Limits: what may be done at most, and changing it while trading goes on."""

from typing import Annotated

import fastapi
from pydantic import Field

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.problems import NotFound
from arena.api.values import Instant, Reason, Row, Said, instant_of
from arena.services import Services
from arena.wiring import live_limits
from trading.domain.instants import iso
from trading.risk.limit_board import Change

Name = Annotated[str, fastapi.Path(min_length=1, max_length=80, examples=["max_open_orders"])]


class LimitRow(Row):
    """A limit: what counts now, the house's own, and what moved it, if anything did."""

    name: str
    value: str
    house: str
    kind: str | None
    who: str | None


class ChangeRow(Row):
    """A change of a limit. It counts from ``counts_from`` (null: not before a second person approves)."""

    id: str
    kind: str = Field(examples=["tighten"])
    name: str
    old: str
    value: str
    who: str
    reason: str
    made_at: Instant
    counts_from: Instant | None
    counts_until: Instant | None
    approver: str | None


class LimitBoardRow(Row):
    """Every limit, and every change that was made."""

    limits: tuple[LimitRow, ...]
    changes: tuple[ChangeRow, ...]


class NewLimit(Said):
    """A new value. Tightening counts at once; loosening needs ``confirm`` and counts after a cool-down."""

    value: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S", examples=["5"])]
    reason: Reason
    confirm: bool = False


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the limits of ``services``."""
    router = area("limits")

    @router.get("/limits", summary="Limits in force", dependencies=[needs(Role.VIEWER)])
    def limits() -> LimitBoardRow:
        """Every limit with what counts now, and all changes, oldest first."""
        with live_limits(services.settings) as board:
            report, changes = board.report(), board.changes()
        return LimitBoardRow(limits=report["limits"], changes=tuple(map(_row, changes)))

    @router.put("/limits/{name}", summary="Change a limit")
    def change(name: Name, wanted: NewLimit, caller: Annotated[Caller, needs(Role.ADMIN)]) -> ChangeRow:
        """Set a limit, never looser than the house's own."""
        with live_limits(services.settings) as board:
            if name not in {row["name"] for row in board.report()["limits"]}:
                raise NotFound(f"there is no limit {name[:80]!r}; GET /limits lists them")
            made = board.set(name, wanted.value, who=caller.name, reason=wanted.reason, confirm=wanted.confirm)
        return _row(made)

    return router


def _row(made: Change) -> ChangeRow:
    waits = made.from_ms is None
    return ChangeRow(
        id=made.origin,
        kind=made.kind.value,
        name=made.name,
        old=made.old,
        value=made.value,
        who=made.who,
        reason=made.reason,
        made_at=iso(made.at_ms),
        counts_from=instant_of(made.from_ms),
        counts_until=None if waits else instant_of(made.until_ms),
        approver=made.approver,
    )
