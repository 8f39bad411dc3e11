"""What is traded: spot pairs and linear perpetuals, and the grid on which their orders must lie."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.domain.errors import RequestError
from trading.domain.money import round_down, round_up

_SYMBOL = re.compile(r"([A-Z0-9]{1,20})-([A-Z0-9]{2,10})(-PERP)?")


class InstrumentKind(StrEnum):
    """How an instrument settles."""

    SPOT = "spot"
    PERP = "perp"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """Maintenance of positions whose notional is at least ``notional``: ``rate`` of it, less ``amount``."""

    notional: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A tradable instrument. ``tick`` is the price step, ``lot`` the quantity step, both in plain units.

    ``max_leverage`` bounds a position's notional over equity; ``maintenance_margin`` is the fraction of
    notional below which a perpetual position is liquidated; ``margin_tiers`` (by rising notional) replace it. Spot
    has leverage 1 and no margin. ``contract_size`` is how many base units one contract of the venue stands for (a
    hundredth of a bitcoin on a nano contract): quantities are in base units everywhere, and whole contracts by lot.
    """

    symbol: str
    base: str
    quote: str
    kind: InstrumentKind
    tick: Decimal
    lot: Decimal
    min_notional: Decimal = Decimal(1)
    max_leverage: Decimal = Decimal(1)
    maintenance_margin: Decimal = Decimal(0)
    margin_tiers: tuple[MarginTier, ...] = ()
    contract_size: Decimal = Decimal(1)

    @property
    def is_perp(self) -> bool:
        """Whether it is a perpetual: margined, can be sold short, pays funding."""
        return self.kind is InstrumentKind.PERP

    def maintenance(self, notional: Decimal) -> Decimal:
        """Maintenance margin of a position of so much absolute notional, in the quote currency."""
        for tier in reversed(self.margin_tiers):
            if notional >= tier.notional:
                return notional * tier.rate - tier.amount
        return notional * self.maintenance_margin

    @property
    def worst_maintenance(self) -> Decimal:
        """The highest maintenance rate that a position may meet."""
        return max((tier.rate for tier in self.margin_tiers), default=self.maintenance_margin)

    def contracts(self, quantity: Decimal) -> Decimal:
        """A quantity in contracts, as the venue counts."""
        return quantity / self.contract_size

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """The greatest tradable quantity that is not above ``quantity`` (which is not negative)."""
        return round_down(quantity, self.lot)

    def limit_price(self, price: Decimal, sign: int) -> Decimal:
        """``price`` on the tick grid, never worse than asked: down for a buy (``sign`` +1), up for a sell (-1)."""
        return round_down(price, self.tick) if sign > 0 else round_up(price, self.tick)


def parse_symbol(symbol: str) -> tuple[str, str, InstrumentKind]:
    """Base, quote and kind of ``BTC-USDT`` or ``BTC-USDT-PERP``."""
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        raise RequestError(f"instrument {symbol!r}: expected BASE-QUOTE or BASE-QUOTE-PERP, such as BTC-USDT-PERP")
    return found[1], found[2], InstrumentKind.PERP if found[3] else InstrumentKind.SPOT
