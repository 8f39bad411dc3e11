"""The simulated market: made-up candles with the habits of real ones. It is shown as "simulated" wherever it appears.

Instruments share one factor and have shocks of their own. Volatility clusters, tails are fat, prices jump, trends come
and go with the regime, volume rises with volatility, and perpetuals pay funding that follows the recent trend.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trading.domain.errors import ConfigError
from trading.domain.instants import duration_ms, duration_text, iso
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.marketdata.shocks import TRAITS, regime_path, shock_path, stream
from trading.marketdata.tape import FloatArray, FundingRates, IntArray, Tape

_HOUR_MS = duration_ms("1h")
_DAY_MS = duration_ms("1d")
_FUNDING_MS = duration_ms("8h")
_HOURS_A_YEAR = 8766.0

_DIGITS = 7
_LOWEST_POWER = -12
_POWERS = np.array([float(f"1e{power}") for power in range(_LOWEST_POWER, 19)])
_LARGEST_RETURN = 0.6

_FUNDING_USUAL = 0.0001
_FUNDING_PER_RETURN = 0.003
_FUNDING_CAP = 0.003
_FUNDING_NOISE = 0.00002

_BASIS_NOISE = 0.00003
_BASIS_MEMORY = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """What is usual for a coin: a price in dollars, a volatility for a year, and dollars traded in an hour."""

    price: float
    volatility: float
    hourly_turnover: float


COINS: Mapping[str, Coin] = MappingProxyType(
    {
        "BTC": Coin(price=100_000, volatility=0.50, hourly_turnover=600e6),
        "ETH": Coin(price=4_000, volatility=0.65, hourly_turnover=400e6),
        "SOL": Coin(price=180, volatility=0.80, hourly_turnover=120e6),
    }
)
OTHER_COIN = Coin(price=10, volatility=0.85, hourly_turnover=25e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSpec:
    """What to simulate: bars of ``step_ms`` that open in [``start_ms``, ``end_ms``).

    ``correlation`` is that of the returns of any two coins. The same spec gives the same tape; a later end adds bars
    and changes none; another symbol changes none of the others. Raises ConfigError where that makes no sense.
    """

    symbols: tuple[str, ...]
    start_ms: int
    end_ms: int
    step_ms: int
    seed: int
    correlation: float = 0.65

    def __post_init__(self) -> None:
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ConfigError(f"instruments are {', '.join(self.symbols) or 'none'}; expected at least one, each once")
        for symbol in self.symbols:
            parse_symbol(symbol)
        if self.step_ms <= 0 or self.step_ms % 1000 or self.start_ms % self.step_ms:
            raise ConfigError(
                f"a simulation from {iso(self.start_ms)} in steps of {self.step_ms} ms: expected steps of whole seconds"
                " and a start that is a multiple of them"
            )
        if self.end_ms - self.start_ms < self.step_ms:
            raise ConfigError(
                f"a simulation from {iso(self.start_ms)} to {iso(self.end_ms)} holds no bar of"
                f" {duration_text(self.step_ms)}; choose a later end"
            )
        if self.seed < 0:
            raise ConfigError(f"seed {self.seed}: expected zero or a positive whole number")
        if not 0 <= self.correlation <= 1:
            raise ConfigError(f"correlation {self.correlation}: expected a number from 0 to 1")

    @property
    def bars(self) -> int:
        """How many whole bars the spec holds."""
        return (self.end_ms - self.start_ms) // self.step_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candles:
    """The columns of one instrument, each of shape (bars,)."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def simulate(spec: SimulationSpec) -> Tape:
    """The tape of a simulated market, with ``source`` "simulated" and prices and volumes of 7 significant digits."""
    hours = spec.step_ms / _HOUR_MS
    regimes = regime_path(spec.seed, spec.bars, hours)
    factor = shock_path(spec.seed, "market", spec.bars)
    candles = [_candles(spec, symbol, regimes, factor, hours) for symbol in spec.symbols]
    open_ms = spec.start_ms + spec.step_ms * np.arange(spec.bars, dtype=np.int64)
    return Tape(
        symbols=spec.symbols,
        step_ms=spec.step_ms,
        open_ms=open_ms,
        open=np.stack([instrument.open for instrument in candles]),
        high=np.stack([instrument.high for instrument in candles]),
        low=np.stack([instrument.low for instrument in candles]),
        close=np.stack([instrument.close for instrument in candles]),
        volume=np.stack([instrument.volume for instrument in candles]),
        source="simulated",
        funding=MappingProxyType(
            {
                symbol: _funding(spec, symbol, open_ms, instrument)
                for symbol, instrument in zip(spec.symbols, candles, strict=True)
                if parse_symbol(symbol)[2] is InstrumentKind.PERP
            }
        ),
    )


def _candles(spec: SimulationSpec, symbol: str, regimes: IntArray, factor: FloatArray, hours: float) -> _Candles:
    base, _, kind = parse_symbol(symbol)
    coin = COINS.get(base, OTHER_COIN)
    own = shock_path(spec.seed, base, spec.bars)
    shocks = np.sqrt(spec.correlation) * factor + np.sqrt(1 - spec.correlation) * own

    hourly = coin.volatility / np.sqrt(_HOURS_A_YEAR)
    volatility = hourly * np.sqrt(hours) * np.array([traits.volatility for traits in TRAITS.values()])[regimes]
    drift = hourly * hours * np.array([traits.drift for traits in TRAITS.values()])[regimes]
    returns = np.clip(drift + volatility * shocks, -_LARGEST_RETURN, _LARGEST_RETURN)

    close = coin.price * np.cumprod(1 + returns)
    if kind is InstrumentKind.PERP:
        close = close * (1 + _basis(spec, symbol))
    close = _significant(close)
    opening = np.concatenate([[coin.price], close[:-1]])

    high, low = _extremes(spec, symbol, opening, close, volatility)
    turnover = coin.hourly_turnover * hours * _activity(spec, symbol, shocks, regimes)
    return _Candles(open=opening, high=high, low=low, close=close, volume=_significant(turnover / close))


def _basis(spec: SimulationSpec, symbol: str) -> FloatArray:
    """How far a perpetual stands from its coin, as a fraction: a few basis points that wander and return."""
    level = 0.0
    path = []
    for noise in stream(spec.seed, "basis", symbol).standard_normal(spec.bars).tolist():
        level = _BASIS_MEMORY * level + _BASIS_NOISE * noise
        path.append(level)
    return np.array(path)


def _extremes(
    spec: SimulationSpec, symbol: str, opening: FloatArray, close: FloatArray, volatility: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """High and low of each bar, as a Brownian bridge from open to close would reach them.

    The maximum of a bridge from 0 to r with variance s^2 is (r + sqrt(r^2 + 2 s^2 E)) / 2 with E standard exponential
    (Karatzas and Shreve 1991, section 4.3). High and low are drawn independently of each other.
    """
    reach = stream(spec.seed, "extremes", symbol).standard_exponential((spec.bars, 2))
    moved = np.abs(close / opening - 1)
    above, below = ((np.sqrt(moved**2 + 2 * volatility**2 * draw) - moved) / 2 for draw in (reach[:, 0], reach[:, 1]))
    return (
        _significant(np.maximum(opening, close) * (1 + above)),
        _significant(np.minimum(opening, close) / (1 + below)),
    )


def _activity(spec: SimulationSpec, symbol: str, shocks: FloatArray, regimes: IntArray) -> FloatArray:
    """Trading in a bar against the usual, about 1 on average: more in wild regimes and on large moves."""
    wildness = np.array([traits.volatility for traits in TRAITS.values()])[regimes]
    noise = stream(spec.seed, "volume", symbol).standard_gamma(4.0, spec.bars) / 4.0
    return wildness * (0.4 + 0.8 * np.abs(shocks)) * noise


def _funding(spec: SimulationSpec, symbol: str, open_ms: IntArray, candles: _Candles) -> FundingRates:
    """Rates at 00:00, 08:00 and 16:00 UTC, from the return of the day before as known then."""
    first = -(-(spec.start_ms + spec.step_ms) // _FUNDING_MS) * _FUNDING_MS
    settled = np.arange(first, spec.start_ms + spec.bars * spec.step_ms + 1, _FUNDING_MS, dtype=np.int64)
    latest = np.searchsorted(open_ms, settled - spec.step_ms, side="right") - 1
    earlier = np.maximum(np.searchsorted(open_ms, settled - _DAY_MS, side="left"), 0)
    day_return = candles.close[latest] / candles.open[np.minimum(earlier, latest)] - 1
    noise = _FUNDING_NOISE * stream(spec.seed, "funding", symbol).standard_normal(len(settled))
    rate = np.clip(_FUNDING_USUAL + _FUNDING_PER_RETURN * day_return + noise, -_FUNDING_CAP, _FUNDING_CAP)
    return FundingRates(ts_ms=settled, rate=np.rint(rate * 1e8) / 1e8)


def _significant(values: FloatArray) -> FloatArray:
    """Positive ``values`` rounded to 7 significant digits, each the float nearest to its decimal."""
    leading = np.searchsorted(_POWERS, values, side="right") - 1 + _LOWEST_POWER  # power of ten of the first digit
    last = leading - (_DIGITS - 1)
    finer, coarser = (_POWERS[np.maximum(power, 0) - _LOWEST_POWER] for power in (-last, last))
    return np.asarray(np.rint(values * finer / coarser) / finer * coarser, dtype=np.float64)
