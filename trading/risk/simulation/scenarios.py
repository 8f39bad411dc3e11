"""Worlds to draw paths in: a drift, a volatility, a correlation, and a shock at the start."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from trading.domain.instrument import parse_symbol
from trading.marketdata import FloatArray

_YEAR_MS = 365 * 86_400_000
_DEPEG = MappingProxyType(dict.fromkeys(("USDC", "USDT", "DAI", "TUSD", "BUSD", "FDUSD"), -0.12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How a world differs from the model's. The default differs in nothing.

    ``drift`` is a log return a year, ``volatility`` a factor, ``correlation`` the share of every asset's variance that
    is replaced by one common move (1: all move as one). ``shock`` is the fractional price move of the first step;
    ``shock_by_base`` overrides it for base currencies.
    """

    name: str
    drift: float = 0.0
    volatility: float = 1.0
    correlation: float = 0.0
    shock: float = 0.0
    shock_by_base: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        shocks = (self.shock, *self.shock_by_base.values())
        numbers = (self.drift, self.volatility, self.correlation, *shocks)
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"scenario {self.name!r} holds NaN or infinity: expected finite numbers")
        if self.volatility < 0 or not 0 <= self.correlation <= 1 or min(shocks) <= -1:
            raise ValueError(
                f"scenario {self.name!r}: expected a volatility factor of 0 or more, a correlation from 0 to 1 and "
                "shocks above -1"
            )

    def apply(self, draws: FloatArray, symbols: Sequence[str], step_ms: int, *, rng: np.random.Generator) -> FloatArray:
        """The ``draws`` (paths, steps, assets) of a model as this world has them; ``symbols`` name the assets.

        With a correlation, the common move is normal, of each asset's own drawn deviation.
        """
        found = draws * self.volatility
        if self.correlation > 0:
            common = rng.standard_normal(draws.shape[:2])[:, :, np.newaxis] * found.std(axis=(0, 1))
            found = math.sqrt(1.0 - self.correlation) * found + math.sqrt(self.correlation) * common
        found += self.drift * step_ms / _YEAR_MS
        found[:, 0] += [math.log1p(self.shock_of(symbol)) for symbol in symbols]
        return found

    def shock_of(self, symbol: str) -> float:
        """The first step's move of an instrument, as a fraction."""
        return self.shock_by_base.get(parse_symbol(symbol)[0], self.shock)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario(name="baseline"),
            Scenario(name="bull", drift=1.0),
            Scenario(name="bear", drift=-1.0, volatility=1.3, correlation=0.3),
            Scenario(name="volatile", volatility=2.0, correlation=0.3),
            # From the open of 4 August 2024 to the low of the 5th: BTC -19 %, ETH -27 %, hourly volatility near 150 %.
            Scenario(
                name="crash", volatility=2.5, correlation=0.7, shock=-0.25, shock_by_base={"BTC": -0.19, "ETH": -0.27}
            ),
            # 12 and 13 March 2020, to the low: BTC -52 %, ETH -56 %, hourly volatility above 500 % a year.
            Scenario(name="march2020", volatility=5.0, correlation=0.9, shock=-0.50, shock_by_base={"BTC": -0.52}),
            # USDC on 11 March 2023 fell to 0.88 dollars.
            Scenario(name="depeg", volatility=2.0, correlation=0.5, shock=-0.10, shock_by_base=_DEPEG),
        )
    }
)
"""The scenarios by name. Their shocks are what candles show of the days they are named for."""
