"""Hypothetical shocks: what an instant move of prices, volatility, correlation, funding or liquidity would cost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.marketdata import FloatArray
from trading.risk.measures.liquidity import square_root_impact
from trading.risk.measures.parametric import normal_var

_LEVEL = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """One hypothetical. ``price`` is a fractional move of everything; ``volatility`` and ``liquidity`` are factors.

    ``funding`` is paid once by longs as a fraction of notional; ``correlation_one`` has everything move as one.
    """

    name: str
    price: float = 0.0
    volatility: float = 1.0
    correlation_one: bool = False
    funding: float = 0.0
    liquidity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stressed:
    """A shock's cost in fractions of equity: ``loss`` at once (negative: a gain), and the VaR at 99 % after it.

    ``results`` are gains and losses by position, ``liquidated`` whether what is left is below the maintenance margin.
    ``exit_cost`` is the market impact of closing everything within a day at the shocked volume and volatility; None
    where a volume is not known or nothing is traded.
    """

    name: str
    loss: float
    results: Mapping[str, float]
    liquidated: bool
    var_after: float
    exit_cost: float | None


SHOCKS = (
    Shock(name="prices -10 %", price=-0.10),
    Shock(name="prices -30 %", price=-0.30),
    Shock(name="prices +30 %", price=0.30),
    Shock(name="volatility x 3", volatility=3.0),
    Shock(name="correlation to one", correlation_one=True),
    Shock(name="funding 1 %", funding=0.01),
    Shock(name="liquidity / 10", liquidity=0.1),
    Shock(name="everything at once", price=-0.30, volatility=3.0, correlation_one=True, funding=0.01, liquidity=0.1),
)


def stress(
    shock: Shock,
    weights: Mapping[str, float],
    covariance: FloatArray,
    *,
    daily_volume: Mapping[str, float | None] = MappingProxyType({}),
    maintenance: Mapping[str, float] = MappingProxyType({}),
    level: float = _LEVEL,
) -> Stressed:
    """What ``shock`` does to ``weights``, signed position values over equity in the order of ``covariance``.

    ``covariance`` (assets, assets) is of returns over the VaR's horizon, taken as a day for impact; ``daily_volume`` is
    in units of equity, ``maintenance`` the margin fraction of each perpetual. Only perpetuals pay funding. With
    correlations of one, deviations add up with their signs: a long book loses its diversification, a hedged one
    becomes a perfect hedge.
    """
    held = np.array(list(weights.values()))
    if covariance.shape != (len(held), len(held)):
        raise ValueError(f"covariance of shape {covariance.shape} for {len(held)} positions")
    deviation = np.sqrt(np.diag(covariance)) * shock.volatility
    after = held * (1.0 + shock.price)
    if shock.correlation_one:
        spread = abs(float(after @ deviation))
    else:
        spread = math.sqrt(max(0.0, float(after @ covariance @ after))) * shock.volatility
    results = {
        symbol: weight * (shock.price - (shock.funding if _pays_funding(symbol) else 0.0))
        for symbol, weight in weights.items()
    }
    values = dict(zip(weights, after.tolist(), strict=True))
    equity = 1.0 + math.fsum(results.values())
    return Stressed(
        name=shock.name,
        loss=0.0 - math.fsum(results.values()),
        results=results,
        liquidated=is_liquidated(equity, values, maintenance),
        var_after=normal_var(0.0, spread, level),
        exit_cost=_exit_cost(values, deviation, daily_volume, shock.liquidity),
    )


def is_liquidated(equity: float, values: Mapping[str, float], maintenance: Mapping[str, float]) -> bool:
    """Whether ``equity`` does not cover the maintenance margin of the perpetuals among position ``values``."""
    used = math.fsum(abs(value) * maintenance[symbol] for symbol, value in values.items() if symbol in maintenance)
    return used > 0 and equity <= used


def _pays_funding(symbol: str) -> bool:
    return parse_symbol(symbol)[2] is InstrumentKind.PERP


def _exit_cost(
    weights: Mapping[str, float], deviation: FloatArray, volume: Mapping[str, float | None], liquidity: float
) -> float | None:
    total = 0.0
    for (symbol, weight), daily in zip(weights.items(), deviation, strict=True):
        traded = volume.get(symbol)
        if not weight:
            continue
        if not traded:
            return None
        total += abs(weight) * square_root_impact(weight, traded * liquidity, float(daily))
    return total if math.isfinite(total) else None
