"""Strength from blind duels: who was preferred to whom, as one scale with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.stats.bootstrap import percentile_interval
from trading.stats.sample import FloatArray

ELO_PER_LOG_ODDS = 400.0 / np.log(10.0)
_PRIOR_DUELS = 0.5
_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """One contestant on the scale. ``log_odds`` is relative to the mean of all, 0; ``ci95`` None below 20 duels."""

    log_odds: float
    ci95: tuple[float, float] | None
    duels: int

    @property
    def elo(self) -> float:
        """The same on the scale where 400 points are odds of ten to one, centred on 1000."""
        return 1000.0 + self.log_odds * float(ELO_PER_LOG_ODDS)


def strengths(
    duels: Sequence[tuple[int, int, float]], *, contestants: int, resamples: int = 500, rng: np.random.Generator
) -> tuple[Strength, ...]:
    """Bradley & Terry (1952) by the minorisation of Hunter (2004), from ``duels`` (first, second, share of the first).

    The share is 1 where the first was preferred, 0 where the second was, one half for a tie. Half a duel drawn between
    every pair keeps the answer finite where one never lost. Intervals resample whole duels.
    """
    for first, second, share in duels:
        if first == second or not (0 <= first < contestants and 0 <= second < contestants) or not 0.0 <= share <= 1.0:
            raise ValueError(f"duel {(first, second, share)} is not between two of {contestants} contestants")
    each = np.array(duels, np.float64).reshape(-1, 3)
    fitted = _fit(_wins(each, contestants))
    fought = np.bincount(each[:, :2].astype(np.int64).ravel(), minlength=contestants)
    draws = np.empty((resamples if len(duels) >= 20 else 0, contestants))
    for row in range(len(draws)):
        draws[row] = _fit(_wins(each[rng.integers(0, len(each), len(each))], contestants))
    return tuple(
        Strength(
            log_odds=float(fitted[at]),
            ci95=percentile_interval(draws[:, at]) if len(draws) and fought[at] else None,
            duels=int(fought[at]),
        )
        for at in range(contestants)
    )


def _wins(duels: FloatArray, contestants: int) -> FloatArray:
    """Duels won by row over column."""
    wins = np.full((contestants, contestants), _PRIOR_DUELS / 2.0)
    first, second = duels[:, 0].astype(np.int64), duels[:, 1].astype(np.int64)
    np.add.at(wins, (first, second), duels[:, 2])
    np.add.at(wins, (second, first), 1.0 - duels[:, 2])
    np.fill_diagonal(wins, 0.0)
    return wins


def _fit(wins: FloatArray) -> FloatArray:
    total, met = wins.sum(axis=1), wins + wins.T
    strength = np.ones(len(wins))
    for _ in range(_STEPS):
        shared = met / (strength[:, np.newaxis] + strength)
        fresh = total / np.maximum(shared.sum(axis=1), 1e-300)
        fresh /= np.exp(np.log(np.maximum(fresh, 1e-300)).mean())
        moved = np.abs(fresh - strength).max()
        strength = fresh
        if moved < 1e-10:
            break
    log_odds: FloatArray = np.log(strength)
    return log_odds
