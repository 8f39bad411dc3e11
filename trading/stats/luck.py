"""How much of what a desk earned was timing: its place among traders without any view, matched to it in all else.

A matched trader holds exactly what the desk held, at other times. The desk's path of exposures is cut into spells of
random length, on average as long as the desk holds a position, and the spells are put in random order; where the market
may be sold short, the whole path is also turned round with probability one half. So each trader has the desk's
instruments, its distribution of gross exposure, its holding time and its costs, and no idea which way prices go.

Costs are the desk's own for every trader and so cancel. Costs computed from the shuffled path would make every trader
pay at the seams for trades that the desk never made, and the desk would look skilful for it. Instruments are not
exchanged for one another: a desk in the one that moves most would land too often at either end. Funding is left out on
both sides.
"""

from dataclasses import dataclass

import numpy as np

from trading.stats.returns import RUIN, price_moves
from trading.stats.sample import BoolArray, FloatArray, IntArray, why_unscored

TRADERS = 1000
_TIE = 1e-9
_CHUNK_VALUES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a desk held over each interval between two marks.

    ``exposure`` (intervals, instruments) is signed value over equity as of the desk's last trade in the instrument: how
    prices moved it since is the market's doing, not the desk's, and must not be mistaken for timing. ``traded``
    (intervals,) is the value traded over equity.
    """

    exposure: FloatArray
    traded: FloatArray

    @property
    def gross_exposure(self) -> float:
        """Mean over the intervals of the absolute exposures' sum, 0 for none."""
        return float(np.abs(self.exposure).sum()) / max(1, self.traded.size)

    @property
    def turnover(self) -> float:
        """Mean value traded in an interval over equity, 0 for none."""
        return float(self.traded.sum()) / max(1, self.traded.size)

    @property
    def holding_intervals(self) -> float:
        """How long a position lives on average: what is held, over half of what is traded; at least 1."""
        intervals = float(self.traded.size)
        return min(max(1.0, 2.0 * self.gross_exposure / self.turnover), intervals) if self.turnover > 0 else intervals


def holdings(quantities: FloatArray, closes: FloatArray, equity: FloatArray) -> Holdings:
    """Holdings from positions at marks: ``quantities`` and ``closes`` (instruments, marks), ``equity`` (marks,).

    What is held at a mark is taken to have been held since the mark before it: orders decided at a mark fill in the
    interval that it opens. Exposure is 0 where there is no equity left or no price yet.
    """
    if quantities.shape != closes.shape or closes.shape[1:] != equity.shape:
        raise ValueError(
            f"quantities {quantities.shape}, closes {closes.shape} and equity {equity.shape} are not of the same marks"
        )
    price = np.nan_to_num(closes[:, :-1])
    stake = np.where(equity[:-1] <= 0, np.inf, equity[:-1])
    change = np.diff(quantities, axis=1)
    acted = change != 0
    acted[:, :1] |= quantities[:, 1:2] != 0
    held = quantities[:, 1:] * price / stake
    last = np.maximum.accumulate(np.where(acted, np.arange(acted.shape[1]), 0), axis=1)
    exposure = np.where(equity[:-1] <= 0, 0.0, np.take_along_axis(held, last, axis=1))
    return Holdings(exposure=exposure.T.copy(), traded=(np.abs(change) * price / stake).sum(axis=0))


def luck_percentile(
    held: Holdings,
    closes: FloatArray,
    *,
    allows_short: BoolArray,
    traders: int = TRADERS,
    rng: np.random.Generator,
) -> float | None:
    """Share of matched random traders that the desk's timing beats, in (0, 1); ties, itself included, count half.

    ``closes`` has shape (instruments, marks), ``allows_short`` (instruments,). The desk is valued as its traders are,
    from its exposures and not from its account, so that only timing differs. For a desk that trades without regard to
    the market it is uniform. A desk that bought and held has no timing: 0.5 where nobody can be short, and near 0.75 or
    0.25 where one can, by the one coin it tossed. Matching the exposure that was realised makes it a little hard on
    trend followers, and kind to their opposites, where nobody can be short. None for a desk that never held anything,
    for fewer than 20 intervals, or where an exposure is not known.
    """
    intervals = held.traded.size
    if closes.shape != (held.exposure.shape[1], intervals + 1):
        raise ValueError(f"closes of shape {closes.shape} do not fit exposures of shape {held.exposure.shape}")
    if why_unscored(held.exposure.sum(axis=1) + held.traded, may_be_flat=True) is not None or not held.exposure.any():
        return None
    moves = price_moves(closes)
    own = _growth(held.exposure[np.newaxis], moves)[0]
    cut = 1.0 / held.holding_intervals
    below = ties = 0
    chunk = max(1, _CHUNK_VALUES // held.exposure.size)
    for begin in range(0, traders, chunk):
        count = min(chunk, traders - begin)
        order = _shuffled_spells(intervals, count, cut=cut, rng=rng)
        turned = np.where(allows_short, np.where(rng.random((count, 1)) < 0.5, -1.0, 1.0), 1.0)
        theirs = _growth(held.exposure[order] * turned[:, np.newaxis, :], moves)
        tied = np.abs(theirs - own) <= _TIE
        ties += int(np.count_nonzero(tied))
        below += int(np.count_nonzero((theirs < own) & ~tied))
    return (below + 0.5 * ties + 0.5) / (traders + 1)


def _growth(exposure: FloatArray, moves: FloatArray) -> FloatArray:
    """Log growth, before costs, of exposures (paths, intervals, instruments) to moves (intervals, instruments)."""
    gained = np.einsum("pti,ti->pt", exposure, moves)
    growth: FloatArray = np.log1p(np.maximum(gained, RUIN)).sum(axis=1)
    return growth


def _shuffled_spells(intervals: int, count: int, *, cut: float, rng: np.random.Generator) -> IntArray:
    """For each of ``count`` traders an order of the intervals that moves whole spells, shape (count, intervals)."""
    begins = rng.random((count, intervals)) < cut
    begins[:, 0] = True
    keys = rng.random((count, intervals))
    order = np.empty((count, intervals), np.int64)
    for row in range(count):
        first = np.flatnonzero(begins[row])
        drawn = np.argsort(keys[row, : first.size], kind="stable")
        lengths = np.diff(first, append=intervals)[drawn]
        placed = np.cumsum(lengths) - lengths
        order[row] = np.repeat(first[drawn] - placed, lengths)
    order += np.arange(intervals)
    return order
