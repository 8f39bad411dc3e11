"""How often: orders a round and at once, messages to the venue, the same thing again and again."""

from decimal import Decimal

from trading.domain.intent import TradeIntent
from trading.domain.order import count_orders
from trading.risk.controls.control import Finding, Scope, control, refuse
from trading.risk.gate_state import GateState


@control(
    "max_orders_per_round",
    stage=40,
    scope=Scope.DESK,
    unit="orders",
    limits=("max_orders_per_round", "max_open_orders"),
    also=("max_open_orders",),
)
def order_count(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Orders a round, and orders open at once, those in flight included."""
    limits = state.limits
    if state.orders_this_round >= limits.max_orders_per_round:
        return refuse(
            "max_orders_per_round",
            f"A desk may send {limits.max_orders_per_round} orders a round.",
            limit=Decimal(limits.max_orders_per_round),
            value=Decimal(state.orders_this_round + 1),
            unit="orders",
        )
    open_orders = count_orders(state.account.open_orders) + state.orders_this_round
    if open_orders >= limits.max_open_orders:
        return refuse(
            "max_open_orders",
            f"A desk may have {limits.max_open_orders} orders open.",
            limit=Decimal(limits.max_open_orders),
            value=Decimal(open_orders + 1),
            unit="orders",
        )
    return None


@control(
    "max_messages",
    stage=42,
    scope=Scope.DESK,
    unit="messages",
    limits=("max_messages_per_second", "max_messages_per_minute"),
)
def message_rate(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Messages to a venue by token bucket, a second and a minute; cancels count and always pass."""
    if state.traffic is None:
        return None
    full = state.traffic.short_of(state.limits, already=state.orders_this_round)
    if full is None:
        return None
    span, limit = full
    return refuse(
        "max_messages",
        f"A desk may send {limit} messages a {span}; wait, or cancel what rests.",
        limit=Decimal(limit),
        value=Decimal(limit + 1),
        unit="messages",
    )


@control("max_repeats", stage=44, scope=Scope.DESK, unit="orders", limits=("max_repeats",))
def repeats(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Orders in a row on one side of one instrument; past the limit the desk stops until a person lets it go on."""
    done = state.repeats.get((intent.instrument, intent.side), 0)
    if done < state.limits.max_repeats:
        return None
    return refuse(
        "max_repeats",
        f"{done} orders in a row {intent.side} {intent.instrument}; {state.limits.max_repeats} are allowed until a "
        "person has looked.",
        limit=Decimal(state.limits.max_repeats),
        value=Decimal(done + 1),
        unit="orders",
    )
