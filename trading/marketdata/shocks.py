"""The random drivers of a simulated market: regimes, fat-tailed shocks and volatility that clusters.

Every driver is generated bar after bar from a stream of its own, so that its first bars do not depend on how many
follow. Only sums, products and roots are used on the way to a price: they are exact on every machine, which
exponentials are not.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from trading.marketdata.tape import FloatArray, IntArray

# GARCH(1,1) with unit variance; the sum of the two is how much of a bar's variance carries over to the next.
_ARCH = 0.06
_GARCH = 0.91

_DEGREES_OF_FREEDOM = 6.0
_JUMP_PROBABILITY = 1 / 500
_JUMP_SCALE = 5.0


class Regime(IntEnum):
    """The state of the whole market in a bar."""

    CALM = 0
    TREND_UP = 1
    TREND_DOWN = 2
    TURBULENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeTraits:
    """How a regime moves the market.

    ``volatility`` multiplies the volatility of a bar; ``drift`` is the mean return of an hour in units of the hour's
    volatility; the regime lasts ``mean_hours`` on average and is followed by ``next`` with equal odds.
    """

    volatility: float
    drift: float
    mean_hours: float
    next: tuple[Regime, ...]


TRAITS = {
    Regime.CALM: RegimeTraits(
        volatility=0.7, drift=0.0, mean_hours=60, next=(Regime.TREND_UP, Regime.TREND_DOWN, Regime.TURBULENT)
    ),
    Regime.TREND_UP: RegimeTraits(volatility=0.9, drift=0.09, mean_hours=40, next=(Regime.CALM, Regime.TURBULENT)),
    Regime.TREND_DOWN: RegimeTraits(volatility=1.1, drift=-0.10, mean_hours=30, next=(Regime.CALM, Regime.TURBULENT)),
    Regime.TURBULENT: RegimeTraits(
        volatility=1.8, drift=-0.02, mean_hours=16, next=(Regime.CALM, Regime.TREND_UP, Regime.TREND_DOWN)
    ),
}


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """The generator of one purpose, such as ``("shock", "BTC")``: independent of every other purpose's."""
    digest = hashlib.sha256("\x1f".join(purpose).encode()).digest()
    words = [int.from_bytes(digest[at : at + 4], "little") for at in range(0, 16, 4)]
    return np.random.default_rng([seed, *words])


def regime_path(seed: int, bars: int, step_hours: float) -> IntArray:
    """The regime of each bar, a Markov chain that starts calm; shape (bars,), values of :class:`Regime`."""
    draws = stream(seed, "regime").random((bars, 2)).tolist()
    state = Regime.CALM
    path = []
    for leave, choice in draws:
        path.append(state)
        traits = TRAITS[state]
        if leave < step_hours / traits.mean_hours:
            state = traits.next[int(choice * len(traits.next))]
    return np.array(path, dtype=np.int64)


def shock_path(seed: int, name: str, bars: int) -> FloatArray:
    """Shocks of mean 0 and variance 1, shape (bars,): Student-t with jumps, scaled by a GARCH(1,1) volatility.

    Bollerslev (1986), "Generalized autoregressive conditional heteroskedasticity". A jump feeds the volatility of the
    bars after it, as any large shock does.
    """
    tails = stream(seed, "shock", name).standard_t(_DEGREES_OF_FREEDOM, bars)
    tails *= np.sqrt((_DEGREES_OF_FREEDOM - 2) / _DEGREES_OF_FREEDOM)
    jumps = stream(seed, "jump", name).random(bars) < _JUMP_PROBABILITY
    sizes = stream(seed, "jump size", name).standard_normal(bars)
    innovations = (tails + _JUMP_SCALE * jumps * sizes) / np.sqrt(1 + _JUMP_PROBABILITY * _JUMP_SCALE**2)

    base = 1 - _ARCH - _GARCH
    variance = 1.0
    variances = []
    for square in (innovations**2).tolist():
        variances.append(variance)
        variance = base + variance * (_ARCH * square + _GARCH)
    return np.asarray(innovations * np.sqrt(variances), dtype=np.float64)
