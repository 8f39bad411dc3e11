"""Bringing record and venue together. Run at the start and on a timer; a second run finds nothing to do.

Before balances are compared, what the venue tells of funding, deposits and withdrawals is taken in. Differences are
looked at again before they are believed: a fill may be on its way while balances are read. What stays is a break:
written down, told to people, and a bar to trading what it touches until it is gone or a person accepts the venue's
number.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from trading.domain import ids
from trading.domain.clock import Clock
from trading.domain.errors import OrderRejected, RequestError, UnknownOrderState
from trading.domain.event import Event, EventKind
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.intent import OrderType, TimeInForce
from trading.domain.money import ZERO, money_text
from trading.domain.order import ADOPTED, Order, OrderStatus, order_payload
from trading.execution.lifecycle import OrderLife
from trading.execution.orders import OpenOrders
from trading.execution.reconciliation.books import ExpectedBooks
from trading.execution.reconciliation.breaks import Break, BreakKind, OpenBreaks
from trading.execution.reconciliation.cash import CashIntake
from trading.execution.resolver import Sleep
from trading.execution.sender import OVERLAP_MS, OrderSender
from trading.venues.port import Venue, VenueOrder

Tell = Callable[[Break], None]
"""How people hear of a break."""


class ForeignOrders(StrEnum):
    """What is done about an order at the venue that the record does not know."""

    CANCEL = "cancel"
    ADOPT = "adopt"
    BREAK = "break"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePolicy:
    """``adopt_start`` takes an account over with what it holds; without it, it must start flat and with no orders.

    ``tolerance`` is a difference of a currency that is no break, for venues that pay interest or dust; nothing by
    default. ``looks`` is how often a difference is read, ``pause_s`` apart, before it is believed. Adopted orders and
    their fills are the desk ``adopt_desk``'s. ``cash_desk`` is whose account the cash of the venue is: its ledger gets
    funding, deposits, withdrawals, rebates and fees; without one they count in the books of the venue alone.
    """

    foreign_orders: ForeignOrders = ForeignOrders.BREAK
    adopt_start: bool = False
    adopt_desk: str = ""
    cash_desk: str = ""
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    looks: int = 3
    pause_s: float = 0.5

    def __post_init__(self) -> None:
        if self.foreign_orders is ForeignOrders.ADOPT and not self.adopt_desk:
            raise RequestError("foreign orders are to be adopted: name the desk that gets them (adopt_desk)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did. ``events`` counts what it wrote of breaks, besides fills and ends of orders; ``breaks`` stand.

    ``cash`` is how many movements of cash it took in, ``cash_unread`` why the venue's list of them could not be read.
    """

    events: int
    breaks: tuple[Break, ...]
    cash: int = 0
    cash_unread: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether record and venue agree."""
        return not self.breaks


class Reconciler:
    """Compares one venue with the record of what was sent there.

    ``record`` writes an event down and lets every fold take it in, ``orders``, ``books`` and ``breaks`` among them;
    ``commit`` makes it durable.
    """

    def __init__(
        self,
        venue: Venue,
        sender: OrderSender,
        *,
        orders: OpenOrders,
        books: ExpectedBooks,
        breaks: OpenBreaks,
        instruments: Sequence[str],
        record: Callable[[Event], None],
        commit: Callable[[], None],
        clock: Clock,
        tell: Tell,
        policy: ReconcilePolicy | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._venue = venue
        self._sender = sender
        self._orders = orders
        self._books = books
        self._breaks = breaks
        self._instruments = tuple(instruments)
        self._currencies = {code for name in instruments for code in _currencies(name)}
        self._record_event = record
        self._commit = commit
        self._clock = clock
        self._tell = tell
        self._policy = policy or ReconcilePolicy()
        self._sleep = sleep
        self._written = 0
        self._cash = CashIntake(
            venue,
            books,
            record=record,
            clock=clock,
            desk=self._policy.cash_desk,
            quote=parse_symbol(instruments[0])[1] if instruments else "",
        )

    async def start(self) -> Outcome:
        """Recover every order, take the account over if that was not done yet, and compare.

        Raises UnknownOrderState while the venue cannot be asked: nothing is traded then.
        """
        await self._sender.recover()
        if not self._books.is_open:
            self._written = 0
            await self._take_over()
            if not self._books.is_open:
                return Outcome(events=self._written, breaks=self._breaks.all())
        return await self.run()

    async def run(self) -> Outcome:
        """One comparison, once the account was taken over. Raises UnknownOrderState while the venue is silent."""
        self._written = cash = 0
        found: dict[str, Break] = {}
        for look in range(self._policy.looks):
            if look:
                await self._sleep(self._policy.pause_s)
            await self._sender.poll()
            cash += await self._cash.take()
            found = {each.key: each for each in (*await self._order_breaks(), *await self._book_breaks())}
            if not found:
                break
        self._settle(found)
        self._commit()
        return Outcome(events=self._written, breaks=self._breaks.all(), cash=cash, cash_unread=self._cash.unread)

    async def accept(self, key: str, reason: str) -> None:
        """Take the venue's number for a break of balance or position as true from now on; a person decides so.

        Raises RequestError without a reason, for a break that does not stand, and for one that has no number.
        """
        found = self._breaks.get(key)
        if found is None or not reason.strip():
            raise RequestError(f"break {key!r}: expected one that stands, and a reason")
        names = {BreakKind.BALANCE: "balances", BreakKind.POSITION: "positions"}
        if found.kind not in names:
            raise RequestError(f"break {key!r} is not a number that could be accepted: {found.text()}")
        told = await (self._venue.balances() if found.kind is BreakKind.BALANCE else self._venue.positions())
        number = money_text(told.get(found.subject, ZERO))
        self._record(EventKind.BOOKS_ADJUSTED, **{names[found.kind]: {found.subject: number}}, reason=reason.strip())
        self._record(EventKind.BREAK_RESOLVED, **{"break": key}, by="person", reason=reason.strip())
        self._commit()

    # -- taking over -----------------------------------------------------------------------------------------------

    async def _take_over(self) -> None:
        balances, cash_ids = await self._opening()
        held, standing = await self._venue.positions(), await self._venue.open_orders()
        if not self._policy.adopt_start and (held or standing):
            what = [f"{name} {money_text(quantity)}" for name, quantity in sorted(held.items())]
            what += [f"order {order.client_order_id or order.venue_order_id}" for order in standing]
            for name in self._instruments:
                self._find(
                    Break(kind=BreakKind.NOT_FLAT, subject=name, instrument=name, ours="flat", theirs=", ".join(what))
                )
            self._commit()
            return
        perps = {name: quantity for name, quantity in held.items() if _is_perp(name)}
        self._record(
            EventKind.BOOKS_OPENED,
            venue=self._venue.name,
            balances={name: money_text(total) for name, total in sorted(balances.items())},
            positions={name: money_text(quantity) for name, quantity in sorted(perps.items())},
            **({"cash_ids": cash_ids} if cash_ids else {}),
        )
        self._commit()

    async def _opening(self) -> tuple[Mapping[str, Decimal], list[str]]:
        """Balances, and the ids of the movements of cash that are in them: nothing was told while they were read."""
        known: set[str] = set()
        for _ in range(1 + self._policy.looks):
            known |= {cash.cash_id for cash in await self._cash.told()}
            balances = await self._venue.balances()
            if {cash.cash_id for cash in await self._cash.told()} <= known:
                return balances, sorted(known)
        raise UnknownOrderState("cash keeps moving while the account is taken over; try again when it is quiet")

    # -- comparing -------------------------------------------------------------------------------------------------

    async def _order_breaks(self) -> list[Break]:
        """Orders on one side only. What the policy settles is settled here, with its event, and is no break."""
        theirs = {order.client_order_id: order for order in await self._venue.open_orders()}
        ours = {order.client_order_id: order for order in self._orders.all()}
        found = []
        for client_id in ours.keys() - theirs.keys():
            order = ours[client_id]
            was = self._orders.life(order.order_id)
            status = await self._sender.ask(order)
            if status is OrderStatus.UNKNOWN:
                found.append(
                    Break(
                        kind=BreakKind.UNKNOWN_ORDER,
                        subject=client_id,
                        instrument=order.instrument,
                        ours="sent",
                        theirs="cannot be asked",
                    )
                )
            elif self._has_vanished(order, was):
                self._pass(
                    Break(
                        kind=BreakKind.VANISHED_ORDER,
                        subject=client_id,
                        instrument=order.instrument,
                        ours="open",
                        theirs="not known",
                    ),
                    "the order is closed in the record",
                )
        for client_id in theirs.keys() - ours.keys():
            told = theirs[client_id]
            known = self._orders.by_client_id(client_id)
            found += await (self._foreign(told) if known is None else self._late(known))
        return found

    def _has_vanished(self, order: Order, was: OrderLife | None) -> bool:
        """Whether the venue had acknowledged an order that it knows nothing of now."""
        is_gone = order.order_id in self._sender.gone
        return is_gone and was is not None and was.status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)

    async def _late(self, order: Order) -> list[Break]:
        """An order that stands although its end is recorded: it arrived after it was given up. It is taken back."""
        told = await self._venue.order(order.client_order_id, order.instrument)
        if told is None or told.status.is_final:
            return []  # the list of open orders lags behind
        here = Break(
            kind=BreakKind.LATE_ORDER,
            subject=order.client_order_id,
            instrument=order.instrument,
            ours="ended",
            theirs=told.status.value,
        )
        try:
            await self._venue.cancel(order.client_order_id, order.instrument)
        except (OrderRejected, UnknownOrderState):
            return [here]
        self._pass(here, "an order that was given up is taken back")
        return []

    async def _foreign(self, told: VenueOrder) -> list[Break]:
        subject = told.client_order_id or told.venue_order_id
        here = Break(
            kind=BreakKind.FOREIGN_ORDER,
            subject=subject,
            instrument=told.instrument,
            ours="not sent",
            theirs=f"{told.status.value} {money_text(told.filled)} of {money_text(told.quantity)}",
        )
        if self._policy.foreign_orders is ForeignOrders.CANCEL and told.client_order_id:
            try:
                ended = await self._venue.cancel(told.client_order_id, told.instrument)
            except (OrderRejected, UnknownOrderState):
                return [here]
            if not ended.filled:
                self._pass(here, "cancelled by declared policy")
                return []
        if self._policy.foreign_orders is ForeignOrders.ADOPT and told.client_order_id and told.side is not None:
            self._pass(here, f"adopted by declared policy for {self._policy.adopt_desk}")
            self._adopt(told)
            await self._sender.poll()
            return []
        return [here]

    def _adopt(self, told: VenueOrder) -> None:
        now_ms = self._clock.now_ms()
        order_id = ids.order_id(f"adopted {self._venue.name} {told.client_order_id}")
        assert told.side is not None, "checked where it is called"
        order = Order(
            order_id=order_id,
            client_order_id=told.client_order_id,
            intent_id="",
            desk=self._policy.adopt_desk,
            instrument=told.instrument,
            side=told.side,
            order_type=OrderType.LIMIT if told.limit_price is not None else OrderType.MARKET,
            quantity=told.quantity,
            limit_price=told.limit_price,
            sent_ms=min(now_ms, told.created_ms or now_ms),
            arrives_ms=now_ms,
            origin=ADOPTED,
            time_in_force=TimeInForce.GTC,
        )
        self._record(EventKind.ORDERED, **order_payload(order))
        self._record(
            EventKind.ORDER_ACKNOWLEDGED, order_id=order_id, desk=order.desk, venue_order_id=told.venue_order_id
        )

    async def _book_breaks(self) -> list[Break]:
        balances, positions = await self._venue.balances(), await self._venue.positions()
        found = []
        for name in sorted(self._currencies):
            ours, theirs = self._books.balances.get(name, ZERO), balances.get(name, ZERO)
            if abs(ours - theirs) > self._policy.tolerance.get(name, ZERO):
                found.append(_number(BreakKind.BALANCE, name, "", ours, theirs))
        for name in self._instruments:
            ours, theirs = self._books.positions.get(name, ZERO), positions.get(name, ZERO)
            if _is_perp(name) and ours != theirs:
                found.append(_number(BreakKind.POSITION, name, name, ours, theirs))
        if found:
            found += await self._foreign_fills()
        return found

    async def _foreign_fills(self) -> list[Break]:
        """Executions of orders that the record does not know, where numbers differ: they say why."""
        told = await self._venue.fills_since(max(0, self._orders.told_until_ms - OVERLAP_MS))
        return [
            Break(
                kind=BreakKind.FOREIGN_FILL,
                subject=fill.venue_fill_id,
                instrument=fill.instrument,
                ours="not sent",
                theirs=f"{fill.side.value} {money_text(fill.quantity)} at {money_text(fill.price)}",
            )
            for fill in told
            if self._orders.by_client_id(fill.client_order_id) is None
        ]

    # -- writing ---------------------------------------------------------------------------------------------------

    def _settle(self, found: Mapping[str, Break]) -> None:
        for each in found.values():
            self._find(each)
        for standing in self._breaks.all():
            if standing.key not in found:
                self._record(EventKind.BREAK_RESOLVED, **{"break": standing.key}, by="agreement", reason="both agree")

    def _find(self, each: Break) -> None:
        if self._breaks.get(each.key) == each:
            return
        self._record(EventKind.BREAK_FOUND, **each.payload())
        self._commit()
        self._tell(each)

    def _pass(self, each: Break, how: str) -> None:
        """A break that is settled as it is found."""
        self._find(each)
        self._record(EventKind.BREAK_RESOLVED, **{"break": each.key}, by="policy", reason=how)

    def _record(self, kind: EventKind, /, **payload: object) -> None:
        self._written += 1
        self._record_event(Event(ts_ms=self._clock.now_ms(), kind=kind, payload=payload))


def _number(kind: BreakKind, subject: str, instrument: str, ours: Decimal, theirs: Decimal) -> Break:
    return Break(kind=kind, subject=subject, instrument=instrument, ours=money_text(ours), theirs=money_text(theirs))


def _currencies(instrument: str) -> tuple[str, ...]:
    base, quote, kind = parse_symbol(instrument)
    return (base, quote) if kind is InstrumentKind.SPOT else (quote,)


def _is_perp(instrument: str) -> bool:
    return parse_symbol(instrument)[2] is InstrumentKind.PERP
