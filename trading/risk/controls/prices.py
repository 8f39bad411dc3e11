"""Prices: known, fresh, sane, near the market now and near where it has been."""

import math
from decimal import Decimal

from trading.domain.intent import TradeIntent, shape_problem
from trading.domain.money import decimal_from_float
from trading.risk.controls.control import Finding, Scope, control, refuse
from trading.risk.controls.opening import split
from trading.risk.gate_state import GateState


@control(
    "max_price_age", stage=50, scope=Scope.INSTRUMENT, unit="s", limits=("max_price_age_bars",), also=("price_known",)
)
def fresh_price(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A reference price that is known and young enough; without one nothing can be judged, so nothing passes."""
    quote = state.quotes.get(intent.instrument)
    if quote is None or not (quote.price > 0 and math.isfinite(quote.price)):
        return refuse("price_known", f"No price of {intent.instrument} is known.")
    limit_ms = state.limits.max_price_age_bars * state.step_ms
    if quote.age_ms <= limit_ms:
        return None
    return refuse(
        "max_price_age",
        f"The last price of {intent.instrument} is {quote.age_ms // 1000} s old; {limit_ms // 1000} s are allowed.",
        limit=Decimal(limit_ms) / 1000,
        value=Decimal(quote.age_ms) / 1000,
        unit="s",
    )


@control("market_data", stage=52, scope=Scope.INSTRUMENT, unit="state", also=("crossed_book", "sequence_gap"))
def sound_market_data(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A book that is not crossed, and a feed that has lost nothing since its last snapshot."""
    quote, name = state.quotes[intent.instrument], intent.instrument
    if quote.bid is not None and quote.ask is not None and not quote.bid < quote.ask:
        return refuse("crossed_book", f"The book of {name} is crossed: bid {quote.bid}, ask {quote.ask}.")
    condition = state.conditions.get(name)
    if condition is None or not (condition.sequence_gap or condition.feed_lost):
        return None
    what = "lost messages" if condition.sequence_gap else "is not heard"
    return refuse("sequence_gap", f"The feed of {name} {what}; it must be read anew before anything is sent.")


@control("order_shape", stage=58, scope=Scope.ORDER, unit="quote", also=("limit_price",))
def order_shape(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Prices and conditions that fit the type of the order, and a bracket on either side of the last price."""
    problem = shape_problem(intent)
    if problem is not None:
        rule = "limit_price" if problem.startswith("limit_price") else "order_shape"
        return refuse(rule, problem, unit="quote")
    last = intent.limit_price or state.price(intent.instrument)
    for name, level, away in (("stop_loss", intent.stop_loss, 1), ("take_profit", intent.take_profit, -1)):
        if level is not None and last is not None and (last - level) * intent.side.sign * away <= 0:
            return refuse(
                "order_shape",
                f"{name} {level} stands on the wrong side of {last}.",
                limit=last,
                value=level,
                unit="quote",
            )
    return None


@control("price_collar", stage=60, scope=Scope.ORDER, unit="fraction", limits=("price_collar",))
def price_collar(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A limit price near the last known one, or near the trigger of a stop-limit."""
    limit_price, last = intent.limit_price, intent.trigger_price or state.price(intent.instrument)
    if limit_price is None or last is None:
        return None
    away = abs(limit_price / last - 1)
    if away <= state.limits.price_collar:
        return None
    return refuse(
        "price_collar",
        f"The limit price is {away:.2%} away from the last price {last}; {state.limits.price_collar:.2%} is allowed.",
        limit=state.limits.price_collar,
        value=round(away, 6),
        unit="fraction",
    )


@control("price_collar_window", stage=62, scope=Scope.INSTRUMENT, unit="fraction", limits=("price_collar_window",))
def price_collar_window(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """What opens must be priced near the mean close of the last 24 bars; getting out is never barred by it."""
    if state.reference is None or split(intent, quantity, state)[1] <= 0:
        return None
    mean = state.reference.window_mean(intent.instrument)
    if mean is None:
        return refuse("price_collar_window", f"No past prices of {intent.instrument} are known to judge this one by.")
    price = intent.limit_price or state.price(intent.instrument)
    assert price is not None, "fresh_price stands before"
    away = abs(price / decimal_from_float(mean) - 1)
    if away <= state.limits.price_collar_window:
        return None
    return refuse(
        "price_collar_window",
        f"The price is {away:.2%} away from the mean {mean:.6g} of the last bars; "
        f"{state.limits.price_collar_window:.2%} is allowed.",
        limit=state.limits.price_collar_window,
        value=round(away, 6),
        unit="fraction",
    )
