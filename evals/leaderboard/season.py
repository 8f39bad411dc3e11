"""A season as the leaderboard reads it: the market at its marks, and every desk's record."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from evals.records import DeskRecord, MarketRecord
from trading.stats import FloatArray, IntArray, log_growth, simple_returns

DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class PlayedSeason:
    """One run of a season. ``content`` identifies what was run and ``head`` what came of it; ``kind`` is simulated,
    replay, paper or live."""

    run_id: str
    season: str
    kind: str
    content: str
    head: str
    market: MarketRecord
    desks: tuple[DeskRecord, ...]

    @property
    def first_ms(self) -> int:
        """The first mark."""
        return int(self.market.ts_ms[0])

    @property
    def last_ms(self) -> int:
        """The last mark."""
        return int(self.market.ts_ms[-1])

    @property
    def days(self) -> float:
        """How long it lasted, in days of 24 hours."""
        return (self.last_ms - self.first_ms) / DAY_MS

    @cached_property
    def drift(self) -> float:
        """What an equal share of every instrument, bought at the start and held, gained over the season."""
        first, last = self.market.closes[:, 0], self.market.closes[:, -1]
        known = np.isfinite(first) & np.isfinite(last)
        return float(np.mean(last[known] / first[known] - 1.0)) if known.any() else 0.0

    @cached_property
    def market_id(self) -> str:
        """Digest of the market's moves: the same for every season on one market, under whatever mask.

        Seasons of one market share their news. What they say of a desk is averaged, and counts once.
        """
        moves = np.round(np.diff(np.log(self.market.closes), axis=1), 8) + 0.0
        return sha256(f"{self.market.step_ms}|{moves.shape}".encode() + moves.tobytes()).hexdigest()

    @property
    def regime(self) -> str:
        """``bull``, ``bear`` or ``flat``: by what holding the market gained, 5 % either way. Known only afterwards."""
        return "bull" if self.drift > 0.05 else "bear" if self.drift < -0.05 else "flat"

    def units(self, unit_ms: int) -> IntArray:
        """For each interval between two marks the number of the unit of time that it begins in."""
        units: IntArray = self.market.ts_ms[:-1] // unit_ms
        return units

    def growth(self, desk: DeskRecord, unit_ms: int) -> FloatArray:
        """Log growth of a desk's equity in each unit of time of the season, oldest first."""
        return _summed(log_growth(simple_returns(desk.equity)), self.units(unit_ms))

    def market_growth(self, unit_ms: int) -> FloatArray:
        """Log growth of an equal share of every instrument, rebalanced at every mark, in each unit of time."""
        with np.errstate(invalid="ignore", divide="ignore"):
            moves = self.market.closes[:, 1:] / self.market.closes[:, :-1] - 1.0
        mean = np.where(
            np.isfinite(moves).any(axis=0), np.nanmean(np.where(np.isfinite(moves), moves, 0.0), axis=0), 0.0
        )
        return _summed(np.log1p(mean), self.units(unit_ms))


def _summed(values: FloatArray, units: IntArray) -> FloatArray:
    _, at = np.unique(units, return_inverse=True)
    return np.bincount(at, weights=values).astype(np.float64)
