"""What a ticket would come to if a round took it now: the gate's ruling, its cost, and what the account risks by it."""

from dataclasses import dataclass
from decimal import Decimal

from arena.tickets.order import OrderTicket
from arena.tickets.taking import sizes_of
from trading.domain.account import AccountView
from trading.domain.errors import ToolFailure
from trading.domain.intent import OrderType, TradeIntent
from trading.domain.verdict import Ruling, Verdict
from trading.engine import Engine
from trading.marketdata import MarketView
from trading.risk.measures import historical_tail_risk, horizon_returns, lookback_bars, position_weights

DAY_MS = 86_400_000
_LEVEL = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A ticket ruled on, as of the season's instant ``as_of_ms``. Amounts are in the quote currency.

    ``price`` is what it would fill at, slippage included; ``fee`` and ``slippage`` are what that costs. ``at_stop`` is
    the loss where its bracket's stop is met, None without one. ``gross_before`` and ``gross_after`` are exposure over
    equity, ``var_before`` and ``var_after`` the account's one-day loss at 99 %, as fractions of equity; None where it
    is not known.
    """

    as_of_ms: int
    intent: TradeIntent
    verdict: Verdict
    price: Decimal
    fee: Decimal
    slippage: Decimal
    at_stop: Decimal | None
    gross_before: float | None
    gross_after: float | None
    var_before: float | None
    var_after: float | None

    @property
    def value(self) -> Decimal:
        """What would be traded."""
        return self.verdict.quantity_after * self.price


def preview_of(engine: Engine, desk: str, order: OrderTicket) -> Preview:
    """The preview by the account and prices of the last round. To be called on the season's own loop.

    Raises RequestError and Unavailable as taking the ticket would.
    """
    sizes = sizes_of(engine, desk, order.instrument)
    intent = order.intent(sizes)
    (verdict,) = engine.preview(desk, [intent])
    quantity = verdict.quantity_after
    asked = intent.limit_price or intent.trigger_price or sizes.price
    costs = engine.costs
    rests = intent.order_type is OrderType.LIMIT
    slippage = Decimal(0) if rests else asked * costs.slippage
    change = intent.side.sign * quantity
    account, view = sizes.account, engine.seen_view
    return Preview(
        as_of_ms=account.as_of_ms,
        intent=intent,
        verdict=verdict,
        price=asked + intent.side.sign * slippage,
        fee=quantity * asked * (costs.maker_fee if rests else costs.taker_fee),
        slippage=quantity * slippage,
        at_stop=None if intent.stop_loss is None else quantity * abs(asked - intent.stop_loss),
        gross_before=_gross(account, {}, {}),
        gross_after=_gross(account, {order.instrument: change}, {order.instrument: sizes.price}),
        var_before=_tail(account, {}, view),
        var_after=_tail(account, {order.instrument: change}, view) if verdict.ruling is not Ruling.REFUSED else None,
    )


def _gross(account: AccountView, changes: dict[str, Decimal], prices: dict[str, Decimal]) -> float | None:
    weights = position_weights(account, changes, {symbol: float(price) for symbol, price in prices.items()})
    return sum(map(abs, weights.values())) if account.equity > 0 else None


def _tail(account: AccountView, changes: dict[str, Decimal], view: MarketView) -> float | None:
    prices = {symbol: view.quote(symbol).price for symbol in changes}
    weights = {s: weight for s, weight in position_weights(account, changes, prices).items() if weight}
    if not weights:
        return 0.0
    count = lookback_bars(view.step_ms, DAY_MS)
    try:
        history = {symbol: horizon_returns(view.bars(symbol, count), DAY_MS) for symbol in weights}
        return historical_tail_risk(weights, history).var[_LEVEL]
    except ToolFailure:
        return None
