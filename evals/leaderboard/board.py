"""From seasons to ranks: every pair of desks on the instants that both played, corrected for their number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.leaderboard.entry import Entry, Pair, SuiteMeasures
from evals.leaderboard.measures import entry_of
from evals.leaderboard.season import DAY_MS, PlayedSeason
from evals.records import DeskRecord
from trading.domain.instants import iso, parse_instant, to_ms
from trading.stats import (
    FloatArray,
    holm,
    optimal_block_length,
    p_values,
    percentile_interval,
    resampled_sums,
    resamples_needed,
)

ALPHA = 0.05
MIN_DAYS = 14.0
MIN_DECISIONS = 100
MOST_UNITS = 1500
"""Longer histories are summed up to units of time of at most so many, so that resampling stays quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which seasons count. Instants are ISO 8601: seasons that begin ``after`` and end ``before`` them."""

    kind: str | None = None
    season: str | None = None
    regime: str | None = None
    after: str | None = None
    before: str | None = None

    def keeps(self, played: PlayedSeason) -> bool:
        """Whether the season counts."""
        return (
            (self.kind is None or played.kind == self.kind)
            and (self.season is None or played.season == self.season)
            and (self.regime is None or played.regime == self.regime)
            and (self.after is None or played.first_ms >= to_ms(parse_instant(self.after)))
            and (self.before is None or played.last_ms <= to_ms(parse_instant(self.before)))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The leaderboard: entries best rank first, all pairs, and how many configurations were ever tried."""

    as_of: str | None
    kinds: tuple[str, ...]
    trials: int
    unit_ms: int
    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    runs: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The document of ``leaderboard --json``."""
        return {
            "as_of": self.as_of,
            "market_kinds": list(self.kinds),
            "simulated": "simulated" in self.kinds,
            "trials": self.trials,
            "unit_s": self.unit_ms // 1000,
            "minimum": {"days": MIN_DAYS, "decisions": MIN_DECISIONS},
            "runs": list(self.runs),
            "desks": [entry.to_json() for entry in self.entries],
            "pairs": [pair.to_json() for pair in self.pairs],
        }


def leaderboard(
    seasons: Sequence[PlayedSeason],
    *,
    trials: int,
    suites: Mapping[str, SuiteMeasures] | None = None,
    filters: Filters | None = None,
    rng: np.random.Generator,
) -> Board:
    """Rank the desks of ``seasons``.

    A desk is known by its name; ``trials`` is how many different configurations were ever run, whatever became of them.
    A season that was repeated with the same outcome counts once, and seasons on one market are averaged. All pairs are
    tested on joint stationary resamples of the instants that both played, and corrected by Holm: rank = 1 + desks that
    are significantly better. Desks below the minimum sample take no part.
    """
    chosen = _once_each([played for played in seasons if filters is None or filters.keeps(played)])
    unit_ms = _unit(chosen)
    record, sampling, luck = rng.spawn(3)
    names = sorted({desk.name for played in chosen for desk in played.desks})
    played_by = {name: [one for one in chosen if _find(one, name) is not None] for name in names}
    ranked = [name for name in names if why_unranked(played_by[name], name) is None]
    growth = _growth(chosen, ranked, unit_ms)
    places, pairs, draws = _test(ranked, growth, unit_ms, sampling)
    entries = []
    for name, stream, matching in zip(names, record.spawn(len(names)), luck.spawn(len(names)), strict=True):
        mine = [(played, desk) for played in played_by[name] if (desk := _find(played, name)) is not None]
        rank, tied = places.get(name, (None, ()))
        entries.append(
            entry_of(
                name,
                mine,
                rank=rank,
                tied_with=tied,
                unranked=why_unranked(played_by[name], name),
                draws=draws.get(name),
                unit_ms=unit_ms,
                trials=trials,
                suites=(suites or {}).get(name, SuiteMeasures()),
                rng=stream,
                matching=matching,
            )
        )
    entries.sort(key=lambda entry: (entry.rank is None, entry.rank or 0, -entry.return_, entry.desk))
    return Board(
        as_of=iso(max(played.last_ms for played in chosen)) if chosen else None,
        kinds=tuple(sorted({played.kind for played in chosen})),
        trials=trials,
        unit_ms=unit_ms,
        entries=tuple(entries),
        pairs=tuple(pairs),
        runs=tuple(played.run_id for played in chosen),
    )


def why_unranked(played: Sequence[PlayedSeason], name: str) -> str | None:
    """What a desk's sample lacks for a rank, None when it has enough."""
    days = sum({one.market_id: one.days for one in played}.values())
    decisions = sum(desk.decisions for one in played if (desk := _find(one, name)) is not None)
    if days < MIN_DAYS:
        return f"{days:.1f} days, {MIN_DAYS:g} are needed"
    if decisions < MIN_DECISIONS:
        return f"{decisions} decisions, {MIN_DECISIONS} are needed"
    return None


def _find(played: PlayedSeason, name: str) -> DeskRecord | None:
    return next((desk for desk in played.desks if desk.name == name), None)


def _once_each(seasons: Sequence[PlayedSeason]) -> list[PlayedSeason]:
    seen = {(played.content, played.head): played for played in reversed(seasons)}
    kept = {id(played) for played in seen.values()}
    return [played for played in seasons if id(played) in kept]


def _unit(seasons: Sequence[PlayedSeason]) -> int:
    """The unit of time: the longest step between marks, or as long as it takes to have few enough units."""
    if not seasons:
        return DAY_MS
    step = max(played.market.step_ms for played in seasons)
    marks = sum((played.last_ms - played.first_ms) // step + 1 for played in seasons)
    return step * max(1, -(-marks // MOST_UNITS))


Growth = Mapping[str, Mapping[tuple[str, int], float]]
"""Log growth of each desk by market and unit of time, averaged over the seasons on that market."""


def _growth(seasons: Sequence[PlayedSeason], names: Sequence[str], unit_ms: int) -> Growth:
    found: dict[str, dict[tuple[str, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    begins: dict[str, int] = {}
    for played in seasons:
        units = np.unique(played.units(unit_ms))
        # Under a mask a market has other dates: it goes by those of its first season.
        moved = begins.setdefault(played.market_id, int(units[0])) - int(units[0])
        for name in names:
            desk = _find(played, name)
            if desk is not None:
                for unit, value in zip(units, played.growth(desk, unit_ms).tolist(), strict=True):
                    found[name][played.market_id, int(unit) + moved].append(value)
    return {name: {key: float(np.mean(values)) for key, values in rows.items()} for name, rows in found.items()}


def _test(
    names: Sequence[str], growth: Growth, unit_ms: int, rng: np.random.Generator
) -> tuple[dict[str, tuple[int, tuple[str, ...]]], list[Pair], dict[str, tuple[FloatArray, FloatArray]]]:
    """Ranks and ties, all pairs, and each desk's draws of (growth, sum of squares), all on the same resamples."""
    if not names:
        return {}, [], {}
    keys = sorted({key for name in names for key in growth[name]}, key=lambda key: (key[1], key[0]))
    rows = np.array([[growth[name].get(key, np.nan) for key in keys] for name in names])
    there = np.isfinite(rows)
    filled = np.where(there, rows, 0.0)
    first, second = np.triu_indices(len(names), k=1)
    both = there[first] & there[second]
    gaps = np.where(both, filled[first] - filled[second], 0.0)
    length = max(
        [optimal_block_length(row[mask]) for row, mask in zip(rows, there, strict=True) if mask.sum() > 2] or [1.0]
    )
    sums = resampled_sums(
        np.vstack([filled, filled**2, gaps]), resamples=resamples_needed(len(names)), block_length=length, rng=rng
    )
    count = len(names)
    grown, squares, spread = sums[:, :count], sums[:, count : 2 * count], sums[:, 2 * count :]
    observed = gaps.sum(axis=1)
    raw = p_values(observed, spread) if len(observed) else np.empty(0)
    enough = both.sum(axis=1) * unit_ms >= MIN_DAYS * DAY_MS
    adjusted = holm(np.where(enough, raw, 1.0))
    better = np.zeros((count, count), np.bool_)
    better[first, second] = (adjusted <= ALPHA) & (observed > 0)
    better[second, first] = (adjusted <= ALPHA) & (observed < 0)
    places = {
        name: (
            1 + int(better[:, me].sum()),
            tuple(names[other] for other in range(count) if other != me and not better[me, other] | better[other, me]),
        )
        for me, name in enumerate(names)
    }
    pairs = [
        Pair(
            first=names[int(a)],
            second=names[int(b)],
            difference=float(observed[at]),
            ci95=percentile_interval(spread[:, at]),
            p_value=float(adjusted[at]),
            days=float(both[at].sum() * unit_ms / DAY_MS),
        )
        for at, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    return places, pairs, {name: (grown[:, me], squares[:, me]) for me, name in enumerate(names)}
