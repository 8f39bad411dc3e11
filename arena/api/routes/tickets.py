"""Trading by hand: what a ticket would come to, tickets for the next round, what became of them, and cancelling."""

from typing import Annotated, Literal

import fastapi
from pydantic import ConfigDict, Field, JsonValue

from arena.access import Caller, Role
from arena.api.area import area
from arena.api.callers import needs
from arena.api.paging import AfterId, Limit, Page, page_by_id
from arena.api.problems import NotFound
from arena.api.records import READS, record_asked
from arena.api.routes.floor import current
from arena.api.routes.orders import OrderId
from arena.api.values import AskedDesk, AskedRun, Instant, Money, Row, Said, Symbol
from arena.records import RunRecord
from arena.services import Services
from arena.tickets import OrderTicket, Ticket, TicketBoard, TicketState
from arena.tickets.counter import Counter
from arena.tickets.order import order_ticket
from arena.tickets.preview import Preview
from trading.domain.errors import RequestError
from trading.domain.event import EventKind
from trading.domain.instants import iso
from trading.domain.money import money_text
from trading.storage.journal import read_events

Amount = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,18})?$", examples=["0.01"])]
TicketName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$", examples=["t-0123456789abcdef"])]
TicketPath = Annotated[str, fastapi.Path(min_length=1, max_length=64, examples=["t-0123456789abcdef"])]
Asked = Literal["all", "pending"]
MOST = 1_000_000

_EXAMPLE: dict[str, JsonValue] = {
    "instrument": "BTC-USDT-PERP",
    "side": "buy",
    "order_type": "limit",
    "quantity": "0.01",
    "limit_price": "60000",
}


class NewOrder(Said):
    """An order by hand. Its size is a ``quantity`` (base units), a ``value`` (quote currency) or ``close`` alone.

    ``desk`` is needed where several are traded by hand. ``stop_loss`` and ``take_profit`` stand around what a market or
    limit order opens.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    desk: Annotated[str | None, Field(min_length=1, max_length=80, examples=["you"])] = None
    instrument: Annotated[str, Field(min_length=1, max_length=40, pattern=r"\S", examples=["BTC-USDT-PERP"])]
    side: Literal["buy", "sell"] | None = None
    order_type: Literal["market", "limit", "stop", "take_profit"] | None = None
    quantity: Amount | None = None
    value: Amount | None = None
    limit_price: Amount | None = None
    trigger_price: Amount | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    reduce_only: bool = False
    close: bool = False

    def order(self) -> OrderTicket:
        """The order. Raises RequestError for one that does not hold together."""
        return order_ticket(**{name: getattr(self, name) for name in OrderTicket.model_fields})


class NewTicket(NewOrder):
    """An order by hand for the next round. ``ticket`` is an id of your own: sent twice, it is one ticket."""

    ticket: TicketName | None = None


class PreviewRow(Row):
    """What an order would come to if a round took it now; nothing was sent. Amounts are in the quote currency.

    ``price`` is what it would fill at, slippage included. ``at_stop`` is the loss where its stop is met. Exposure and
    the one-day value at risk (99 %) are fractions of equity, before and after.
    """

    as_of: Instant
    desk: str
    instrument: Symbol
    side: Literal["buy", "sell"]
    order_type: str
    ruling: Literal["allowed", "resized", "refused"]
    rule: str = Field(examples=["max_order_value"])
    message: str
    quantity_asked: Money
    quantity: Money
    price: Money
    value: Money
    fee: Money
    slippage: Money
    at_stop: Money | None
    exposure_before: float | None
    exposure_after: float | None
    var_before: float | None
    var_after: float | None


class OrderAsked(Row):
    """The order of a ticket, as it was asked for."""

    instrument: Symbol
    side: Literal["buy", "sell"] | None
    order_type: str
    quantity: Money | None
    value: Money | None
    limit_price: Money | None
    trigger_price: Money | None
    stop_loss: Money | None
    take_profit: Money | None
    reduce_only: bool
    close: bool


class TicketRow(Row):
    """A ticket: an order, or the cancel of the order ``cancels``. ``placed_at`` and ``deadline`` are wall clock.

    ``words`` say more of the state, such as the price it filled at.
    """

    ticket: str = Field(examples=["t-0123456789abcdef"])
    run: str
    desk: str
    what: str = Field(examples=["buy 0.01 BTC-USDT-PERP limit 60000"])
    order: OrderAsked | None
    cancels: str | None
    who: str
    placed_at: Instant
    deadline: Instant
    state: TicketState
    words: str


def routes(services: Services) -> fastapi.APIRouter:
    """The routes over the tickets of ``services``."""
    router = area("tickets")
    _reads(router, services)
    _orders(router, services)
    _cancels(router, services)
    return router


def _reads(router: fastapi.APIRouter, services: Services) -> None:
    @router.get("/tickets", summary="Tickets of a run, oldest first", dependencies=READS)
    def tickets(
        run: AskedRun = None, desk: AskedDesk = None, state: Asked = "all", after: AfterId = None, limit: Limit = 50
    ) -> Page[TicketRow]:
        """Every ticket with what became of it, or those that may still come to something (``pending``)."""
        found = [one for one in _of_run(services, run, desk) if state == "all" or not one.state.is_final]
        return page_by_id(list(map(_row, found)), limit, after, lambda row: row.ticket)

    @router.get("/tickets/{ticket}", summary="One ticket", dependencies=READS)
    def one_ticket(ticket: TicketPath, run: AskedRun = None) -> TicketRow:
        """A ticket with what became of it."""
        return _row(_known(services, run, ticket))


def _orders(router: fastapi.APIRouter, services: Services) -> None:
    @router.post("/tickets/preview", summary="What an order would come to")
    def preview(wanted: NewOrder, _: Annotated[Caller, needs(Role.TRADER)]) -> PreviewRow:
        """The gate's ruling, the cost and the risk by the last round. Nothing is sent and nothing is kept."""
        counter = _counter(services)
        desk = _one_desk(counter, wanted.desk)
        return _previewed(desk, counter.preview(desk, wanted.order()))

    @router.post("/tickets", summary="Place an order by hand", status_code=201)
    def place(wanted: NewTicket, caller: Annotated[Caller, needs(Role.TRADER)]) -> TicketRow:
        """Put an order up; the next round takes it to the gate."""
        counter = _counter(services)
        desk = _one_desk(counter, wanted.desk)
        return _row(counter.place(desk, who=caller.name, order=wanted.order(), ticket_id=wanted.ticket or ""))


def _cancels(router: fastapi.APIRouter, services: Services) -> None:
    @router.post("/tickets/{ticket}/cancel", summary="Cancel a ticket")
    def cancel(ticket: TicketPath, caller: Annotated[Caller, needs(Role.TRADER)]) -> TicketRow:
        """Withdraw a ticket that waits. Where its order rests already, the answer is a ticket that cancels that."""
        counter = _counter(services)
        found = _known(services, None, ticket)
        if found.state is TicketState.WAITING:
            return _row(counter.withdraw(found.desk, found.ticket_id))
        if found.state.is_final or found.order is None:
            raise RequestError(f"ticket {found.ticket_id} is {found.state.value}: there is nothing left to cancel")
        order_id = _order_of(record_asked(services, found.run_id), found.ticket_id)
        if order_id is None:
            raise RequestError(f"ticket {found.ticket_id} is in a round just now; ask again in a moment")
        return _row(counter.place(found.desk, who=caller.name, cancels=order_id))

    @router.post("/orders/{order_id}/cancel", summary="Cancel an open order by hand", status_code=201)
    def cancel_order(order_id: OrderId, caller: Annotated[Caller, needs(Role.TRADER)]) -> TicketRow:
        """Ask the next round to take back an open order of a desk that is traded by hand, such as its stop."""
        counter = _counter(services)
        try:
            order = record_asked(services, None).order(order_id)
        except RequestError as error:
            raise NotFound(str(error)) from error
        if order.ended_ms is not None:
            raise RequestError(f"order {order_id} is {order.status} already: there is nothing left to cancel")
        return _row(counter.place(order.payload["desk"], who=caller.name, cancels=order_id))


def _of_run(services: Services, run: str | None, desk: str | None) -> list[Ticket]:
    """The tickets of a run, of one of its desks by hand or all of them, oldest first."""
    record, board = record_asked(services, run), TicketBoard(services.home)
    names = _by_hand(record, desk)
    found = [one for name in names for one in board.of(record.folder.run_id, name, MOST)[::-1]]
    return sorted(found, key=lambda one: one.placed_ms)


def _known(services: Services, run: str | None, ticket: str) -> Ticket:
    for one in _of_run(services, run, None):
        if one.ticket_id == ticket:
            return one
    raise NotFound(f"no ticket {ticket!r} in this run; GET /tickets lists them")


def _counter(services: Services) -> Counter:
    """Where people trade; answers 503 where nobody can, or before the season on the floor has begun."""
    current(services.floor)
    if services.counter is None:
        raise fastapi.HTTPException(503, "nobody trades by hand in this house: no season is played by this server")
    return services.counter


def _one_desk(counter: Counter, named: str | None) -> str:
    """The desk that is meant. A name is checked by the counter."""
    if named is None and len(counter.desks) > 1:
        raise RequestError(f"several desks are traded by hand: name one of {', '.join(counter.desks)} as desk")
    return named or next(iter(counter.desks), "")


def _by_hand(record: RunRecord, desk: str | None) -> list[str]:
    """The desks of a run that people trade, or the one that is named."""
    names = [str(row["desk"]) for row in record.opening.get("desks", ()) if row["kind"] == "person"]
    if desk is not None and desk not in names:
        raise NotFound(
            f"{desk!r} of {record.folder.run_id} is not traded by hand; that is {', '.join(names) or 'nobody'}"
        )
    return names if desk is None else [desk]


def _order_of(record: RunRecord, ticket: str) -> str | None:
    """The id of the order that a ticket became; None where it has none yet."""
    for stored in read_events(record.folder.journal, kinds=(EventKind.TICKET_TAKEN.value,)):
        payload = stored.event().payload
        if payload["ticket"] == ticket and payload["intent_id"]:
            intent = payload["intent_id"]
            return next((one.payload["order_id"] for one in record.orders if one.payload["intent_id"] == intent), None)
    return None


def _row(one: Ticket) -> TicketRow:
    return TicketRow(
        ticket=one.ticket_id,
        run=one.run_id,
        desk=one.desk,
        what=one.what,
        order=None if one.order is None else _asked(one.order),
        cancels=one.cancels or None,
        who=one.who,
        placed_at=iso(one.placed_ms),
        deadline=iso(one.deadline_ms),
        state=one.state,
        words=one.words,
    )


def _asked(order: OrderTicket) -> OrderAsked:
    amounts = ("quantity", "value", "limit_price", "trigger_price", "stop_loss", "take_profit")
    return OrderAsked(
        instrument=order.instrument,
        side=None if order.side is None else order.side.value,
        order_type=order.order_type.value,
        reduce_only=order.reduce_only,
        close=order.close,
        **{name: None if (amount := getattr(order, name)) is None else money_text(amount) for name in amounts},
    )


def _previewed(desk: str, found: Preview) -> PreviewRow:
    intent, verdict = found.intent, found.verdict
    return PreviewRow(
        as_of=iso(found.as_of_ms),
        desk=desk,
        instrument=intent.instrument,
        side=intent.side.value,
        order_type=intent.order_type.value,
        ruling=verdict.ruling.value,
        rule=verdict.rule,
        message=verdict.message,
        quantity_asked=money_text(verdict.quantity_before),
        quantity=money_text(verdict.quantity_after),
        price=money_text(found.price),
        value=money_text(found.value),
        fee=money_text(found.fee),
        slippage=money_text(found.slippage),
        at_stop=None if found.at_stop is None else money_text(found.at_stop),
        exposure_before=found.gross_before,
        exposure_after=found.gross_after,
        var_before=found.var_before,
        var_after=found.var_after,
    )
