"""What is traded and how much of it: the instrument, the lot, the least value, the share of the market's volume."""

from decimal import Decimal

from trading.domain.intent import TradeIntent
from trading.domain.money import ZERO, decimal_from_float
from trading.risk.controls.control import Finding, Scope, control, is_amount, refuse
from trading.risk.controls.opening import reducible, split
from trading.risk.gate_state import GateState


@control("allowed_instruments", stage=20, scope=Scope.INSTRUMENT, unit="names", limits=("allowed_instruments",))
def allowed_instrument(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Only instruments of the season, and of the limits where they name some."""
    allowed = state.limits.allowed_instruments or tuple(state.instruments)
    if intent.instrument in state.instruments and intent.instrument in allowed:
        return None
    return refuse(
        "allowed_instruments", f"{intent.instrument[:40]!r} may not be traded; allowed: {', '.join(allowed)[:160]}."
    )


@control("quantity", stage=30, scope=Scope.ORDER, unit="base", also=("lot_size",))
def tradable_quantity(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A finite positive quantity on the lot grid."""
    if not is_amount(quantity):
        found = quantity if quantity.is_finite() else None
        return refuse(
            "quantity", "The quantity must be a positive number of base units.", limit=ZERO, value=found, unit="base"
        )
    instrument = state.instruments[intent.instrument]
    floored = instrument.floor_quantity(quantity)
    if floored == quantity:
        return None
    if floored <= 0:
        return refuse(
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


@control("max_volume_share", stage=130, scope=Scope.INSTRUMENT, unit="base", limits=("max_volume_share",))
def volume_share(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """What an order opens, as a share of the average daily volume; where no volume is known nothing opens."""
    if state.reference is None:
        return None
    closing, opening = split(intent, quantity, state)
    if opening <= 0:
        return None
    daily = state.reference.daily_volume(intent.instrument)
    traded = ZERO if daily is None else decimal_from_float(daily)
    bound = state.limits.max_volume_share * traded
    if opening <= bound:
        return None
    left = closing + state.instruments[intent.instrument].floor_quantity(bound)
    known = f"{traded:.6g} trade a day" if traded else "no traded volume is known"
    return Finding(
        rule="max_volume_share",
        quantity=left,
        message=f"The order opens {opening} of {intent.instrument}; {known}, {state.limits.max_volume_share:.2%} of it "
        "is allowed.",
        limit=bound,
        value=opening,
        unit="base",
    )


@control("no_spot_short", stage=110, scope=Scope.DESK, unit="base")
def no_spot_short(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Spot can be sold only as far as it is held."""
    if state.instruments[intent.instrument].is_perp or intent.side.sign > 0:
        return None
    room = reducible(intent, state)
    if quantity <= room:
        return None
    return Finding(
        rule="no_spot_short",
        quantity=room,
        message=f"Only {room} of {intent.instrument} is held and free to sell.",
        limit=room,
        value=quantity,
        unit="base",
    )


@control("min_notional", stage=300, scope=Scope.ORDER, unit="quote")
def minimum_notional(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Too small to be an order, unless it closes all that is held."""
    instrument = state.instruments[intent.instrument]
    price = state.price(intent.instrument) or ZERO
    value = quantity * price
    if value >= instrument.min_notional or quantity == abs(state.held(intent.instrument)) == reducible(intent, state):
        return None
    return refuse(
        "min_notional",
        f"The order is worth {value:.4f} {state.account.quote}; the least is {instrument.min_notional}.",
        limit=instrument.min_notional,
        value=round(value, 8),
        unit="quote",
    )
