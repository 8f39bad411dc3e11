"""The floor: simple forecasts that everything must be compared with, fitted on the training rows of each fold.

Each says a volatility for every bar and has the shape of past returns in units of it. ``naive``: the volatility of the
bars just past, no direction. ``drift``: the same with the mean return so far. ``climatology``: the distribution of all
past returns, whatever just happened. ``ewma``: exponentially weighted (RiskMetrics 1996), its decay chosen by QLIKE on
the training rows. ``har``: heterogeneous autoregression (Corsi 2009) of log volatility on those of the last horizon,
day, week and month. ``garch``: GARCH(1,1) with Student t errors (Bollerslev 1987), fitted with ``arch``.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from trading.features.frame import FeatureFrame
from trading.forecasting.distribution import Distributions, joined, scaled, standard_quantiles
from trading.forecasting.folds import Fold
from trading.forecasting.losses import qlike
from trading.forecasting.targets import Targets
from trading.marketdata import FloatArray, IntArray

DECAYS = (0.90, 0.94, 0.97, 0.985, 0.993, 0.997)
GARCH_BARS = 8_000
_TINY = 1e-9

Volatility = Callable[["Market", IntArray], FloatArray]
"""From the market and the rows to learn from to a volatility over the horizon at every bar, shape (bars,)."""


class Market:
    """One-bar log returns of a frame, 0 over a hole, with the targets."""

    def __init__(self, frame: FeatureFrame, targets: Targets) -> None:
        moves = np.diff(np.log(frame.columns["close"]), prepend=np.nan)
        moves[1:][np.diff(frame.open_ms) != frame.step_ms] = np.nan
        self.moves = np.nan_to_num(moves)
        self.targets = targets
        self._sums = np.concatenate([[0.0], np.cumsum(self.moves**2)])

    def past(self, bars: int) -> FloatArray:
        """Volatility of the last ``bars`` bars, brought to the horizon, shape (all bars,); fewer at the start."""
        ends = np.arange(1, len(self.moves) + 1)
        begins = np.maximum(0, ends - bars)
        variance = (self._sums[ends] - self._sums[begins]) / (ends - begins)
        return np.asarray(np.sqrt(np.maximum(variance * self.targets.steps, _TINY**2)))


def quick_baselines(frame: FeatureFrame, targets: Targets, folds: list[Fold]) -> dict[str, Distributions]:
    """Forecasts of every baseline for the test rows of ``folds``, one after another."""
    market = Market(frame, targets)
    parts: dict[str, list[Distributions]] = {name: [] for name in ("climatology", "naive", "drift", *VOLATILITIES)}
    for fold in folds:
        known = fold.train
        parts["climatology"].append(climatology(targets, known, len(fold.test)))
        naive = _directionless(market, market.past(targets.steps), known, fold.test)
        parts["naive"].append(naive)
        parts["drift"].append(_drifting(naive, float(targets.log_return[known].mean())))
        for name, model in VOLATILITIES.items():
            parts[name].append(_directionless(market, model(market, known), known, fold.test))
    return {name: joined(found) for name, found in parts.items()}


def climatology(targets: Targets, known: IntArray, count: int) -> Distributions:
    """The distribution of the outcomes of rows ``known``, said ``count`` times."""
    returns = targets.log_return[known]
    realised = targets.realised[known]
    return Distributions(
        p_up=np.full(count, float((returns > 0).mean())),
        quantiles=np.tile(standard_quantiles(returns), (count, 1)),
        volatility=np.full(count, float(np.sqrt(np.mean(realised**2)))),
        typical=np.full(count, float(np.exp(np.mean(np.log(realised[realised > 0]))))),
    )


def _directionless(market: Market, volatility: FloatArray, known: IntArray, test: IntArray) -> Distributions:
    """Even odds, the given volatility, and the shape that returns of the training rows had in units of it."""
    targets = market.targets
    ratio = targets.realised[known] / volatility[known]
    scale = math.sqrt(float(np.mean(ratio**2)))
    typical = math.exp(float(np.median(np.log(ratio[ratio > 0]))))
    shape = standard_quantiles(targets.log_return[known] / (scale * volatility[known]))
    even = np.full(len(test), 0.5)
    return scaled(scale * volatility[test], shape, even, typical=typical * volatility[test])


def _drifting(naive: Distributions, drift: float) -> Distributions:
    from scipy.stats import norm

    p_up = np.asarray(norm.cdf(drift / naive.volatility), np.float64)
    return replace(naive, p_up=p_up, quantiles=naive.quantiles + drift)


def _ewma(market: Market, known: IntArray) -> FloatArray:
    def at(decay: float) -> FloatArray:
        return np.sqrt(market.targets.steps * ewma_variance(market.moves, decay) + _TINY**2)

    return min(
        map(at, DECAYS), key=lambda found: float(np.nanmean(qlike(found[known], market.targets.realised[known])))
    )


def ewma_variance(moves: FloatArray, decay: float) -> FloatArray:
    """Exponentially weighted mean of squared returns up to and with each bar, shape (bars,)."""
    from scipy.signal import lfilter

    squares = moves * moves
    start = float(squares[: min(len(squares), 100)].mean())
    found, _ = lfilter([1.0 - decay], [1.0, -decay], squares, zi=[decay * start])
    return np.asarray(found, np.float64)


def _har(market: Market, known: IntArray) -> FloatArray:
    horizon = max(2, market.targets.steps)
    spans = sorted({horizon, 24, 120, 720})
    columns = [np.log(market.past(span)) for span in spans]
    design = np.stack([np.ones(len(market.moves)), *columns], axis=1)
    weights, *_ = np.linalg.lstsq(design[known], market.targets.log_volatility[known], rcond=None)
    return np.asarray(np.exp(design @ weights))


def _garch(market: Market, known: IntArray) -> FloatArray:
    """Parameters from the last :data:`GARCH_BARS` training rows, then filtered over everything."""
    from arch import arch_model

    begin, end = max(0, int(known[-1]) - GARCH_BARS), int(known[-1]) + 1
    scale = 1.0 / max(float(market.moves[begin:end].std()), _TINY)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a fit that stops early still gives parameters, and the score tells their worth
        fit: Any = arch_model(scale * market.moves[begin:end], mean="Zero", vol="GARCH", p=1, q=1, dist="t").fit(
            disp="off"
        )
    omega, alpha, beta = (float(fit.params[name]) for name in ("omega", "alpha[1]", "beta[1]"))
    return np.sqrt(garch_variance(scale * market.moves, omega, alpha, beta, market.targets.steps)) / scale


def garch_variance(moves: FloatArray, omega: float, alpha: float, beta: float, steps: int) -> FloatArray:
    """Variance of the sum of the ``steps`` returns after each bar, under GARCH(1,1), shape (bars,)."""
    from scipy.signal import lfilter

    persistence = min(alpha + beta, 0.9999)
    long_run = omega / (1.0 - persistence)
    following, _ = lfilter([1.0], [1.0, -beta], omega + alpha * moves**2, zi=[beta * long_run])
    decayed = (1.0 - persistence**steps) / (1.0 - persistence)
    return np.asarray(steps * long_run + (following - long_run) * decayed, np.float64)


VOLATILITIES: dict[str, Volatility] = {"ewma": _ewma, "har": _har, "garch": _garch}
