"""Markets of which it is known what they are: regimes planted by a chain, and noise."""

import numpy as np

from trading.features.frame import FeatureFrame
from trading.marketdata import FloatArray, IntArray

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000
DRIFT, WILD, STAY = 0.3, 2.5, 149 / 150
SIZE = 0.005
_TICKS = 8


def frame_of_ticks(ticks: FloatArray, *, volume: FloatArray | None = None) -> FeatureFrame:
    """Hourly bars of log moves within each, shape (bars, ticks)."""
    bars = len(ticks)
    path = np.log(100.0) + np.cumsum(ticks.ravel()).reshape(ticks.shape)
    opened = np.concatenate([[np.log(100.0)], path[:-1, -1]])
    prices = np.exp(np.column_stack([opened, path]))
    open_ms = START_MS + HOUR_MS * np.arange(bars, dtype=np.int64)
    return FeatureFrame(
        instrument="X-USDT",
        step_ms=HOUR_MS,
        open_ms=open_ms,
        columns={
            "open_s": open_ms / 1000.0,
            "open": prices[:, 0],
            "high": prices.max(axis=1),
            "low": prices.min(axis=1),
            "close": prices[:, -1],
            "volume": np.ones(bars) if volume is None else volume,
        },
    )


def noise(seed: int, bars: int, *, heavy: bool = False) -> FeatureFrame:
    """A market without regimes: independent moves of one size, and volume by chance."""
    rng = np.random.default_rng(seed)
    shape = (bars, _TICKS)
    draws = rng.standard_t(4, shape) / np.sqrt(2) if heavy else rng.normal(size=shape)
    return frame_of_ticks(SIZE / np.sqrt(_TICKS) * draws, volume=rng.lognormal(3, 0.5, bars))


def planted(seed: int, bars: int) -> tuple[FeatureFrame, IntArray, IntArray]:
    """A market that switches regimes, with the regime of each bar, and the best guess from the bars so far.

    Numbers are in the order of Regime. The guess is Bayes' filter that knows all parameters of the chain: nobody who
    must learn them does better.
    """
    rng = np.random.default_rng(seed)
    states = np.empty(bars, np.int64)
    now = 2
    for row in range(bars):
        if rng.random() >= STAY:
            now = int(rng.choice([state for state in range(4) if state != now]))
        states[row] = now
    drifts, sizes = np.array([DRIFT, -DRIFT, 0, 0]), np.array([1, 1, 1, WILD])
    draws = rng.normal(size=(bars, _TICKS)) * sizes[states][:, None] / np.sqrt(_TICKS)
    ticks = SIZE * (drifts[states][:, None] / _TICKS + draws)
    moves = ticks.sum(axis=1) / SIZE
    chain = np.full((4, 4), (1 - STAY) / 3)
    np.fill_diagonal(chain, STAY)
    belief, guess = np.full(4, 0.25), np.empty(bars, np.int64)
    for row, move in enumerate(moves.tolist()):
        belief = (belief @ chain) * np.exp(-0.5 * ((move - drifts) / sizes) ** 2) / sizes
        belief = belief / belief.sum()
        guess[row] = int(np.argmax(belief))
    return frame_of_ticks(ticks), states, guess
