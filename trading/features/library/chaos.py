"""Chaos: memory, roughness and disorder of the close over three timeframes.

Each looks at closes one timeframe apart, the last of them where the clock completes a cadence, so that the closes are
those of whole bars of that timeframe. They are slow to compute and slow to change, hence the cadences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from trading.features import chaos
from trading.features.feature import Block, Feature, Group, Input, count_of_bars
from trading.features.rolling import windows
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.CHAOS, inputs=(Input.BARS,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timeframe:
    """``closes`` closes, ``step`` bars apart, looked at every ``cadence`` bars (a multiple of ``step``)."""

    step: int
    closes: int
    cadence: int

    @property
    def span(self) -> int:
        return (self.closes - 1) * self.step + 1


def _paths(x: Block, frame: _Timeframe) -> FloatArray:
    """Log closes of the frame at each bar where the cadence is complete; the block ends on such a bar."""
    every = windows(np.log(x["close"]), frame.span)
    return every[(len(every) - 1) % frame.cadence :: frame.cadence, :: frame.step]


def _moving(path: FloatArray) -> FloatArray:
    """The paths, NaN where half of the closes are those before them: nothing has no memory and no disorder."""
    moved = (np.diff(path, axis=1) != 0.0).mean(axis=1)
    return np.where(moved[:, None] > 0.5, path, np.nan)


def _measured(
    frame: _Timeframe, name: str, words: str, unit: str, measure: Callable[[FloatArray], FloatArray]
) -> Feature:
    return _feature(
        name=f"{name}_{frame.step}x{frame.closes}",
        warmup=frame.span,
        timeframe=frame.step,
        cadence=frame.cadence,
        unit=unit,
        description=f"{words}, over {frame.closes} closes {count_of_bars(frame.step)} apart.",
        formula=lambda x: measure(_moving(_paths(x, frame))),
    )


def _features(frame: _Timeframe) -> tuple[Feature, ...]:
    add = partial(_measured, frame)
    return (
        add(
            "lyapunov",
            "Largest Lyapunov exponent of the log returns (Rosenstein)",
            "nats per step",
            lambda path: chaos.lyapunov(np.diff(path, axis=1)),
        ),
        add(
            "hurst_dfa",
            "Hurst exponent by detrended fluctuation analysis; 0.5 for a random walk",
            "0 to 1",
            chaos.hurst_dfa,
        ),
        add("hurst_rs", "Hurst exponent by rescaled range, corrected; 0.5 for a random walk", "0 to 1", chaos.hurst_rs),
        add("fractal_dimension", "Fractal dimension of the log close (Higuchi)", "1 to 2", chaos.higuchi),
        add(
            "sample_entropy",
            "Sample entropy of the log returns, patterns of 2 within 0.2 deviations",
            "nats",
            lambda path: chaos.sample_entropy(np.diff(path, axis=1)),
        ),
    )


FEATURES = (
    *_features(_Timeframe(step=1, closes=256, cadence=6)),
    *_features(_Timeframe(step=4, closes=256, cadence=12)),
    *_features(_Timeframe(step=24, closes=128, cadence=24)),
)
"""The group, in the order of the vector."""
