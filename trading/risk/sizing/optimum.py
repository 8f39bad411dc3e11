"""The book that earns most among those whose CVaR stays within a budget, on past returns with a chosen mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import Unavailable
from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.marketdata import FloatArray
from trading.risk.limits import Limits
from trading.risk.measures.historical import expected_shortfall
from trading.risk.measures.series import checked_columns, checked_level
from trading.risk.sizing.weights import capped_weights

_DUST = 1e-6
"""Weights below this are the solver's rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CvarOptimum:
    """``weights`` are signed fractions of equity; ``mean`` and ``cvar`` are of a period's return of the book.

    ``cvar`` is the mean loss at and beyond the quantile, as the reports have it.
    """

    weights: Mapping[str, float]
    mean: float
    cvar: float


def cvar_optimum(
    returns: Mapping[str, FloatArray], means: Mapping[str, float], limits: Limits, *, most_cvar: float, level: float
) -> CvarOptimum:
    """The weights with the highest mean whose CVaR at ``level`` is at most ``most_cvar`` of equity, within ``limits``.

    ``returns`` are aligned periods (n,) of each instrument, ``means`` what is expected of each (shrink them: the
    optimum believes every digit); past returns are moved to these means. Spot is held long only; perpetuals either way.
    What the optimum leaves is cash. Rockafellar and Uryasev (2000), solved by skfolio. Raises ValueError for numbers
    that fit nothing, Unavailable where the solver finds no answer.
    """
    symbols = list(returns)
    if not symbols or set(means) != set(symbols):
        raise ValueError(f"means of {sorted(means)}: expected those of {sorted(symbols)}, one instrument at least")
    table = checked_columns(np.column_stack([returns[symbol] for symbol in symbols]))
    expected = np.array([means[symbol] for symbol in symbols], dtype=np.float64)
    if not np.isfinite(expected).all() or not 0 < most_cvar < 1:
        raise ValueError(f"means {dict(means)}, CVaR {most_cvar}: expected finite numbers, and between 0 and 1")
    checked_level(level)
    scenarios = table - table.mean(axis=0) + expected
    held = _solved(scenarios, symbols, limits, most_cvar, level) if (expected != 0).any() else np.zeros(len(symbols))
    weights = capped_weights(
        {symbol: float(weight) if abs(weight) > _DUST else 0.0 for symbol, weight in zip(symbols, held, strict=True)},
        limits,
    )
    book = np.array(list(weights.values()))
    return CvarOptimum(
        weights=weights, mean=float(book @ expected), cvar=max(0.0, expected_shortfall(scenarios @ book, level))
    )


def _solved(scenarios: FloatArray, symbols: list[str], limits: Limits, most_cvar: float, level: float) -> FloatArray:
    from skfolio import RiskMeasure
    from skfolio.exceptions import OptimizationError
    from skfolio.optimization import MeanRisk, ObjectiveFunction

    most, gross, net = (
        float(limit) for limit in (limits.max_leverage, limits.max_gross_exposure, limits.max_net_exposure)
    )
    allowed = set(limits.allowed_instruments) or set(symbols)
    cap = np.array([min(most, gross) if symbol in allowed else 0.0 for symbol in symbols])
    short = np.array([parse_symbol(symbol)[2] is InstrumentKind.PERP for symbol in symbols])
    solver = MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_RETURN,
        risk_measure=RiskMeasure.CVAR,
        cvar_beta=level,
        max_cvar=most_cvar,
        min_weights=np.where(short, -cap, 0.0),
        max_weights=cap,
        budget=None,
        min_budget=-net,
        max_budget=net,
        max_long=gross,
        max_short=gross,
    )
    try:
        solver.fit(scenarios)
    except (ValueError, OptimizationError) as error:
        raise Unavailable(
            f"no book of {', '.join(symbols)} was found within a CVaR of {most_cvar:g}: {error}"
        ) from error
    found = np.asarray(solver.weights_, dtype=np.float64)
    if not np.isfinite(found).all() or math.isinf(float(found.sum())):
        raise Unavailable(f"no book of {', '.join(symbols)} was found within a CVaR of {most_cvar:g}")
    return found
