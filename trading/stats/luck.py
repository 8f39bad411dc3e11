"""What luck alone would have earned: traders without any view, matched to a desk in all but its timing.

A matched trader holds exactly what the desk held, at other times. The desk's path of exposures is cut into spells of
random length, on average as long as the desk holds a position, and the spells are put in random order; where the market
may be sold short, the whole path is also turned round with probability one half. So each trader has the desk's
instruments, its distribution of gross exposure, its holding time and its costs, and no idea which way prices go.

Costs are the desk's own for every trader and so cancel. Costs computed from the shuffled path would make every trader pay
at the seams for trades that the desk never made, and the desk would look skilful for it. Instruments are not exchanged for one another, because one that moves more would make the desk look luckier or unluckier
than traders that hold it. Funding is left out on both sides.
"""

from dataclasses import dataclass

import numpy as np

from trading.stats.sample import BoolArray, FloatArray, IntArray, why_unscored

TRADERS = 1000
_RUIN = -0.999
_TIE = 1e-9
_CHUNK_VALUES = 2_000_000
_GROUP = 125


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnBand:
    """Quantiles of random traders' total return at each mark, as fractions. All of shape (marks,)."""

    q05: FloatArray
    q25: FloatArray
    q75: FloatArray
    q95: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a desk held over each interval between two marks.

    ``exposure`` (intervals, instruments) is signed value over equity as of the desk's last trade in the instrument: how
    prices moved it since is the market's doing, not the desk's, and must not be mistaken for timing. ``traded``
    (intervals,) is the value traded over equity.
    """

    exposure: FloatArray
    traded: FloatArray


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
    stake = np.where(equity[:-1] > 0, equity[:-1], np.inf)
    change = np.diff(quantities, axis=1)
    acted = change != 0
    acted[:, :1] |= quantities[:, 1:2] != 0
    held = quantities[:, 1:] * price / stake
    last = np.maximum.accumulate(np.where(acted, np.arange(acted.shape[1]), 0), axis=1)
    exposure = np.where(equity[:-1] > 0, np.take_along_axis(held, last, axis=1), 0.0)
    return Holdings(exposure=exposure.T.copy(), traded=(np.abs(change) * price / stake).sum(axis=0))


def holding_marks(held: Holdings) -> float:
    """Mean number of intervals a position lives: twice the mean gross exposure over the turnover of an interval."""
    intervals = held.traded.size
    traded, gross = float(held.traded.sum()), float(np.abs(held.exposure).sum())
    return float(intervals) if traded <= 0 else min(max(1.0, 2.0 * gross / traded), float(intervals))


def luck_percentile(
    held: Holdings,
    closes: FloatArray,
    *,
    allows_short: BoolArray,
    traders: int = TRADERS,
    rng: np.random.Generator,
) -> float | None:
    """Share of matched random traders that the desk's timing beats, in (0, 1); ties, itself included, count half.

    ``closes`` has shape (instruments, marks), ``allows_short`` (instruments,). The desk is valued as its
    traders are, from its exposures and not from its account, so that only timing differs. For a desk that trades without
    regard to the market the percentile is uniform. A desk that bought and held has no timing: 0.5 where nobody
    can be short, and where one can, 0.75 or 0.25 by the one coin it tossed. Matching the exposure that was realised is
    slightly hard on trend followers and kind to their opposites in a long-only market. None for a desk that never held
    anything, for fewer than 20 intervals, or without a finite equity.
    """
    intervals = held.traded.size
    if closes.shape != (held.exposure.shape[1], intervals + 1):
        raise ValueError(f"closes of shape {closes.shape} do not fit exposures of shape {held.exposure.shape}")
    if why_unscored(held.exposure.sum(axis=1) + held.traded, may_be_flat=True) is not None or not held.exposure.any():
        return None
    moves = _moves(closes)
    own = _growth(held.exposure[np.newaxis], moves)[0]
    cut = 1.0 / holding_marks(held)
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
    """Where the returns of random traders lie at each mark (0 at the first), for a chart. ``closes``: (instruments, marks).

    Each trader holds one instrument at a time, chosen at random with its side (long only where short is not allowed), or
    nothing, and chooses anew at random instants, so that its mean gross exposure is ``gross_exposure`` (value over equity)
    and its mean ``turnover`` is that given (value traded over equity, per interval). With the same seed the band of more
    marks continues the band of fewer.
    """
    side = np.concatenate([np.ones(allows_short.size), -np.ones(int(allows_short.sum()))])
    instrument = np.concatenate([np.arange(allows_short.size), np.flatnonzero(allows_short)])
    size = max(gross_exposure, min(1.0, 2.0 * gross_exposure))
    invested = gross_exposure / size if size > 0 else 0.0
    moved = 2.0 * gross_exposure * (1.0 - invested / side.size)
    renewal = min(1.0, turnover / moved) if moved > 0 else 0.0
    moves = _moves(closes)[:, instrument] * side * size
    groups = [
        _wanderers(moves, count, invested=invested, renewal=renewal, fee=size * cost_bps / 1e4, rng=stream)
        for count, stream in zip(_group_sizes(traders), rng.spawn(len(_group_sizes(traders))), strict=True)
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
    growth = np.log1p(np.maximum(earned, _RUIN)).cumsum(axis=0)
    return np.vstack([np.zeros((1, count)), np.expm1(growth)])


def _moves(closes: FloatArray) -> FloatArray:
    """Simple returns of the instruments, shape (intervals, instruments); 0 where a price is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = closes[:, 1:] / closes[:, :-1] - 1.0
    return np.where(np.isfinite(moves), moves, 0.0).T.copy()


def _growth(exposure: FloatArray, moves: FloatArray) -> FloatArray:
    """Log growth of each path before costs: exposure (paths, intervals, instruments), moves (intervals, instruments)."""
    gained = np.einsum("pti,ti->pt", exposure, moves)
    growth: FloatArray = np.log1p(np.maximum(gained, _RUIN)).sum(axis=1)
    return growth


def _shuffled_spells(intervals: int, count: int, *, cut: float, rng: np.random.Generator) -> IntArray:
    """For each of ``count`` traders an order of the intervals that moves whole spells, shape (count, intervals)."""
    begins = rng.random((count, intervals)) < cut
    begins[:, 0] = True
    spell = begins.cumsum(axis=1) - 1
    key = np.take_along_axis(rng.random((count, intervals)), spell, axis=1)
    return np.argsort(key, axis=1, kind="stable")
