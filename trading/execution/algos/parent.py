"""A large order, how far it has come, and what an algorithm sees of the market."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trading.domain.errors import RequestError
from trading.domain.instrument import Instrument
from trading.domain.intent import Side
from trading.domain.money import ZERO, decimal_from_float
from trading.marketdata.depth import Depth


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """``quantity`` to be traded from ``start_ms`` to before ``end_ms``, nowhere worse than the collar.

    ``arrival`` is the middle price when it was decided; ``collar`` the worst accepted distance from it, as a fraction.
    """

    parent_id: str
    client_id: str
    desk: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    start_ms: int
    end_ms: int
    arrival: Decimal
    collar: Decimal

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms:
            raise RequestError("a window must end after it starts")
        if self.quantity <= 0 or self.quantity % self.instrument.lot:
            raise RequestError(f"quantity {self.quantity}: expected whole lots of {self.instrument.lot}, above 0")
        if not 0 < self.collar < 1 or self.arrival <= 0:
            raise RequestError(f"collar {self.collar} around {self.arrival}: expected a fraction below 1 of a price")

    @property
    def worst_price(self) -> Decimal:
        """The collar on the tick grid: no child is priced beyond it."""
        return self.instrument.limit_price(self.arrival * (1 + self.side.sign * self.collar), self.side.sign)

    def elapsed(self, now_ms: int) -> float:
        """The share of the window that has passed, 0 to 1."""
        return min(1.0, max(0.0, (now_ms - self.start_ms) / (self.end_ms - self.start_ms)))

    def whole_lots(self, share: float) -> Decimal:
        """A share of the quantity in whole lots, rounded down; all of it at 1."""
        if share >= 1:
            return self.quantity
        return self.instrument.floor_quantity(self.quantity * decimal_from_float(max(0.0, share)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a parent is: ``filled``, and ``working`` in a child that still stands."""

    filled: Decimal = ZERO
    working: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketState:
    """What is known at ``now_ms``. ``traded`` is the public volume since the parent started.

    ``forecast`` is the expected return over the rest of the window; ``volatility`` (of log prices) and ``volume`` are
    over a span of the same length. NaN or None where not known.
    """

    now_ms: int
    depth: Depth
    traded: float = 0.0
    forecast: float | None = None
    volatility: float = float("nan")
    volume: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an algorithm wants next: ``quantity``, at once up to the collar, or resting at ``limit``."""

    quantity: Decimal
    limit: Decimal | None = None


class Algorithm(Protocol):
    """A way to work a parent."""

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """What to send now, None to wait. Asked only while no child stands."""
        ...

    @property
    def patience_ms(self) -> int:
        """How long a resting child may stand before it is taken back and asked for anew."""
        ...
