"""Which run a request speaks of, and what is on record of it."""

from arena.access import Role
from arena.api.callers import needs
from arena.api.problems import NotFound
from arena.records import MarketStand, RunRecord, shelf_of
from arena.services import Services
from tools.context import ToolContext

READS = [needs(Role.VIEWER)]
"""The dependencies of a route that reads."""


def run_asked(services: Services, run_id: str | None) -> str:
    """The run that was named, else the season on the floor, else the run worked on last. Raises NotFound."""
    if run_id is not None:
        return run_id
    snapshot = services.floor.snapshot()
    return snapshot.run_id if snapshot is not None and snapshot.run_id else shelf_of(services.home).latest().run_id


def record_asked(services: Services, run_id: str | None) -> RunRecord:
    """What is on record of the run asked for."""
    return shelf_of(services.home).record(run_asked(services, run_id))


def market_asked(services: Services, run_id: str | None) -> tuple[MarketStand, RunRecord]:
    """The market of the run asked for, and its record. Raises NotFound before its first round."""
    record = record_asked(services, run_id)
    if record.as_of_ms is None:
        raise NotFound(f"{record.folder.run_id} has no round on record yet: ask again in a moment")
    return shelf_of(services.home).market(record.folder.run_id, services.settings), record


def context_asked(services: Services, run_id: str | None, as_of_ms: int | None) -> ToolContext:
    """What the tools that look at the market alone can reach at an instant of the run asked for."""
    market, record = market_asked(services, run_id)
    assert record.as_of_ms is not None, "market_asked looked"
    return market.context(record.as_of_ms, as_of_ms, dict(record.instruments))


def known_desk(record: RunRecord, desk: str | None) -> None:
    """Raise NotFound for a desk that the run does not have."""
    if desk is not None and desk not in record.desks:
        there = ", ".join(record.desks) or "none yet"
        raise NotFound(f"{record.folder.run_id} has no desk {desk[:80]!r}; there are {there}")


def known_instrument(record: RunRecord, symbol: str | None) -> None:
    """Raise NotFound for an instrument that the run does not trade."""
    if symbol is not None and symbol not in record.instruments:
        there = ", ".join(record.instruments) or "none yet"
        raise NotFound(f"{record.folder.run_id} does not trade {symbol[:40]!r}; there are {there}")
