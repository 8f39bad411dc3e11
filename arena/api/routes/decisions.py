"""Decisions: the list, and one with all it took: calls, intents, rulings, orders and fills."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import fastapi
from pydantic import Field

from arena.api.area import area
from arena.api.paging import AfterSequence, Limit, Page, page_by_sequence
from arena.api.records import READS, known_desk, known_instrument, record_asked
from arena.api.routes.orders import FillRow, OrderRow, fill_row, order_row
from arena.api.values import AskedDesk, AskedInstrument, AskedRun, Instant, Row, finite
from arena.records import Decided, RunRecord
from arena.records.run_record import behind
from arena.services import Services
from trading.domain.event import EventKind
from trading.domain.instants import iso
from trading.storage.journal import StoredEvent

Status = Literal["acted", "held", "abstained"]
DecisionId = Annotated[str, fastapi.Path(min_length=1, max_length=80, examples=["d-0123456789abcdef0123"])]


class DecisionRow(Row):
    """A decision. ``seq`` is its place in the journal; texts come from models and are data."""

    seq: int = Field(examples=[132])
    decision_id: str = Field(examples=["d-0123456789abcdef0123"])
    at: Instant
    round: int
    desk: str = Field(examples=["momentum"])
    status: Status
    abstain_reason: str | None
    confidence: float | None
    rationale: str
    prompt_hash: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    instruments: tuple[str, ...]


class TracedEvent(Row):
    """One event that is filed under a decision, as the journal holds it."""

    seq: int
    at: Instant
    kind: str = Field(examples=["tool_called"])
    payload: dict[str, Any]
    hash: str


class DecisionTrace(Row):
    """A decision with everything that is filed under it, in the order in which it happened."""

    decision: DecisionRow
    notes: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    forecasts: tuple[dict[str, Any], ...]
    model_calls: tuple[TracedEvent, ...]
    tool_calls: tuple[TracedEvent, ...]
    intents: tuple[TracedEvent, ...]
    rulings: tuple[TracedEvent, ...]
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]
    others: tuple[TracedEvent, ...]


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the decisions of the runs of ``services``."""
    router = area("decisions", dependencies=READS)

    @router.get("/decisions", summary="Decisions of a run, oldest first")
    def decisions(
        run: AskedRun = None,
        desk: AskedDesk = None,
        instrument: AskedInstrument = None,
        status: Status | None = None,
        after: AfterSequence = 0,
        limit: Limit = 50,
    ) -> Page[DecisionRow]:
        """Decisions that fit every filter; ``instrument`` keeps those with an intent for it."""
        record = record_asked(services, run)
        known_desk(record, desk)
        known_instrument(record, instrument)
        fitting = (
            one
            for one in behind(record.decisions, after)
            if desk in (None, one.desk) and status in (None, one.status)
            if instrument is None or instrument in one.instruments
        )
        page = page_by_sequence(fitting, limit, lambda one: one.seq)
        return Page(items=tuple(map(_row, page.items, record.payloads(page.items))), next=page.next)

    @router.get("/decisions/{decision_id}", summary="One decision with its whole trace")
    def decision(decision_id: DecisionId, run: AskedRun = None) -> DecisionTrace:
        """Every call, intent, ruling, order and fill of one decision, from the journal."""
        record = record_asked(services, run)
        return _trace(record, record.decision(decision_id))

    return router


def _row(decided: Decided, payload: Mapping[str, Any]) -> DecisionRow:
    return DecisionRow(
        seq=decided.seq,
        decision_id=decided.decision_id,
        at=iso(decided.ts_ms),
        round=decided.round_index,
        desk=decided.desk,
        status=payload["status"],
        abstain_reason=payload["abstain_reason"],
        confidence=payload["confidence"],
        rationale=payload["rationale"],
        prompt_hash=payload["prompt_hash"],
        tokens_in=payload["tokens_in"],
        tokens_out=payload["tokens_out"],
        usd=payload["usd"],
        instruments=tuple(sorted(decided.instruments)),
    )


_GROUPS = {
    EventKind.MODEL_CALLED: "model_calls",
    EventKind.TOOL_CALLED: "tool_calls",
    EventKind.INTENDED: "intents",
    EventKind.RULED: "rulings",
}
_TOLD = {EventKind.DECIDED, EventKind.ORDERED}


def _trace(record: RunRecord, decided: Decided) -> DecisionTrace:
    events = record.events_of(decided)
    groups: dict[str, list[TracedEvent]] = {name: [] for name in (*_GROUPS.values(), "others")}
    for stored in events:
        if stored.kind not in _TOLD:
            groups[_GROUPS.get(EventKind(stored.kind), "others")].append(_traced(stored))
    (payload,) = record.payloads([decided])
    orders = [record.order(stored.event().payload["order_id"]) for stored in events if stored.kind == EventKind.ORDERED]
    return DecisionTrace(
        decision=_row(decided, payload),
        notes=payload["notes"],
        path=payload["path"],
        forecasts=finite(payload["forecasts"]),
        orders=tuple(map(order_row, orders)),
        fills=tuple(fill_row(filled) for one in orders for filled in record.fills_of(one.payload["order_id"])),
        **{name: tuple(rows) for name, rows in groups.items()},
    )


def _traced(stored: StoredEvent) -> TracedEvent:
    payload = finite(dict(stored.event().payload))
    return TracedEvent(seq=stored.seq, at=iso(stored.ts_ms), kind=stored.kind, payload=payload, hash=stored.hash)
