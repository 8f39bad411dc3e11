"""An account at a real exchange behind the port of venues: REST for every fact, streams to hear of changes sooner."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import OrderRejected, RequestError, SourceUnavailable, UnknownOrderState
from trading.domain.instrument import parse_symbol
from trading.domain.intent import Side
from trading.domain.money import EXACT, money_text
from trading.domain.order import Order
from trading.domain.reject import RejectCode
from trading.marketdata.exchange.calls import Caller
from trading.marketdata.exchange.connection import load_markets
from trading.marketdata.exchange.symbols import from_ccxt, to_ccxt
from trading.venues.ccxt_venue.cash import cash_movements
from trading.venues.ccxt_venue.client_ids import from_wire, to_wire
from trading.venues.ccxt_venue.clock_guard import ClockGuard
from trading.venues.ccxt_venue.executions import executions
from trading.venues.ccxt_venue.facts import VenueFacts
from trading.venues.ccxt_venue.grid import check_grid
from trading.venues.ccxt_venue.pace import Pace
from trading.venues.ccxt_venue.refusals import failures, is_gone, our_error
from trading.venues.ccxt_venue.translation import (
    CONDITIONAL,
    CcxtOrder,
    as_ccxt,
    contract_size,
    venue_fill,
    venue_order,
)
from trading.venues.port import VenueCash, VenueFill, VenueOrder

REMEMBERED_IDS = 100_000
_GONE = object()


class CcxtVenue:
    """One account at ``exchange``, an opened ccxt exchange, over ``instruments`` of one kind (spot or perpetuals).

    Nothing is remembered that the exchange could not be asked for again, but ids: a client id is sent once, also where
    the exchange would take it anew, and the client id of each order that the exchange numbers itself.
    """

    def __init__(
        self,
        exchange: Any,
        instruments: Sequence[str],
        facts: VenueFacts,
        *,
        caller: Caller | None = None,
        clock: Clock | None = None,
        guard: ClockGuard | None = None,
    ) -> None:
        self.name = str(exchange.id)
        self.instruments = tuple(instruments)
        self.exchange = exchange
        self.facts = facts
        self._caller = caller or Caller(exchange=exchange)
        self._clock = clock or SystemClock()
        self._guard = guard
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._client_of: OrderedDict[str, str] = OrderedDict()
        self._conditional: dict[str, bool] = {}
        self._markets_changed = False
        self._pace = Pace(self._caller, self._clock, most=facts.most_in_flight)

    # -- the port --------------------------------------------------------------------------------------------------

    async def place(self, order: Order) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        if order.client_order_id in self._sent:
            raise OrderRejected(f"client order id {order.client_order_id} was sent", code=RejectCode.DUPLICATE_ID.value)
        if self._markets_changed:
            await self._load_markets()
        market = self.listed(order.instrument)
        with localcontext(EXACT):
            check_grid(order, market, self.exchange, size=contract_size(market))
        self._may_send()
        cap = await self._cap(order, market)
        with localcontext(EXACT):
            asked = as_ccxt(order, market, self.facts, now_ms=self._clock.now_ms(), cap=cap)
        async with self._pace.in_flight:
            self._may_send()
            answer = await self._create(order, asked)
        return self._take({**answer, "amount": asked.amount}, order.instrument, order.client_order_id)

    async def cancel(self, client_order_id: str, instrument: str) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        symbol = self.listed(instrument)["symbol"]
        last = None
        number = None if self.facts.asks_by_client_id else await self._number_of(client_order_id, instrument)
        for params in self._ways(client_order_id):
            cancel = partial(self.exchange.cancel_order, number, symbol, self._id(client_order_id) | params)
            try:
                answer = await self._pace.unhurried(cancel)
            except failures() as error:
                if not is_gone(error, self.facts):
                    raise self._failed(error, f"cancelling {client_order_id}") from None
                last = error
            else:
                told = self._take(answer, instrument, client_order_id)
                return told if told.status.is_final else await self._stands(client_order_id, instrument)
        found = await self.order(client_order_id, instrument)
        if found is None:
            raise OrderRejected(f"no order {client_order_id} is known: {last}", code=RejectCode.OTHER.value)
        return found

    async def order(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """See :class:`~trading.venues.port.Venue`."""
        if instrument not in self.instruments:
            return None
        if not self.facts.asks_by_client_id:
            return await self._searched(client_order_id, instrument)
        symbol = self.listed(instrument)["symbol"]
        for params in self._ways(client_order_id):
            answer = await self._read(
                f"order {client_order_id}",
                partial(self.exchange.fetch_order, "", symbol, self._id(client_order_id) | params),
            )
            if answer is _GONE:
                continue
            if params and (actual := (answer.get("info") or {}).get("actualOrderId")):
                self._learn(str(actual), client_order_id)
                answer = await self._read(f"order {actual}", partial(self.exchange.fetch_order, str(actual), symbol))
                if answer is _GONE:
                    raise UnknownOrderState(
                        f"order {client_order_id} triggered, and its order {actual} is not told yet"
                    )
            return self._take(answer, instrument, client_order_id)
        return None

    async def open_orders(self) -> Sequence[VenueOrder]:
        """See :class:`~trading.venues.port.Venue`."""
        found = []
        for instrument in self.instruments:
            symbol = self.listed(instrument)["symbol"]
            for params in ({}, {"trigger": True}) if self.facts.conditional_apart else ({},):
                rows = await self._read(
                    "open orders",
                    partial(self.exchange.fetch_open_orders, symbol, None, None, params),
                )
                found += [self._take(row, instrument, "", conditional=bool(params)) for row in rows]
        return tuple(found)

    async def fills_since(self, ts_ms: int) -> Sequence[VenueFill]:
        """See :class:`~trading.venues.port.Venue`."""
        found: dict[tuple[str, str], VenueFill] = {}
        wanted = self.instruments if self.facts.trades_need_symbol else (None,)
        for instrument in wanted:
            symbol = None if instrument is None else self.listed(instrument)["symbol"]
            async for row in executions(self.exchange, self.facts, self._read, symbol, ts_ms, self._clock.now_ms()):
                name = from_ccxt(row["symbol"])
                if name in self.instruments and row["timestamp"] >= ts_ms:
                    fill = await self._fill(row, name)
                    found[name, fill.venue_fill_id] = fill
        return tuple(sorted(found.values(), key=lambda fill: (fill.ts_ms, _by_number(fill.venue_fill_id))))

    async def balances(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        told = await self._read("balances", self.exchange.fetch_balance, accept=lambda it: "total" in it)
        held: Mapping[str, Decimal]
        if self.facts.cash_of is not None:
            with localcontext(EXACT):
                held = self.facts.cash_of(told["info"])
        else:
            held = {name: Decimal(str(total)) for name, total in told["total"].items() if total is not None}
        return {name: total for name, total in held.items() if total}

    async def positions(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`. At a spot market what is held of each base currency."""
        perps = [name for name in self.instruments if self.listed(name).get("contract")]
        held: dict[str, Decimal] = {}
        if perps:
            symbols = [self.listed(name)["symbol"] for name in perps]
            for row in await self._read("positions", lambda: self.exchange.fetch_positions(symbols)):
                if row["symbol"] in symbols and row["contracts"] is not None:
                    size = contract_size(self.exchange.markets[row["symbol"]])
                    sign = -1 if row["side"] == "short" else 1
                    held[from_ccxt(row["symbol"])] = sign * Decimal(str(row["contracts"])) * size
        if len(perps) < len(self.instruments):
            balances = dict(await self.balances())
            for name in self.instruments:
                if name not in perps:
                    held[name] = balances.pop(parse_symbol(name)[0], Decimal(0))
        return {name: quantity for name, quantity in held.items() if quantity}

    async def cash_since(self, ts_ms: int) -> Sequence[VenueCash]:
        """See :class:`~trading.venues.port.CashHistory`. Nothing where no list of the exchange is known."""
        try:
            return await cash_movements(self.exchange, self.facts.cash, self._pace.ask, ts_ms, self._clock.now_ms())
        except SourceUnavailable as error:
            raise UnknownOrderState(str(error)) from None

    def heard(self, told: Mapping[str, Any]) -> VenueOrder | None:
        """What a message of the order stream says; None for a market that is not traded here."""
        symbols = {self.listed(name)["symbol"]: name for name in self.instruments}
        instrument = symbols.get(told.get("symbol") or "")
        return None if instrument is None else self._take(told, instrument, "")

    # -- inside ----------------------------------------------------------------------------------------------------

    def listed(self, instrument: str) -> Mapping[str, Any]:
        """The market as ccxt knows it. Raises OrderRejected for one that is not traded here."""
        market = self.exchange.markets.get(to_ccxt(instrument)) if instrument in self.instruments else None
        if market is None:
            raise OrderRejected(f"{instrument} is not listed", code=RejectCode.UNKNOWN_INSTRUMENT.value)
        found: Mapping[str, Any] = market
        return found

    async def _create(self, order: Order, asked: CcxtOrder) -> Mapping[str, Any]:
        self._remember(order.client_order_id, conditional=order.order_type in CONDITIONAL)
        try:
            answer: Mapping[str, Any] = await self.exchange.create_order(
                asked.symbol, asked.kind, asked.side, asked.amount, asked.price, dict(asked.params)
            )
        except failures() as error:
            refusal = self._failed(error, f"placing {order.client_order_id}")
            if isinstance(refusal, OrderRejected) and refusal.code != RejectCode.DUPLICATE_ID.value:
                self._markets_changed |= refusal.code == RejectCode.OFF_GRID.value
                del self._sent[order.client_order_id]
            raise refusal from None
        return answer

    async def _cap(self, order: Order, market: Mapping[str, Any]) -> str | None:
        """The worst price that an order without a limit may get, where the venue is told one."""
        if self.facts.market_cap is None or order.limit_price is not None:
            return None
        price = order.trigger_price
        if price is None:
            try:
                book = await self._read("its book", partial(self.exchange.fetch_order_book, market["symbol"], 5))
                levels = book["asks" if order.side is Side.BUY else "bids"]
                price = Decimal(str(levels[0][0]))
            except (UnknownOrderState, IndexError) as error:
                raise OrderRejected(f"no price to cap a market order by: {error}", code="other") from None
        reach = price * (1 + order.side.sign * self.facts.market_cap)
        return str(self.exchange.price_to_precision(market["symbol"], money_text(reach)))

    def _may_send(self) -> None:
        self._pace.check()
        if self._guard is not None:
            self._guard.check()

    def _failed(self, error: Exception, what: str) -> Exception:
        refusal = our_error(error, self.facts, what)
        if isinstance(refusal, OrderRejected) and refusal.code == RejectCode.RATE_LIMITED.value:
            self._pace.pause()
        return refusal

    async def _load_markets(self) -> None:
        try:
            await load_markets(self._caller)
        except (SourceUnavailable, RequestError) as error:
            raise OrderRejected(f"the venue changed its grid and does not tell it: {error}") from None
        self._markets_changed = False

    async def _read(
        self, what: str, request: Callable[[], Awaitable[Any]], *, accept: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """The answer to a question, asked again while it may come; ``_GONE`` where the venue knows no such order."""

        async def ask() -> Any:
            try:
                return await request()
            except failures() as error:
                if is_gone(error, self.facts):
                    return _GONE
                raise

        try:
            return await self._pace.ask(what, ask, accept=lambda it: it is _GONE or accept(it))
        except (SourceUnavailable, RequestError) as error:
            raise UnknownOrderState(str(error)) from None

    def _id(self, client_order_id: str) -> dict[str, Any]:
        return {"clientOrderId": to_wire(client_order_id, self.facts.id_form)} if self.facts.asks_by_client_id else {}

    def _ways(self, client_order_id: str) -> Sequence[dict[str, Any]]:
        """Where to look for an order: among plain ones, and among those that wait where these are apart."""
        if not self.facts.conditional_apart:
            return ({},)
        known = self._conditional.get(client_order_id)
        ways: list[dict[str, Any]] = [{}, {"trigger": True}]
        return ways[::-1] if known else ways if known is None else ways[:1]

    async def _stands(self, client_order_id: str, instrument: str) -> VenueOrder:
        found = await self.order(client_order_id, instrument)
        if found is None:
            raise UnknownOrderState(f"the cancellation of {client_order_id} was taken, and the order is not told")
        return found

    async def _number_of(self, client_order_id: str, instrument: str) -> str:
        found = await self._searched(client_order_id, instrument)
        if found is None:
            raise OrderRejected(f"no order {client_order_id} is known", code=RejectCode.OTHER.value)
        return found.venue_order_id

    async def _searched(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """An order looked for in the lists of the venue, the open ones first."""
        symbol, wire = self.listed(instrument)["symbol"], to_wire(client_order_id, self.facts.id_form)
        for name in ("fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders"):
            if not self.exchange.has.get(_CAPABILITIES[name]):
                continue
            extra = {"clientOrderId": wire} if self.facts.lists_by_client_id else {}
            rows = await self._read(name, partial(getattr(self.exchange, name), symbol, None, None, extra))
            for row in rows:
                if row.get("clientOrderId") == wire:
                    return self._take(row, instrument, client_order_id)
        return None

    async def _fill(self, row: Mapping[str, Any], instrument: str) -> VenueFill:
        market = self.listed(instrument)
        client = from_wire(row.get("clientOrderId"), self.facts.id_form) or self._client_of.get(str(row["order"]), "")
        if not client:
            client = await self._client_id(str(row["order"]), instrument)
        with localcontext(EXACT):
            quote = parse_symbol(instrument)[1]
            return venue_fill(
                row,
                instrument,
                quote,
                size=contract_size(market),
                client_order_id=client,
                realised_in=self.facts.realised,
            )

    async def _client_id(self, number: str, instrument: str) -> str:
        """The client id of an order by the venue's own number; empty where the venue does not tell it."""
        symbol = self.listed(instrument)["symbol"]
        told = await self._read(f"order {number}", lambda: self.exchange.fetch_order(number, symbol))
        if told is _GONE:
            return ""
        client = from_wire(told.get("clientOrderId"), self.facts.id_form)
        self._learn(number, client)
        return client

    def _take(self, told: Mapping[str, Any], instrument: str, client: str, *, conditional: bool = False) -> VenueOrder:
        with localcontext(EXACT):
            size = contract_size(self.listed(instrument))
            order = venue_order(told, instrument, self.facts, size=size, client_order_id=client)
        if order.venue_order_id and order.client_order_id:
            self._learn(order.venue_order_id, order.client_order_id)
        if conditional:
            self._conditional[order.client_order_id] = True
        return order

    def _learn(self, number: str, client_order_id: str) -> None:
        self._client_of[number] = client_order_id
        if len(self._client_of) > REMEMBERED_IDS:
            self._client_of.popitem(last=False)

    def _remember(self, client_order_id: str, *, conditional: bool) -> None:
        self._sent[client_order_id] = None
        self._conditional[client_order_id] = conditional
        if len(self._sent) > REMEMBERED_IDS:
            oldest, _ = self._sent.popitem(last=False)
            self._conditional.pop(oldest, None)


def _by_number(fill_id: str) -> tuple[int, str]:
    return (int(fill_id), "") if fill_id.isdigit() else (0, fill_id)


_CAPABILITIES = {
    "fetch_open_orders": "fetchOpenOrders",
    "fetch_closed_orders": "fetchClosedOrders",
    "fetch_canceled_orders": "fetchCanceledOrders",
}
