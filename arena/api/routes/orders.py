"""Orders and fills of a run, as its journal holds them."""

from typing import Annotated, Literal, cast

import fastapi
from pydantic import Field

from arena.api.area import area
from arena.api.paging import AfterSequence, Limit, Page, page_by_sequence
from arena.api.records import READS, known_desk, known_instrument, record_asked
from arena.api.values import AskedDesk, AskedInstrument, AskedRun, Instant, Money, Row, Symbol, instant_of
from arena.records import Filled, Ordered
from arena.records.run_record import behind
from arena.services import Services
from trading.domain.instants import iso
from trading.domain.money import money_text

OrderStatus = Literal["open", "partially_filled", "filled", "expired", "cancelled", "rejected"]
OrderId = Annotated[str, fastapi.Path(min_length=1, max_length=80, examples=["o-0123456789abcdef0123"])]


class OrderRow(Row):
    """An order. ``origin`` says who sent it: a desk, or one of the house's own rules."""

    seq: int
    order_id: str
    client_order_id: str
    intent_id: str
    decision_id: str | None
    desk: str
    instrument: Symbol
    side: Literal["buy", "sell"]
    order_type: str
    quantity: Money
    filled: Money
    limit_price: Money | None
    trigger_price: Money | None
    reduce_only: bool
    origin: str = Field(examples=["desk"])
    sent_at: Instant
    expires_at: Instant | None
    status: OrderStatus
    ended_at: Instant | None
    ended_reason: str | None


class FillRow(Row):
    """An execution. ``arrival`` is the price that the order met when it arrived.

    ``basis`` is what filled it, ``book`` or ``bars``, in a season that has both.
    """

    seq: int
    fill_id: str
    order_id: str
    desk: str
    instrument: Symbol
    side: Literal["buy", "sell"]
    price: Money
    quantity: Money
    fee: Money
    liquidity: str
    arrival: Money | None
    basis: Literal["book", "bars"] | None
    at: Instant


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the orders of the runs of ``services``."""
    router = area("orders", dependencies=READS)

    @router.get("/orders", summary="Orders of a run, oldest first")
    def orders(
        run: AskedRun = None,
        desk: AskedDesk = None,
        instrument: AskedInstrument = None,
        status: OrderStatus | None = None,
        after: AfterSequence = 0,
        limit: Limit = 50,
    ) -> Page[OrderRow]:
        """Orders that fit every filter, as they stand now."""
        record = record_asked(services, run)
        known_desk(record, desk)
        known_instrument(record, instrument)
        fitting = (
            one
            for one in behind(record.orders, after)
            if desk in (None, one.payload["desk"]) and instrument in (None, one.payload["instrument"])
            if status in (None, one.status)
        )
        page = page_by_sequence(fitting, limit, lambda one: one.seq)
        return Page(items=tuple(map(order_row, page.items)), next=page.next)

    @router.get("/orders/{order_id}", summary="One order")
    def order(order_id: OrderId, run: AskedRun = None) -> OrderRow:
        """An order as it stands now."""
        return order_row(record_asked(services, run).order(order_id))

    @router.get("/fills", summary="Fills of a run, oldest first")
    def fills(
        run: AskedRun = None,
        desk: AskedDesk = None,
        instrument: AskedInstrument = None,
        after: AfterSequence = 0,
        limit: Limit = 50,
    ) -> Page[FillRow]:
        """Executions that fit every filter."""
        record = record_asked(services, run)
        known_desk(record, desk)
        known_instrument(record, instrument)
        fitting = (
            one
            for one in behind(record.fills, after)
            if desk in (None, one.payload["desk"]) and instrument in (None, one.payload["instrument"])
        )
        page = page_by_sequence(fitting, limit, lambda one: one.seq)
        return Page(items=tuple(map(fill_row, page.items)), next=page.next)

    return router


def order_row(one: Ordered) -> OrderRow:
    """An order as it is answered."""
    payload = one.payload
    same = ("order_id", "client_order_id", "intent_id", "desk", "instrument", "side", "order_type", "quantity")
    return OrderRow(
        seq=one.seq,
        decision_id=one.decision_id or None,
        filled=money_text(one.filled),
        limit_price=payload["limit_price"],
        trigger_price=payload.get("trigger_price"),
        reduce_only=payload["reduce_only"],
        origin=payload["origin"],
        sent_at=iso(payload["sent_ms"]),
        expires_at=instant_of(payload["expires_ms"]),
        status=cast(OrderStatus, one.status),
        ended_at=instant_of(one.ended_ms),
        ended_reason=one.ended_reason,
        **{name: payload[name] for name in same},
    )


def fill_row(one: Filled) -> FillRow:
    """A fill as it is answered."""
    payload = one.payload
    same = ("fill_id", "order_id", "desk", "instrument", "side", "price", "quantity", "fee", "liquidity")
    values = {name: payload[name] for name in same}
    return FillRow(
        seq=one.seq, arrival=payload.get("arrival"), basis=payload.get("basis"), at=iso(payload["ts_ms"]), **values
    )
