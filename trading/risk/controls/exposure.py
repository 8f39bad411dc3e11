"""What a desk may have at stake, if every working order fills in the way that is worst."""

from decimal import Decimal

from trading.domain.intent import Side, TradeIntent
from trading.domain.money import ZERO
from trading.risk.controls.control import Finding, Scope, control
from trading.risk.controls.opening import cut, reference, split
from trading.risk.gate_state import GateState


@control("max_leverage", stage=150, scope=Scope.INSTRUMENT, unit="leverage", limits=("max_leverage",))
def leverage(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """One position over equity, with every working order of its side filled."""
    symbol, equity = intent.instrument, max(ZERO, state.account.equity)
    bound = min(state.limits.max_leverage, state.instruments[symbol].max_leverage)
    price = reference(intent, state)
    signed = state.held(symbol) * intent.side.sign
    working = (state.working_buys if intent.side is Side.BUY else state.working_sells).get(symbol, ZERO)
    now = max(ZERO, signed + working) * price
    after = max(ZERO, signed + working + quantity) * price
    room = bound * equity - now
    value = after / equity if equity > 0 else Decimal(0)
    text = f"{symbol} would be {value:.2f} times equity; {bound} is allowed."
    return cut("max_leverage", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


@control("max_spot_exposure", stage=160, scope=Scope.DESK, unit="leverage", limits=("max_spot_exposure",))
def spot_exposure(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Spot positions over equity, with every working buy filled: the rest stays cash."""
    if state.instruments[intent.instrument].is_perp or intent.side is Side.SELL:
        return None
    equity, price = max(ZERO, state.account.equity), reference(intent, state)
    bound = state.limits.max_spot_exposure
    others = sum(
        (
            state.reach(symbol)[1] * state.value_price(symbol)
            for symbol in state.touched() - {intent.instrument}
            if not state.instruments[symbol].is_perp
        ),
        ZERO,
    )
    now = others + state.reach(intent.instrument)[1] * price
    value = (now + quantity * price) / equity if equity > 0 else ZERO
    text = f"Spot would be {value:.2f} times equity; {bound} is allowed."
    room = bound * equity - now
    return cut("max_spot_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


@control("max_gross_exposure", stage=170, scope=Scope.DESK, unit="leverage", limits=("max_gross_exposure",))
def gross_exposure(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The sum of absolute positions over equity, in the worst case of the working orders."""
    equity, price = max(ZERO, state.account.equity), reference(intent, state)
    bound = state.limits.max_gross_exposure
    low, high = state.reach(intent.instrument)
    toward, away = (high, -low) if intent.side is Side.BUY else (-low, high)
    others = _others(intent, state)[0]
    spare = bound * equity - others
    # What opens on this side adds to the gross only from where it outgrows what may stand on the other.
    opposite = away * (state.price(intent.instrument) or price)
    room = spare - max(ZERO, toward) * price if opposite <= spare else ZERO
    after = others + max(ZERO, (toward + quantity) * price, opposite)
    value = after / equity if equity > 0 else Decimal(0)
    text = f"Gross exposure would be {value:.2f} times equity; {bound} is allowed."
    return cut("max_gross_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


@control("max_net_exposure", stage=180, scope=Scope.DESK, unit="leverage", limits=("max_net_exposure",))
def net_exposure(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The absolute sum of signed positions over equity, in the worst case of the working orders."""
    equity, price = max(ZERO, state.account.equity), reference(intent, state)
    bound = state.limits.max_net_exposure
    low, high = state.reach(intent.instrument)
    toward = high if intent.side is Side.BUY else -low
    others = _others(intent, state)[1]
    closing, _ = split(intent, quantity, state)
    room = bound * equity - others - (toward + closing) * price
    value = (others + (toward + quantity) * price) / equity if equity > 0 else Decimal(0)
    text = f"Net exposure would be {value:.2f} times equity; {bound} is allowed."
    return cut("max_net_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


def _others(intent: TradeIntent, state: GateState) -> tuple[Decimal, Decimal]:
    """Gross and directional value of the other instruments, if their working orders fill in the worst way.

    The directional value counts longs up for a buy and shorts up for a sell.
    """
    gross = directional = ZERO
    for symbol in state.touched() - {intent.instrument}:
        price = state.value_price(symbol)
        low, high = state.reach(symbol)
        gross += max(abs(low), abs(high)) * price
        directional += (high if intent.side is Side.BUY else -low) * price
    return gross, directional
