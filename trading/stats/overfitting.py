"""How likely the best of many on history is nothing special afterwards."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trading.stats.sample import FloatArray, IntArray

BLOCKS = 16
_CHUNK_SPLITS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """What picking the best of several series in one half of time was worth in the other half.

    ``probability`` is the share of splits in which the winner of the first half ends below the median of the second
    (PBO). ``degradation`` is the slope of its second Sharpe ratio on its first, None where the first does not vary.
    ``loss`` is how often the winner loses money in the second half. ``logits`` (splits,) is the winner's relative rank
    there, as log odds: the whole distribution behind the probability.
    """

    probability: float
    degradation: float | None
    loss: float
    logits: FloatArray


def backtest_overfitting(returns: FloatArray, *, blocks: int = BLOCKS) -> Overfitting | None:
    """Combinatorially symmetric cross-validation of the best of ``returns`` (series, n) by Sharpe ratio.

    Bailey, Borwein, Lopez de Prado & Zhu (2015). Time is cut into ``blocks`` (even) of equal length, the newest rest is
    left out; every half of the blocks is the first half once, so 16 blocks make 12,870 splits. None for fewer than two
    series, fewer than two observations a block or values that are not finite. Series that do not vary rank last.
    """
    if blocks < 2 or blocks % 2:
        raise ValueError(f"{blocks} blocks cannot be halved, expected an even number from 2")
    series, length = returns.shape
    each = length // blocks
    if series < 2 or each < 2 or not np.isfinite(returns).all():
        return None
    cut = returns[:, : each * blocks].reshape(series, blocks, each)
    sums, squares = cut.sum(axis=2), (cut**2).sum(axis=2)
    halves = _halves(blocks)
    logits, first, second = [], [], []
    for begin in range(0, len(halves), _CHUNK_SPLITS):
        chosen = np.zeros((min(_CHUNK_SPLITS, len(halves) - begin), blocks))
        np.put_along_axis(chosen, halves[begin : begin + _CHUNK_SPLITS], 1.0, axis=1)
        inside = _sharpe(chosen @ sums.T, chosen @ squares.T, each * blocks // 2)
        outside = _sharpe((1.0 - chosen) @ sums.T, (1.0 - chosen) @ squares.T, each * blocks // 2)
        winner = inside.argmax(axis=1)[:, np.newaxis]
        won = np.take_along_axis(outside, winner, axis=1)
        below = (outside < won).sum(axis=1) + 0.5 * ((outside == won).sum(axis=1) - 1)
        share = (below + 1.0) / (series + 1.0)
        logits.append(np.log(share / (1.0 - share)))
        first.append(np.take_along_axis(inside, winner, axis=1)[:, 0])
        second.append(won[:, 0])
    odds, before, after = np.concatenate(logits), np.concatenate(first), np.concatenate(second)
    spread = float(before.var())
    return Overfitting(
        probability=float(np.mean(odds < 0) + 0.5 * np.mean(odds == 0)),
        degradation=float(np.mean((before - before.mean()) * (after - after.mean()))) / spread if spread > 0 else None,
        loss=float(np.mean(after < 0)),
        logits=odds,
    )


def _halves(blocks: int) -> IntArray:
    return np.array(list(combinations(range(blocks), blocks // 2)), np.int64)


def _sharpe(sums: FloatArray, squares: FloatArray, observations: int) -> FloatArray:
    """Ratios from sums over a half; a series without variation is worse than any other."""
    mean = sums / observations
    spread = squares / observations - mean**2
    varies = spread > 1e-12 * np.maximum(squares / observations, 1e-300)
    return np.where(varies, mean / np.sqrt(np.where(varies, spread, 1.0)), -1e12)
