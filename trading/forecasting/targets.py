"""What is learnt: return, direction, volatility and range of the bars ahead, and which barrier is touched first.

Row ``t`` speaks of the bars ``t + 1 ... t + steps``: everything after the close of bar ``t``. Where one of them is
missing or has not closed, a target is NaN: nothing reaches over a hole.
"""

import math
from dataclasses import dataclass

import numpy as np

from trading.domain import duration_text
from trading.domain.errors import BadArguments
from trading.features.frame import FeatureFrame
from trading.marketdata import FloatArray, IntArray
from trading.stats import BoolArray

FINE_STEPS = 4
"""From this many bars on, volatility is measured from returns; below, from the range of each bar (Parkinson 1980)."""

_PARKINSON = 1.0 / (4.0 * math.log(2.0))
_FLOOR = 0.02
"""Volatility below this share of its median counts as this share: the logarithm of a market at rest says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets at each bar, shape (bars,), for a horizon of ``steps`` bars.

    ``log_return`` from close to close; ``up`` is 1 for a return above zero; ``realised`` is the root of the summed
    squared one-bar log returns; ``log_volatility`` the logarithm of the measure that models learn, which is
    ``realised`` from :data:`FINE_STEPS` bars on; ``log_range`` the logarithm of highest high over lowest low.
    """

    steps: int
    log_return: FloatArray
    up: FloatArray
    realised: FloatArray
    log_volatility: FloatArray
    log_range: FloatArray

    @property
    def known(self) -> BoolArray:
        """Whether every target of a row is known, as booleans of shape (bars,)."""
        return np.asarray(np.isfinite(self.log_return) & np.isfinite(self.log_volatility))


def steps_of(horizon_ms: int, step_ms: int) -> int:
    """How many bars a horizon is. Raises BadArguments where that is no whole number."""
    steps, rest = divmod(horizon_ms, step_ms)
    if rest or steps < 1:
        raise BadArguments(
            f"horizon of {duration_text(horizon_ms)}: expected a whole number of bars of {duration_text(step_ms)}; "
            "use a longer horizon or shorter candles"
        )
    return steps


def targets_of(frame: FeatureFrame, steps: int) -> Targets:
    """The targets of every bar of ``frame``."""
    logs = np.log(frame.columns["close"])
    whole = _followed(frame.open_ms, frame.step_ms, steps)
    moves = np.full(len(frame), np.nan)
    if len(frame) > 1:
        moves[1:] = np.where(np.diff(frame.open_ms) == frame.step_ms, np.diff(logs), np.nan)
    spans = np.log(frame.columns["high"] / frame.columns["low"])
    log_return = np.full(len(frame), np.nan)
    if steps < len(frame):
        log_return[:-steps] = logs[steps:] - logs[:-steps]
    realised = np.sqrt(_ahead_sum(moves * moves, steps))
    measure = realised if steps >= FINE_STEPS else np.sqrt(_ahead_sum(_PARKINSON * spans * spans, steps))
    highest = _ahead_extreme(frame.columns["high"], steps, np.maximum)
    lowest = _ahead_extreme(frame.columns["low"], steps, np.minimum)
    up = np.where(log_return > 0, 1.0, 0.0)
    return Targets(
        steps=steps,
        log_return=np.where(whole, log_return, np.nan),
        up=np.where(whole, up, np.nan),
        realised=np.where(whole, realised, np.nan),
        log_volatility=np.where(whole, _log_floored(measure), np.nan),
        log_range=np.where(whole, _log_floored(np.log(highest / lowest)), np.nan),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierLabels:
    """Which barrier each bar's future touches first, shape (bars,): 1 upper, -1 lower, 0 neither in time; NaN unknown.

    ``held`` is how many bars it took.
    """

    label: FloatArray
    held: FloatArray


def triple_barrier(frame: FeatureFrame, steps: int, width: FloatArray) -> BarrierLabels:
    """Triple-barrier labels (Lopez de Prado 2018, ch. 3).

    The barriers lie ``width`` (shape (bars,), log return, such as a known volatility) above and below the close. A bar
    that touches both counts as the lower one: which came first is not known, and the worse is assumed.
    """
    count = len(frame)
    logs = np.log(frame.columns["close"])
    high, low = np.log(frame.columns["high"]), np.log(frame.columns["low"])
    known = _followed(frame.open_ms, frame.step_ms, steps) & np.isfinite(width) & (width > 0)
    label, held = np.zeros(count), np.full(count, float(steps))
    open_still = known.copy()
    for ahead in range(1, steps + 1):
        rows = np.flatnonzero(open_still[: max(0, count - ahead)])
        fell = low[rows + ahead] <= logs[rows] - width[rows]
        rose = ~fell & (high[rows + ahead] >= logs[rows] + width[rows])
        for touched, value in ((fell, -1.0), (rose, 1.0)):
            label[rows[touched]] = value
            held[rows[touched]] = ahead
        open_still[rows[fell | rose]] = False
    return BarrierLabels(label=np.where(known, label, np.nan), held=np.where(known, held, np.nan))


def uniqueness(held: FloatArray) -> FloatArray:
    """Weight of each label by how little it shares its bars with other labels, shape (bars,), in (0, 1]; NaN unknown.

    Average uniqueness (Lopez de Prado 2018, ch. 4): the mean over the label's bars of one over how many labels live in
    that bar. Labels that never overlap have weight 1, those of a fixed horizon of h bars 1 / h inside the sample.
    """
    rows = np.flatnonzero(np.isfinite(held))
    spans = held[rows].astype(np.int64)
    changes = np.zeros(len(held) + int(spans.max(initial=0)) + 2)
    np.add.at(changes, rows + 1, 1.0)
    np.add.at(changes, rows + 1 + spans, -1.0)
    alive = np.cumsum(changes)
    share = np.cumsum(np.concatenate([[0.0], 1.0 / np.maximum(alive, 1.0)]))
    weights = np.full(len(held), np.nan)
    weights[rows] = (share[rows + 1 + spans] - share[rows + 1]) / spans
    return weights


def _followed(open_ms: IntArray, step_ms: int, steps: int) -> BoolArray:
    """Whether the ``steps`` bars after each bar are all there."""
    found = np.zeros(len(open_ms), bool)
    if steps < len(open_ms):
        found[:-steps] = open_ms[steps:] - open_ms[:-steps] == steps * step_ms
    return found


def _ahead_sum(values: FloatArray, steps: int) -> FloatArray:
    """Sum of the ``steps`` values after each row, NaN where one of them is."""
    found = np.full(len(values), np.nan)
    if steps < len(values):
        windows = np.lib.stride_tricks.sliding_window_view(values[1:], steps)
        found[: len(windows)] = windows.sum(axis=1)
    return found


def _ahead_extreme(values: FloatArray, steps: int, extreme: np.ufunc) -> FloatArray:
    found = np.full(len(values), np.nan)
    if steps < len(values):
        windows = np.lib.stride_tricks.sliding_window_view(values[1:], steps)
        found[: len(windows)] = extreme.reduce(windows, axis=1)
    return found


def _log_floored(values: FloatArray) -> FloatArray:
    known = values[np.isfinite(values) & (values > 0)]
    if not known.size:
        return np.full(len(values), np.nan)
    return np.log(np.maximum(values, _FLOOR * float(np.median(known))))
