"""The controls of the gate, one small function each, in the order in which they are asked.

A control gets the intent, the quantity that the controls before it left, and the state; it answers None (nothing to
say) or a :class:`Finding` with the quantity that may stand, 0 to refuse. Adding a control is adding a function and
naming it in ``CONTROLS``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.intent import OrderType, Side, TradeIntent
from trading.domain.money import ZERO
from trading.risk.gate_state import GateState


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a control found: the quantity that may stand, and the rule, limit and value for the record."""

    rule: str
    quantity: Decimal
    message: str
    limit: Decimal | None = None
    value: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """A control with the id under which its rulings are recorded."""

    rule: str
    check: Callable[[TradeIntent, Decimal, GateState], Finding | None]


def _refuse(
    rule: str, message: str, *, limit: Decimal | None = None, value: Decimal | None = None, unit: str = ""
) -> Finding:
    return Finding(rule=rule, quantity=ZERO, message=message, limit=limit, value=value, unit=unit)


def _is_amount(value: Decimal) -> bool:
    """Whether a number that a model named could be a price or a quantity at all."""
    return value.is_finite() and value > 0 and value.adjusted() <= 15


def not_halted(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """No order leaves while trading is halted."""
    if not state.halted:
        return None
    return _refuse("halted", f"Trading is halted: {state.halt_reason}. Only a person can resume it.")


def allowed_instrument(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Only instruments of the season, and of the limits where they name some."""
    allowed = state.limits.allowed_instruments or tuple(state.instruments)
    if intent.instrument in state.instruments and intent.instrument in allowed:
        return None
    return _refuse(
        "allowed_instruments", f"{intent.instrument[:40]!r} may not be traded; allowed: {', '.join(allowed)}."
    )


def tradable_quantity(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A finite positive quantity on the lot grid."""
    if not _is_amount(quantity):
        found = quantity if quantity.is_finite() else None
        return _refuse(
            "quantity", "The quantity must be a positive number of base units.", limit=ZERO, value=found, unit="base"
        )
    instrument = state.instruments[intent.instrument]
    floored = instrument.floor_quantity(quantity)
    if floored == quantity:
        return None
    if floored <= 0:
        return _refuse(
            "lot_size",
            f"The smallest quantity of {intent.instrument} is {instrument.lot}.",
            limit=instrument.lot,
            value=quantity,
            unit="base",
        )
    return Finding(
        rule="lot_size",
        quantity=floored,
        message=f"Cut to whole lots of {instrument.lot}.",
        limit=instrument.lot,
        value=quantity,
        unit="base",
    )


def order_count(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Orders a round, and orders open at once."""
    limits = state.limits
    if state.orders_this_round >= limits.max_orders_per_round:
        return _refuse(
            "max_orders_per_round",
            f"A desk may send {limits.max_orders_per_round} orders a round.",
            limit=Decimal(limits.max_orders_per_round),
            value=Decimal(state.orders_this_round + 1),
            unit="orders",
        )
    open_orders = len(state.account.open_orders) + state.orders_this_round
    if open_orders >= limits.max_open_orders:
        return _refuse(
            "max_open_orders",
            f"A desk may have {limits.max_open_orders} orders open.",
            limit=Decimal(limits.max_open_orders),
            value=Decimal(open_orders + 1),
            unit="orders",
        )
    return None


def fresh_price(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A reference price that is known and young enough; without one nothing can be judged, so nothing passes."""
    quote = state.quotes.get(intent.instrument)
    if quote is None or not quote.price > 0:
        return _refuse("price_known", f"No price of {intent.instrument} is known.")
    limit_ms = state.limits.max_price_age_bars * state.step_ms
    if quote.age_ms <= limit_ms:
        return None
    return _refuse(
        "max_price_age",
        f"The last price of {intent.instrument} is {quote.age_ms // 1000} s old; {limit_ms // 1000} s are allowed.",
        limit=Decimal(limit_ms) / 1000,
        value=Decimal(quote.age_ms) / 1000,
        unit="s",
    )


def price_collar(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A limit price, for limit orders and for them alone, that is a price and near the last known one."""
    limit_price, reference = intent.limit_price, state.price(intent.instrument)
    if intent.order_type is OrderType.MARKET:
        if limit_price is None:
            return None
        return _refuse("limit_price", "A market order has no limit price: leave it out, or ask for a limit order.")
    if limit_price is None or reference is None or not _is_amount(limit_price):
        return _refuse("limit_price", "A limit order needs a positive limit price.", unit="quote")
    away = abs(limit_price / reference - 1)
    if away <= state.limits.price_collar:
        return None
    return _refuse(
        "price_collar",
        f"The limit price is {away:.2%} away from the last price {reference}; "
        f"{state.limits.price_collar:.2%} is allowed.",
        limit=state.limits.price_collar,
        value=round(away, 6),
        unit="fraction",
    )


def _reducible(intent: TradeIntent, state: GateState) -> Decimal:
    """How much of the position the intent could close, counting orders that already work on it."""
    held = state.held(intent.instrument)
    if intent.side is Side.SELL:
        return max(ZERO, held - state.working_sells.get(intent.instrument, ZERO))
    return max(ZERO, -held - state.working_buys.get(intent.instrument, ZERO))


def only_reduces(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A desk past its drawdown limit, or an intent that says so, may only shrink a position."""
    if not (intent.reduce_only or state.account.reduce_only):
        return None
    reducible = _reducible(intent, state)
    if quantity <= reducible:
        return None
    why = (
        f"The desk is {state.account.drawdown:.2%} below its peak (limit {state.limits.desk_drawdown:.2%}) "
        "and may only reduce"
        if state.account.reduce_only
        else "The intent is reduce-only"
    )
    return Finding(
        rule="reduce_only",
        quantity=reducible,
        message=f"{why}; {reducible} of {intent.instrument} can be closed.",
        limit=reducible,
        value=quantity,
        unit="base",
    )


def no_spot_short(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Spot can be sold only as far as it is held."""
    if state.instruments[intent.instrument].is_perp or intent.side is Side.BUY:
        return None
    reducible = _reducible(intent, state)
    if quantity <= reducible:
        return None
    return Finding(
        rule="no_spot_short",
        quantity=reducible,
        message=f"Only {reducible} of {intent.instrument} is held and free to sell.",
        limit=reducible,
        value=quantity,
        unit="base",
    )


def _opening(intent: TradeIntent, quantity: Decimal, state: GateState) -> tuple[Decimal, Decimal]:
    """The part of the quantity that closes a position and the part that opens or adds to one."""
    closing = min(quantity, _reducible(intent, state))
    return closing, quantity - closing


def _reference(intent: TradeIntent, state: GateState) -> Decimal:
    last = state.price(intent.instrument)
    assert last is not None, "fresh_price stands before every control that needs a price"
    return max(last, intent.limit_price or last)


def _cut(
    rule: str,
    intent: TradeIntent,
    quantity: Decimal,
    state: GateState,
    room: Decimal,
    limit: Decimal,
    value: Decimal,
    unit: str,
    text: str,
) -> Finding | None:
    """Leave the closing part and as much of the opening part as ``room`` (quote currency) allows."""
    closing, opening = _opening(intent, quantity, state)
    price = _reference(intent, state)
    if opening <= 0 or opening * price <= room:
        return None
    instrument = state.instruments[intent.instrument]
    left = closing + instrument.floor_quantity(max(ZERO, room) / price)
    return Finding(rule=rule, quantity=min(quantity, left), message=text, limit=limit, value=value, unit=unit)


def order_value(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The value of what an order opens, absolute and over equity. Getting out is never bounded."""
    limits, equity = state.limits, max(ZERO, state.account.equity)
    value = _opening(intent, quantity, state)[1] * _reference(intent, state)
    by_equity = limits.max_order_fraction * equity
    rule, bound = min(
        (("max_order_value", limits.max_order_value), ("max_order_fraction", by_equity)), key=lambda x: x[1]
    )
    text = f"The order opens {value:.2f} {state.account.quote}; {bound:.2f} is allowed."
    return _cut(rule, intent, quantity, state, bound, round(bound, 8), round(value, 8), "quote", text)


def leverage(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """One position over equity, with every working order of its side filled."""
    symbol, equity = intent.instrument, max(ZERO, state.account.equity)
    bound = min(state.limits.max_leverage, state.instruments[symbol].max_leverage)
    price = _reference(intent, state)
    signed = state.held(symbol) * intent.side.sign
    working = (state.working_buys if intent.side is Side.BUY else state.working_sells).get(symbol, ZERO)
    now = max(ZERO, signed + working) * price
    after = max(ZERO, signed + working + quantity) * price
    room = bound * equity - now
    value = after / equity if equity > 0 else Decimal(0)
    text = f"{symbol} would be {value:.2f} times equity; {bound} is allowed."
    return _cut("max_leverage", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


def _reach(symbol: str, state: GateState) -> tuple[Decimal, Decimal]:
    """The most short and the most long quantity that working orders may lead to."""
    held = state.held(symbol)
    return held - state.working_sells.get(symbol, ZERO), held + state.working_buys.get(symbol, ZERO)


def _others(intent: TradeIntent, state: GateState) -> tuple[Decimal, Decimal]:
    """Gross and directional value of the other instruments, if their working orders fill in the worst way.

    The directional value counts longs up for a buy and shorts up for a sell.
    """
    gross = directional = ZERO
    for symbol in {*state.account.positions, *state.working_buys, *state.working_sells} - {intent.instrument}:
        price = state.price(symbol)
        if price is None:
            price = state.account.marks.get(symbol, ZERO)
        low, high = _reach(symbol, state)
        gross += max(abs(low), abs(high)) * price
        directional += (high if intent.side is Side.BUY else -low) * price
    return gross, directional


def gross_exposure(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The sum of absolute positions over equity, in the worst case of the working orders."""
    equity, price = max(ZERO, state.account.equity), _reference(intent, state)
    bound = state.limits.max_gross_exposure
    low, high = _reach(intent.instrument, state)
    toward, away = (high, -low) if intent.side is Side.BUY else (-low, high)
    others = _others(intent, state)[0]
    spare = bound * equity - others
    # What opens on this side adds to the gross only from where it outgrows what may stand on the other.
    opposite = away * (state.price(intent.instrument) or price)
    room = spare - max(ZERO, toward) * price if opposite <= spare else ZERO
    after = others + max(ZERO, (toward + quantity) * price, opposite)
    value = after / equity if equity > 0 else Decimal(0)
    text = f"Gross exposure would be {value:.2f} times equity; {bound} is allowed."
    return _cut("max_gross_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


def net_exposure(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The absolute sum of signed positions over equity, in the worst case of the working orders."""
    equity, price = max(ZERO, state.account.equity), _reference(intent, state)
    bound = state.limits.max_net_exposure
    low, high = _reach(intent.instrument, state)
    toward = high if intent.side is Side.BUY else -low
    others = _others(intent, state)[1]
    closing, _ = _opening(intent, quantity, state)
    room = bound * equity - others - (toward + closing) * price
    value = (others + (toward + quantity) * price) / equity if equity > 0 else Decimal(0)
    text = f"Net exposure would be {value:.2f} times equity; {bound} is allowed."
    return _cut("max_net_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


def buying_power(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Spot is paid in full: cash, less what working orders may spend, must cover price, slippage and fee."""
    if state.instruments[intent.instrument].is_perp or intent.side is Side.SELL:
        return None
    free = state.account.cash - state.cash_committed
    margin = 1 + state.taker_fee + SPOT_PRICE_MARGIN
    value = quantity * _reference(intent, state) * margin
    if value <= free:
        return None
    affordable = state.instruments[intent.instrument].floor_quantity(
        max(ZERO, free) / (_reference(intent, state) * margin)
    )
    return Finding(
        rule="buying_power",
        quantity=min(quantity, affordable),
        message=f"The order needs up to {value:.2f} {state.account.quote}; {free:.2f} is free.",
        limit=round(free, 8),
        value=round(value, 8),
        unit="quote",
    )


def minimum_notional(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Too small to be an order, unless it closes all that is held."""
    instrument = state.instruments[intent.instrument]
    price = state.price(intent.instrument) or ZERO
    value = quantity * price
    if value >= instrument.min_notional or quantity == abs(state.held(intent.instrument)) == _reducible(intent, state):
        return None
    return _refuse(
        "min_notional",
        f"The order is worth {value:.4f} {state.account.quote}; the least is {instrument.min_notional}.",
        limit=instrument.min_notional,
        value=round(value, 8),
        unit="quote",
    )


SPOT_PRICE_MARGIN = Decimal("0.005")
"""A market buy of spot may fill this much above the last price before it could overdraw the account."""

CONTROLS: tuple[Control, ...] = (
    Control("halted", not_halted),
    Control("allowed_instruments", allowed_instrument),
    Control("quantity", tradable_quantity),
    Control("max_orders_per_round", order_count),
    Control("max_price_age", fresh_price),
    Control("price_collar", price_collar),
    Control("reduce_only", only_reduces),
    Control("no_spot_short", no_spot_short),
    Control("max_order_value", order_value),
    Control("max_leverage", leverage),
    Control("max_gross_exposure", gross_exposure),
    Control("max_net_exposure", net_exposure),
    Control("buying_power", buying_power),
    Control("min_notional", minimum_notional),
)
