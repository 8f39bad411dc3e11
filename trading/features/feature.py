"""What a feature is: a named number per bar that follows from a declared count of trailing bars and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from trading.marketdata import FloatArray


class Group(StrEnum):
    """What a feature speaks of."""

    PRICE_ACTION = "price action"
    MOMENTUM = "momentum"
    VOLATILITY = "volatility"
    TREND = "trend"
    VOLUME = "volume"
    MICROSTRUCTURE = "microstructure"
    SENTIMENT = "sentiment"
    CALENDAR = "calendar"
    CROSS_ASSET = "cross-asset"
    FUNDING = "funding and open interest"
    CHAOS = "chaos"


class Input(StrEnum):
    """What a feature reads. Where an input is not there, or has a hole, the feature is NaN."""

    CLOCK = "clock"
    BARS = "bars"
    REFERENCE = "reference"
    PEERS = "peers"
    FUNDING = "funding"
    OPEN_INTEREST = "open interest"
    TOP = "best bid and ask"
    BOOK = "book"
    TRADES = "trades"
    SENTIMENT = "sentiment"


COLUMNS: Mapping[Input, tuple[str, ...]] = MappingProxyType(
    {
        Input.CLOCK: ("open_s",),
        Input.BARS: ("open", "high", "low", "close", "volume"),
        Input.REFERENCE: ("reference_close",),
        Input.PEERS: ("peers_return", "peers_rising", "peers_dispersion"),
        Input.FUNDING: ("funding_rate",),
        Input.OPEN_INTEREST: ("open_interest",),
        Input.TOP: ("bid", "ask", "bid_size_1", "ask_size_1", "order_flow"),
        Input.BOOK: tuple(f"{side}_size_{levels}" for levels in (5, 10, 20) for side in ("bid", "ask")),
        Input.TRADES: ("buy_volume", "sell_volume", "trade_count"),
        Input.SENTIMENT: ("sentiment_score", "sentiment_count"),
    }
)
"""The columns of each input, one value a bar, known at its close.

``open_s`` is the bar's open in seconds since 1970 (UTC). ``peers_*`` are the mean, the rising share and the standard
deviation of the other instruments' one-bar log returns. Columns of the book are the state at the close: best prices
and the size of the first 1, 5, 10 and 20 levels together; ``order_flow`` is the bar's sum of order-flow imbalance
events (Cont, Kukanov and Stoikov 2014), in base units. ``buy_volume`` and ``sell_volume`` are by aggressor.
"""


class Block:
    """A stretch of consecutive bars in which every input that is read has a value. ``block["close"]`` is a column."""

    __slots__ = ("_begin", "_columns", "_end")

    def __init__(self, columns: Mapping[str, FloatArray], begin: int, end: int) -> None:
        self._columns = columns
        self._begin = begin
        self._end = end

    def __getitem__(self, column: str) -> FloatArray:
        return self._columns[column][self._begin : self._end]

    def __len__(self) -> int:
        return self._end - self._begin


def count_of_bars(count: int) -> str:
    """``1 bar``, ``24 bars``: for descriptions."""
    return f"{count} bar{'' if count == 1 else 's'}"


Formula = Callable[[Block], FloatArray]
"""From a block of n bars to at least ``n - warmup + 1`` values, the last for the last bar. What is undefined is NaN or
infinite; either way the vector shows NaN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A named number per bar.

    ``warmup`` is how many bars it needs, the newest included; the value never depends on an older one. ``timeframe`` is
    the length of the steps it looks at, in bars. A feature with a cadence above 1 is measured when the clock completes
    that many bars since 1970 and stands until the next time; ``warmup`` counts for the bar at which it was measured.
    """

    name: str
    group: Group
    inputs: tuple[Input, ...]
    warmup: int
    unit: str
    description: str
    formula: Formula
    timeframe: int = 1
    cadence: int = 1
