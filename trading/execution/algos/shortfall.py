"""What it cost to trade, against the price at which it was decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.intent import Side
from trading.domain.money import ZERO

_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Implementation shortfall in the quote currency, positive when it cost: ``paid`` on what was filled, fees
    included, and ``missed`` on what was not. ``bps`` is their sum over the whole order at the arrival price.
    """

    filled: Decimal
    average: Decimal | None
    paid: Decimal
    missed: Decimal
    bps: Decimal


def implementation_shortfall(
    side: Side,
    quantity: Decimal,
    arrival: Decimal,
    fills: Iterable[tuple[Decimal, Decimal]],
    *,
    fees: Decimal = ZERO,
    final: Decimal | None = None,
) -> Shortfall:
    """Perold (1988), The implementation shortfall: paper against reality.

    ``fills`` are prices and quantities; ``final`` prices what was not filled (without it that costs nothing).
    """
    value = filled = ZERO
    for price, part in fills:
        value += price * part
        filled += part
    paid = side.sign * (value - arrival * filled) + fees
    missed = side.sign * (quantity - filled) * ((arrival if final is None else final) - arrival)
    return Shortfall(
        filled=filled,
        average=value / filled if filled else None,
        paid=paid,
        missed=missed,
        bps=(paid + missed) / (arrival * quantity) * _BPS,
    )
