"""Capital across desks: equal until their results differ by more than chance, then tilted by what is left of the edge.

Sharpe ratios of short records are mostly noise, so each is drawn towards the mean of all by how little is known of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trading.stats import FloatArray, moments, sharpe_ratio

_HIGHEST_P = 0.05
_MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRules:
    """``floor`` and ``cap`` bound each desk's share, ``max_turnover`` the sum of absolute changes at once.

    ``cost`` is paid on each unit of share that moves; a move must earn it back within ``horizon`` periods. ``caution``
    is how many posterior deviations are taken off a score, ``tilt`` how strongly scores move shares.
    """

    floor: float = 0.02
    cap: float = 0.5
    max_turnover: float = 0.5
    cost: float = 0.001
    horizon: int = 720
    caution: float = 0.5
    tilt: float = 1.0

    def __post_init__(self) -> None:
        numbers = (self.floor, self.cap, self.max_turnover, self.cost, self.caution, self.tilt)
        if not all(map(math.isfinite, numbers)) or min(numbers) < 0 or self.horizon < 1:
            raise ValueError(f"{self}: expected finite numbers of 0 or more, and a horizon of 1 period or more")
        if self.floor > self.cap or self.cap > 1:
            raise ValueError(f"floor {self.floor}, cap {self.cap}: expected floor <= cap <= 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskScore:
    """What is known of a desk, per period: its Sharpe ratio and error, and both after shrinkage.

    ``score`` is the shrunk ratio less the caution. All None for a desk whose record is too short or does not vary.
    """

    sharpe: float | None
    error: float | None
    shrunk: float | None
    shrunk_error: float | None
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """``weights`` are each desk's share of capital, together 1; ``target`` what they would be if moving cost nothing.

    ``p_value`` is of all desks having one Sharpe ratio, ``spread`` the deviation of true ratios across desks beyond
    chance; None where fewer than two desks can be scored. ``moved`` says whether the shares change, ``reason`` why.
    """

    weights: Mapping[str, float]
    target: Mapping[str, float]
    scores: Mapping[str, DeskScore]
    p_value: float | None
    spread: float | None
    turnover: float
    moved: bool
    reason: str


def allocate(
    returns: Mapping[str, FloatArray],
    current: Mapping[str, float] | None = None,
    rules: AllocationRules | None = None,
) -> Allocation:
    """Shares of capital for desks with past ``returns`` (n,) per period, given their ``current`` shares.

    Ratios whose differences chance explains (Cochran's Q, p above 0.05) leave capital equal. Otherwise each ratio is
    shrunk to the weighted mean by error^2 / (error^2 + spread^2) (empirical Bayes: Efron and Morris 1975; spread by
    DerSimonian and Laird 1986), and shares go as exp(tilt * (score - mean) / spread) within the bounds. Errors are
    Mertens' (2002), which know skew and tails. Desks are taken as independent: correlated ones differ by less than
    that says, so evidence is understated. Raises ValueError for bounds that no shares meet, or unknown desks.
    """
    rules = rules or AllocationRules()
    names = list(returns)
    _check(names, current, rules)
    equal = {name: 1.0 / len(names) for name in names}
    held = dict(current) if current is not None else equal
    rated = {name: rating for name in names if (rating := _rated(returns[name])) is not None}
    if len(rated) < 2:
        none = {name: _known(rated.get(name)) for name in names}
        return _settled(held, equal, none, rules, p_value=None, spread=None, why="fewer than two desks can be scored")
    ratios = np.array([ratio for ratio, _ in rated.values()])
    errors = np.array([error for _, error in rated.values()])
    p_value, spread, centre = _heterogeneity(ratios, errors)
    if p_value > _HIGHEST_P or spread <= 0:
        scores = {name: _known(rated.get(name)) for name in names}
        why = f"chance explains how desks differ (p {p_value:.2f})"
        return _settled(held, equal, scores, rules, p_value=p_value, spread=spread, why=why)
    scores = {name: _shrunk(rated.get(name), centre, spread, rules.caution) for name in names}
    known = [score.score for score in scores.values() if score.score is not None]
    middle = float(np.mean(known))
    tilts = np.array(
        [0.0 if (score := scores[name].score) is None else rules.tilt * (score - middle) / spread for name in names]
    )
    raw = np.exp(tilts - tilts.max())
    target = dict(zip(names, _bounded(raw / raw.sum(), rules).tolist(), strict=True))
    gain = rules.horizon * _gain(held, target, scores, returns)
    return _settled(
        held, target, scores, rules, p_value=p_value, spread=spread, gain=gain, why=f"desks differ (p {p_value:.3f})"
    )


def _check(names: Sequence[str], current: Mapping[str, float] | None, rules: AllocationRules) -> None:
    if not names:
        raise ValueError("no desks: expected one at least")
    if not rules.floor * len(names) <= 1 + 1e-12 or not rules.cap * len(names) >= 1 - 1e-12:
        raise ValueError(
            f"floor {rules.floor} and cap {rules.cap} for {len(names)} desks: no shares within them add up to 1"
        )
    if current is None:
        return
    if set(current) != set(names):
        raise ValueError(f"current shares of {sorted(current)}: expected those of {sorted(names)}")
    if not all(math.isfinite(share) and share >= 0 for share in current.values()):
        raise ValueError(f"current shares {dict(current)}: expected finite numbers of 0 or more")
    if abs(sum(current.values()) - 1.0) > 1e-6:
        raise ValueError(f"current shares add up to {sum(current.values()):g}, expected 1")


def _rated(returns: FloatArray) -> tuple[float, float] | None:
    """Sharpe ratio and its standard error, per period."""
    series = np.asarray(returns, dtype=np.float64)
    ratio = sharpe_ratio(series)
    if ratio is None:
        return None
    skewness, kurtosis = moments(series)
    variance = 1.0 - skewness * ratio + 0.25 * (kurtosis - 1.0) * ratio * ratio
    return ratio, math.sqrt(max(variance, 1e-12) / (len(series) - 1))


def _heterogeneity(ratios: FloatArray, errors: FloatArray) -> tuple[float, float, float]:
    """p of one ratio for all, the spread of true ratios, and their weighted mean."""
    from scipy.stats import chi2

    precision = errors**-2.0
    mean = float(precision @ ratios / precision.sum())
    statistic = float(precision @ (ratios - mean) ** 2)
    freedom = len(ratios) - 1
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    spread = math.sqrt(max(0.0, (statistic - freedom) / scale)) if scale > 0 else 0.0
    weight = 1.0 / (errors**2 + spread**2)
    return float(chi2.sf(statistic, freedom)), spread, float(weight @ ratios / weight.sum())


def _known(rating: tuple[float, float] | None) -> DeskScore:
    ratio, error = rating if rating is not None else (None, None)
    return DeskScore(sharpe=ratio, error=error, shrunk=None, shrunk_error=None, score=None)


def _shrunk(rating: tuple[float, float] | None, centre: float, spread: float, caution: float) -> DeskScore:
    if rating is None:
        return _known(None)
    ratio, error = rating
    kept = spread**2 / (spread**2 + error**2)
    mean, deviation = centre + kept * (ratio - centre), math.sqrt(kept) * error
    return DeskScore(sharpe=ratio, error=error, shrunk=mean, shrunk_error=deviation, score=mean - caution * deviation)


def _bounded(weights: FloatArray, rules: AllocationRules) -> FloatArray:
    """``weights`` scaled so that they add up to 1 with each between floor and cap. Bisection on the scale."""
    low, high = 0.0, 2.0 / max(float(weights.min()), 1e-300)
    for _ in range(_MOST_ROUNDS):
        scale = math.sqrt(low * high) if low > 0 else high / 2**20
        total = float(np.clip(scale * weights, rules.floor, rules.cap).sum())
        low, high = (scale, high) if total < 1.0 else (low, scale)
        if low > 0 and high / low < 1 + 1e-13:
            break
    clipped = np.clip(high * weights, rules.floor, rules.cap)
    bounded: FloatArray = clipped / clipped.sum()
    return bounded


def _gain(
    held: Mapping[str, float],
    target: Mapping[str, float],
    scores: Mapping[str, DeskScore],
    returns: Mapping[str, FloatArray],
) -> float:
    """What a period of the target earns more than a period of what is held, by the shrunk ratios."""
    gain = 0.0
    for name, score in scores.items():
        if score.shrunk is not None:
            gain += (target[name] - held[name]) * score.shrunk * float(np.std(returns[name], ddof=1))
    return gain


def _settled(
    held: Mapping[str, float],
    target: Mapping[str, float],
    scores: Mapping[str, DeskScore],
    rules: AllocationRules,
    *,
    p_value: float | None,
    spread: float | None,
    why: str,
    gain: float | None = None,
) -> Allocation:
    """The shares after what moving costs: all the way, part of it, or not at all."""
    change = {name: target[name] - held[name] for name in target}
    turnover = sum(map(abs, change.values()))
    outside = any(not rules.floor - 1e-9 <= share <= rules.cap + 1e-9 for share in held.values())
    moved, reason = turnover > 1e-9, why
    if moved and gain is None and not outside:
        moved, reason = False, f"{why}; nothing speaks for a move"
    elif moved and gain is not None and gain <= rules.cost * turnover and not outside:
        moved, reason = False, f"{why}; the move would earn {gain:.5f} and cost {rules.cost * turnover:.5f}"
    share = min(1.0, rules.max_turnover / turnover) if moved else 0.0
    if moved and share < 1:
        reason = f"{why}; turnover is held to {rules.max_turnover:g}"
    return Allocation(
        weights={name: held[name] + share * change[name] for name in target},
        target=dict(target),
        scores=dict(scores),
        p_value=p_value,
        spread=spread,
        turnover=share * turnover,
        moved=moved and share > 0,
        reason=reason,
    )
