"""A desk's account: cash, positions, and running totals of what they cost."""

from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.fill import Fill
from trading.domain.money import QUOTE_STEP, ZERO, round_nearest
from trading.domain.position import Position


@dataclass(slots=True, kw_only=True)
class DeskAccount:
    """The state of one desk, changed only by the ledger's fold.

    ``cash`` is in ``quote``. ``turnover`` is the traded notional so far, ``fees`` and ``funding`` what was paid
    (funding received is negative), ``interest`` what borrowed cash cost, ``realised`` the result of closed parts before
    fees.
    """

    desk: str
    quote: str
    cash: Decimal = ZERO
    deposited: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    interest: Decimal = ZERO
    turnover: Decimal = ZERO
    fills: int = 0
    peak_equity: Decimal = ZERO

    def position(self, instrument: str) -> Position:
        """The position in ``instrument``, flat when there is none."""
        return self.positions.get(instrument) or Position(instrument=instrument)

    def hold(self, position: Position) -> None:
        """Keep a position as it is now; a flat one is dropped."""
        if position.is_flat:
            self.positions.pop(position.instrument, None)
        else:
            self.positions[position.instrument] = position


def filled_position(position: Position, fill: Fill) -> tuple[Position, Decimal]:
    """The position after a fill, and the result the fill realised before fees.

    The closed part takes its share of the cost, rounded to the quote step; the rest keeps what remains, so cost and
    result always add up exactly.
    """
    signed = fill.side.sign * fill.quantity
    if position.quantity == 0 or (position.quantity > 0) == (signed > 0):
        grown = Position(
            instrument=position.instrument,
            quantity=position.quantity + signed,
            cost=position.cost + signed * fill.price,
        )
        return grown, ZERO
    held = abs(position.quantity)
    closed = min(fill.quantity, held)
    if closed == held:
        closed_cost = position.cost
    else:
        closed_cost = round_nearest(position.cost * closed / held, QUOTE_STEP)
    direction = 1 if position.quantity > 0 else -1
    realised = direction * closed * fill.price - closed_cost
    opened = fill.quantity - closed
    if opened:
        turned = Position(
            instrument=position.instrument,
            quantity=-direction * opened,
            cost=-direction * opened * fill.price,
        )
        return turned, realised
    rest = Position(
        instrument=position.instrument,
        quantity=position.quantity + signed,
        cost=position.cost - closed_cost,
    )
    return rest, realised
