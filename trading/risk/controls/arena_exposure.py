"""What all desks together may have at stake, over the arena, a venue and an instrument; orders in flight counted."""

from decimal import Decimal

from trading.domain.intent import Side, TradeIntent
from trading.domain.money import ZERO
from trading.risk.controls.control import Finding, Scope, control
from trading.risk.controls.opening import cut, reference, split
from trading.risk.gate_state import GateState


@control("arena_gross_exposure", stage=190, scope=Scope.ARENA, unit="leverage", limits=("arena_gross_exposure",))
def arena_gross(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The sum of all desks' absolute positions over the arena's equity."""
    return _gross(intent, quantity, state, "arena_gross_exposure", "The arena", None)


@control("arena_venue_exposure", stage=192, scope=Scope.VENUE, unit="leverage", limits=("arena_venue_exposure",))
def venue_gross(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The sum of all desks' absolute positions on one venue over the arena's equity."""
    if state.arena is None:
        return None
    symbols = state.arena.on_venue_of(intent.instrument)
    return _gross(intent, quantity, state, "arena_venue_exposure", "The venue", symbols)


@control(
    "arena_instrument_exposure",
    stage=194,
    scope=Scope.INSTRUMENT,
    unit="leverage",
    limits=("arena_instrument_exposure",),
)
def instrument_gross(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The sum of all desks' absolute positions in one instrument over the arena's equity."""
    only = frozenset({intent.instrument})
    return _gross(intent, quantity, state, "arena_instrument_exposure", intent.instrument, only)


@control("arena_net_exposure", stage=196, scope=Scope.ARENA, unit="leverage", limits=("arena_net_exposure",))
def arena_net(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The absolute sum of all desks' signed positions over the arena's equity."""
    if state.arena is None:
        return None
    bound, equity, price = state.limits.arena_net_exposure, state.arena.equity, reference(intent, state)
    now = state.arena.directional(intent.side)
    closing, _ = split(intent, quantity, state)
    room = bound * equity - now - closing * price
    value = (now + quantity * price) / equity if equity > 0 else ZERO
    text = f"The arena's net exposure would be {value:.2f} times its equity; {bound} is allowed."
    return cut("arena_net_exposure", intent, quantity, state, room, bound, round(value, 6), "leverage", text)


def _gross(
    intent: TradeIntent, quantity: Decimal, state: GateState, rule: str, who: str, symbols: frozenset[str] | None
) -> Finding | None:
    if state.arena is None:
        return None
    bound, equity, price = getattr(state.limits, rule), state.arena.equity, reference(intent, state)
    low, high = state.reach(intent.instrument)
    toward, away = (high, -low) if intent.side is Side.BUY else (-low, high)
    opposite = max(ZERO, away * state.value_price(intent.instrument))
    spare = bound * equity - state.arena.gross_of_others(state.account.desk, intent.instrument, symbols)
    room = spare - max(ZERO, toward) * price if opposite <= spare else ZERO
    after = bound * equity - spare + max(ZERO, (toward + quantity) * price, opposite)
    value = after / equity if equity > 0 else ZERO
    text = f"{who} would be {value:.2f} times the arena's equity; {bound} is allowed."
    return cut(rule, intent, quantity, state, room, bound, round(value, 6), "leverage", text)
