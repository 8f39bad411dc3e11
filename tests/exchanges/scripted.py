"""An account whose orders are matched by the simulated exchange of the core, on candles that a test plays."""

from collections.abc import Coroutine, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.exchanges.accounts import Asked, Held, Listener, Moved, Refused, Status, Traded
from trading.domain.errors import OrderRejected
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.order import Order, OrderStatus
from trading.domain.position import Position
from trading.execution.paper import PaperVenue
from trading.ledger.account import filled_position

_KINDS = {
    ("market", False): OrderType.MARKET,
    ("limit", True): OrderType.LIMIT,
    ("stop", False): OrderType.STOP,
    ("stop", True): OrderType.STOP_LIMIT,
    ("take_profit", False): OrderType.TAKE_PROFIT,
    ("trailing", False): OrderType.TRAILING_STOP,
}
_STATES = {
    OrderStatus.SENT: Status.OPEN,
    OrderStatus.OPEN: Status.OPEN,
    OrderStatus.PARTIALLY_FILLED: Status.PARTIAL,
    OrderStatus.FILLED: Status.FILLED,
    OrderStatus.CANCELLED: Status.CANCELLED,
    OrderStatus.REJECTED: Status.REJECTED,
    OrderStatus.EXPIRED: Status.EXPIRED,
}
ZERO = Decimal(0)


class ScriptedAccount:
    """See :class:`~tests.exchanges.accounts.Account`."""

    def __init__(self, exchange: PaperVenue) -> None:
        self.listeners: list[Listener] = []
        self._exchange = exchange
        self._held: list[Held] = []
        self._moved: list[Moved] = []
        exchange._folds = (*exchange._folds, self)  # type: ignore[assignment]  # any fold may listen

    def apply(self, event: Event) -> None:
        """Keep what the exchange does to cash without a trade."""
        if event.kind is EventKind.FUNDED:
            self._moved.append(
                Moved(
                    number=9001 + len(self._moved),
                    kind="funding",
                    currency=parse_symbol(event.payload["instrument"])[1],
                    amount=-Decimal(event.payload["paid"]),
                    at_ms=event.ts_ms,
                    instrument=event.payload["instrument"],
                )
            )

    def place(self, asked: Asked) -> Held:
        number = 1001 + len(self._held)
        order = Order(
            order_id=f"v-{number}",
            client_order_id=asked.client_id,
            intent_id="",
            desk="account",
            instrument=asked.instrument,
            side=Side.BUY if asked.buys else Side.SELL,
            order_type=_KINDS[asked.kind, asked.limit is not None],
            quantity=asked.quantity,
            limit_price=asked.limit,
            trigger_price=asked.trigger,
            trail=asked.trail,
            sent_ms=0,
            arrives_ms=0,
            time_in_force=TimeInForce.GTD if asked.expires_ms else TimeInForce(asked.tif.lower()),
            expires_ms=asked.expires_ms,
            post_only=asked.post_only,
            reduce_only=asked.reduce_only,
        )
        try:
            _now(self._exchange.place(order))
        except OrderRejected as refusal:
            raise Refused("duplicate" if refusal.code == "duplicate_id" else "lot") from None
        now = self._exchange.now_ms
        self._held.append(Held(number=number, asked=asked, created_ms=now, updated_ms=now))
        return self._held[-1]

    def cancel(self, held: Held) -> None:
        _now(self._exchange.cancel(held.asked.client_id, held.asked.instrument))
        self.orders()

    def orders(self) -> Sequence[Held]:
        fills = _now(self._exchange.fills_since(0))
        for held in self._held:
            told = _now(self._exchange.order(held.asked.client_id, held.asked.instrument))
            held.status, held.filled = _STATES[told.status], told.filled
            held.spent = sum((f.price * f.quantity for f in fills if f.client_order_id == held.asked.client_id), ZERO)
        return self._held

    def trades(self) -> Sequence[Traded]:
        of = {held.asked.client_id: held for held in self.orders()}
        positions: dict[str, Position] = {}
        told = []
        for number, fill in enumerate(_now(self._exchange.fills_since(0)), start=1):
            before = positions.get(fill.instrument) or Position(instrument=fill.instrument)
            positions[fill.instrument], realised = filled_position(before, fill)
            told.append(
                Traded(
                    number=number,
                    order=of[fill.client_order_id],
                    price=fill.price,
                    quantity=fill.quantity,
                    fee=fill.fee,
                    fee_currency=parse_symbol(fill.instrument)[1],
                    maker=fill.liquidity is Liquidity.MAKER,
                    at_ms=fill.ts_ms,
                    realised=realised,
                )
            )
        return told

    def balances(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        return {name: (total, ZERO) for name, total in _now(self._exchange.balances()).items()}

    def positions(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        held = self._exchange.ledger.accounts["account"].positions
        return {
            name: (position.quantity, position.cost)
            for name, position in held.items()
            if parse_symbol(name)[2] is InstrumentKind.PERP
        }

    def last(self, instrument: str) -> Decimal:
        found = self._exchange._last(instrument)
        assert found is not None
        return found

    def moved(self) -> Sequence[Moved]:
        return self._moved


def _now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the simulated exchange answers at once")
