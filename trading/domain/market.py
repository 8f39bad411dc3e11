"""What a market shows at an instant: bars and quotes. Prices here are float64; orders and accounts use Decimal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One closed candle. ``open_ms`` is when it opened (UTC); it is known from ``open_ms`` + its timeframe on."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last known price of an instrument, when it was printed, and how old it is at ``as_of_ms``.

    ``bid`` and ``ask`` are None where only candles are known.
    """

    instrument: str
    price: float
    ts_ms: int
    as_of_ms: int
    bid: float | None = None
    ask: float | None = None

    @property
    def age_ms(self) -> int:
        """How old the price is at the instant of the view."""
        return self.as_of_ms - self.ts_ms
