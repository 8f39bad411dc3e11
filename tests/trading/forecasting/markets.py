"""Synthetic markets with a known edge, and frames of them."""

import numpy as np

from trading.features.frame import FeatureFrame
from trading.marketdata import FloatArray

HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000  # 2021-01-01T00:00:00Z


def frame_from(moves: FloatArray, *, instrument: str = "BTC-USDT", seed: int = 0, inner: int = 12) -> FeatureFrame:
    """Bars whose one-bar log returns are ``moves``; highs and lows of a bridge of ``inner`` steps inside each bar."""
    rng = np.random.default_rng([seed, 99])
    logs = np.log(100.0) + np.cumsum(moves)
    before = np.concatenate([[np.log(100.0)], logs[:-1]])
    share = np.arange(1, inner) / inner
    scale = np.full(len(moves), float(np.std(moves))) / np.sqrt(inner)
    walk = np.cumsum(rng.normal(size=(len(moves), inner)), axis=1)
    bridge = (walk[:, :-1] - share * walk[:, -1:]) * scale[:, np.newaxis]
    path = before[:, np.newaxis] + share * moves[:, np.newaxis] + bridge
    open_ms = START_MS + HOUR_MS * np.arange(len(moves), dtype=np.int64)
    columns = {
        "open": np.exp(before),
        "high": np.exp(np.maximum(path.max(axis=1), np.maximum(before, logs))),
        "low": np.exp(np.minimum(path.min(axis=1), np.minimum(before, logs))),
        "close": np.exp(logs),
        "volume": rng.lognormal(3, 0.5, len(moves)),
        "open_s": open_ms / 1000.0,
        "reference_close": np.exp(logs),
    }
    return FeatureFrame(instrument=instrument, step_ms=HOUR_MS, open_ms=open_ms, columns=columns)


def random_walk(bars: int, seed: int) -> FeatureFrame:
    rng = np.random.default_rng(seed)
    return frame_from(0.005 * rng.normal(size=bars), seed=seed)


def autoregressive(bars: int, seed: int, phi: float = 0.3) -> tuple[FeatureFrame, FloatArray]:
    """AR(1) returns, and the oracle's probability that the next one is above zero at each bar."""
    from scipy.stats import norm

    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=bars)
    moves = np.empty(bars)
    last = 0.0
    for at in range(bars):
        last = phi * last + shocks[at]
        moves[at] = last
    return frame_from(0.004 * moves, seed=seed), np.asarray(norm.cdf(phi * moves), np.float64)


def drifting_regimes(bars: int, seed: int, drift: float = 0.5) -> tuple[FeatureFrame, FloatArray]:
    """Long spells that drift up or down by ``drift`` deviations a bar, and the filter's odds of the next rise."""
    from scipy.stats import norm

    rng = np.random.default_rng(seed)
    stay = 0.995
    state, states = 1.0, np.empty(bars)
    for at in range(bars):
        state = state if rng.random() < stay else -state
        states[at] = state
    moves = drift * states + rng.normal(size=bars)
    odds, p_up = 0.5, np.empty(bars)
    for at in range(bars):
        up, down = odds * norm.pdf(moves[at] - drift), (1 - odds) * norm.pdf(moves[at] + drift)
        odds = up / (up + down)
        odds = stay * odds + (1 - stay) * (1 - odds)
        p_up[at] = odds * norm.cdf(drift) + (1 - odds) * norm.cdf(-drift)
    return frame_from(0.004 * moves, seed=seed), p_up


def garch(bars: int, seed: int, *, alpha: float = 0.1, beta: float = 0.85) -> tuple[FeatureFrame, FloatArray]:
    """GARCH(1,1) returns, and the variance of the next one at each bar."""
    rng = np.random.default_rng(seed)
    omega = 1.0 - alpha - beta
    shocks = rng.normal(size=bars)
    variance, moves, following = 1.0, np.empty(bars), np.empty(bars)
    for at in range(bars):
        moves[at] = np.sqrt(variance) * shocks[at]
        variance = omega + alpha * moves[at] ** 2 + beta * variance
        following[at] = variance
    return frame_from(0.004 * moves, seed=seed), 0.004**2 * following
