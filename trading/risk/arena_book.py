"""What all desks hold and have in flight, kept as running sums so that the gate can weigh an order in no time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.intent import Side
from trading.domain.money import ZERO

_NOTHING = (ZERO, ZERO)


@dataclass(slots=True, kw_only=True)
class ArenaBook:
    """Exposure of the arena at one instant: ``equity`` is the sum over the desks, in the quote currency.

    For each desk and instrument it knows the most short and the most long quantity that working orders may lead to.
    ``venues`` names the venue of each instrument.
    """

    equity: Decimal
    prices: Mapping[str, Decimal]
    venues: Mapping[str, str]
    _reach: dict[tuple[str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    _gross: dict[str, Decimal] = field(default_factory=dict)
    _long: Decimal = ZERO
    _short: Decimal = ZERO

    def copy(self) -> "ArenaBook":
        """The same state, to be changed apart from this one."""
        return ArenaBook(
            equity=self.equity,
            prices=self.prices,
            venues=self.venues,
            _reach=dict(self._reach),
            _gross=dict(self._gross),
            _long=self._long,
            _short=self._short,
        )

    def hold(self, desk: str, symbol: str, quantity: Decimal) -> None:
        """Count a position, signed."""
        self._move(desk, symbol, quantity, quantity)

    def work(self, desk: str, symbol: str, side: Side, quantity: Decimal) -> None:
        """Count an order that may still fill."""
        if side is Side.BUY:
            self._move(desk, symbol, ZERO, quantity)
        else:
            self._move(desk, symbol, -quantity, ZERO)

    def on_venue_of(self, symbol: str) -> frozenset[str]:
        """The instruments that trade where ``symbol`` trades."""
        venue = self.venues.get(symbol)
        return frozenset(each for each, other in self.venues.items() if other == venue)

    def gross(self, symbols: frozenset[str] | None = None) -> Decimal:
        """Worst-case sum of absolute positions in ``symbols`` (None: in all), in the quote currency."""
        return sum((value for symbol, value in self._gross.items() if symbols is None or symbol in symbols), ZERO)

    def gross_of_others(self, desk: str, symbol: str, symbols: frozenset[str] | None = None) -> Decimal:
        """:meth:`gross` without what ``desk`` has in ``symbol``."""
        low, high = self._reach.get((desk, symbol), _NOTHING)
        return self.gross(symbols) - max(abs(low), abs(high)) * self.prices.get(symbol, ZERO)

    def directional(self, side: Side) -> Decimal:
        """Worst-case sum of signed positions, counted up in the direction of ``side``, in the quote currency."""
        return self._long if side is Side.BUY else -self._short

    def _move(self, desk: str, symbol: str, low: Decimal, high: Decimal) -> None:
        price = self.prices.get(symbol, ZERO)
        old = self._reach.get((desk, symbol), _NOTHING)
        new = (old[0] + low, old[1] + high)
        self._reach[desk, symbol] = new
        grown = max(abs(new[0]), abs(new[1])) - max(abs(old[0]), abs(old[1]))
        self._gross[symbol] = self._gross.get(symbol, ZERO) + grown * price
        self._short += low * price
        self._long += high * price
