"""What luck alone would have earned along a season: the band that a chart draws behind the desks."""

from dataclasses import dataclass

import numpy as np

from trading.stats.luck import TRADERS
from trading.stats.returns import RUIN, price_moves
from trading.stats.sample import BoolArray, FloatArray

_GROUP = 125


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnBand:
    """Quantiles of random traders' total return at each mark, as fractions. All of shape (marks,)."""

    q05: FloatArray
    q25: FloatArray
    q75: FloatArray
    q95: FloatArray


def luck_band(
    closes: FloatArray,
    *,
    gross_exposure: float,
    turnover: float,
    cost_bps: float,
    allows_short: BoolArray,
    traders: int = TRADERS,
    rng: np.random.Generator,
) -> ReturnBand:
    """Returns that random traders have made by each mark, 0 at the first. ``closes`` has shape (instruments, marks).

    Each trader holds one instrument at a time, chosen at random with its side (long only where short is not allowed),
    or nothing, and chooses anew at random instants. On average its gross exposure is ``gross_exposure`` (value over
    equity) and its turnover in an interval ``turnover`` (value traded over equity); ``cost_bps`` is paid on what is
    traded. With the same seed the band of more marks continues the band of fewer.
    """
    side = np.concatenate([np.ones(allows_short.size), -np.ones(int(allows_short.sum()))])
    instrument = np.concatenate([np.arange(allows_short.size), np.flatnonzero(allows_short)])
    size = max(gross_exposure, min(1.0, 2.0 * gross_exposure))
    invested = gross_exposure / size if size > 0 else 0.0
    moved = 2.0 * gross_exposure * (1.0 - invested / side.size)
    renewal = min(1.0, turnover / moved) if moved > 0 else 0.0
    moves = price_moves(closes)[:, instrument] * side * size
    sizes = _group_sizes(traders)
    groups = [
        _wanderers(moves, count, invested=invested, renewal=renewal, fee=size * cost_bps / 1e4, rng=stream)
        for count, stream in zip(sizes, rng.spawn(len(sizes)), strict=True)
    ]
    q05, q25, q75, q95 = np.quantile(np.concatenate(groups, axis=1), [0.05, 0.25, 0.75, 0.95], axis=1)
    return ReturnBand(q05=q05, q25=q25, q75=q75, q95=q95)


def _group_sizes(traders: int) -> list[int]:
    """Traders are simulated in groups of a fixed size: little memory, and draws that do not depend on the length."""
    full, rest = divmod(traders, _GROUP)
    return [_GROUP] * full + ([rest] if rest else [])


def _wanderers(
    moves: FloatArray, count: int, *, invested: float, renewal: float, fee: float, rng: np.random.Generator
) -> FloatArray:
    """Total returns at the marks of ``count`` traders without a view, shape (marks, count).

    ``moves`` (intervals, choices) is what each choice earns; a trader is ``invested`` that share of the time, chooses
    anew with probability ``renewal`` and pays ``fee`` for entering and for leaving a choice.
    """
    intervals, choices = moves.shape
    renewing, choosing = rng.spawn(2)
    renews = renewing.random((intervals, count)) < renewal
    renews[:1] = True
    drawn = choosing.random((intervals, count))
    choice = np.where(drawn < invested, (drawn / max(invested, 1e-12) * choices).astype(np.int64), -1)
    begun = np.maximum.accumulate(np.where(renews, np.arange(intervals)[:, np.newaxis], 0), axis=0)
    choice = np.take_along_axis(choice, begun, axis=0)
    before = np.vstack([np.full((1, count), -1), choice[:-1]])
    legs = np.where(choice != before, (choice >= 0).astype(np.float64) + (before >= 0), 0.0)
    earned = np.where(choice >= 0, np.take_along_axis(moves, np.maximum(choice, 0), axis=1), 0.0) - legs * fee
    growth = np.log1p(np.maximum(earned, RUIN)).cumsum(axis=0)
    return np.vstack([np.zeros((1, count)), np.expm1(growth)])
