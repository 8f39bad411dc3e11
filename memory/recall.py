"""What a desk can recall at an instant: the nearest earlier decisions, and how they went, as it was known by then."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from memory.chronicle import Chronicle
from memory.embedding import hashed
from memory.episode import Episode
from memory.lessons import Rules, distil
from memory.plans import open_plans
from memory.record import counts_of, record_of
from memory.shelf import Shelf
from memory.state import State, as_row, regime_of
from trading.domain.recollection import (
    EpisodeCount,
    EpisodeOutcome,
    Estimate,
    Lesson,
    OpenPlan,
    RecalledEpisode,
    Recollection,
    TradeRecord,
)
from trading.stats import FloatArray

COMPARABLE = 0.7
"""Similarity below which two states have nothing to say to each other: a typical pair has about 0.4."""

SHORTLIST = 400
SAMPLE = 20
"""So many episodes at most stand behind the statistics of a recollection."""

_TEXT_WEIGHT, _RECENCY_WEIGHT, _REGIME_WEIGHT = 0.2, 0.02, 0.03
_HALF_LIFE_ROUNDS = 720
_STUDENT_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
                2.131, 2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip
"""Student's t at 97.5 % for 1 to 20 degrees of freedom, from any table."""


@dataclass(frozen=True, slots=True)
class _Found:
    score: float
    similarity: float
    shelf: Shelf
    row: int


class Shelves:
    """The shelves of all desks of a run, and of earlier runs that were declared."""

    def __init__(self, *, horizon_ms: int, every_ms: int, shared: bool = False) -> None:
        self.horizon_ms = horizon_ms
        self.every_ms = every_ms
        self._shared = shared
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def add(self, episode: Episode, *, source: str = "") -> None:
        """Put a new episode on its desk's shelf. ``source`` names the earlier run it comes from, if any."""
        self._shelves.setdefault((episode.desk, source), Shelf()).add(episode)

    def update(self, episode: Episode) -> None:
        """Take in what has become known of an episode of this run."""
        self._shelves[episode.desk, ""].update(episode)

    def visible_to(self, desk: str) -> list[Shelf]:
        """The desk's own shelves, and where memory is shared everyone's."""
        return [self._shelves[key] for key in sorted(self._shelves) if self._shared or key[0] == desk]

    def similar(
        self, desk: str, instrument: str, state: State | None, *, as_of_ms: int, text: str = "", count: int = 5
    ) -> Recollection:
        """The nearest episodes that lie apart in time, nearest first; none where nothing is comparable."""
        shelves = self.visible_to(desk)
        ends = [shelf.known_at(as_of_ms) for shelf in shelves]
        found: list[_Found] = []
        if state is not None:
            for shelf, end in zip(shelves, ends, strict=True):
                found += self._scored(shelf, end, state, as_of_ms, text)
        apart = self._apart(sorted(found, key=lambda one: (-one.score, one.shelf.episodes[one.row].episode_id)))
        return Recollection(
            instrument=instrument,
            regime=None if state is None else regime_of(state),
            horizon_ms=self.horizon_ms,
            considered=sum(ends),
            comparable=len(apart),
            episodes=tuple(recalled(one.shelf.episodes[one.row], one.similarity, as_of_ms) for one in apart[:count]),
            move=estimate([_move(one, as_of_ms) for one in apart]),
            own=estimate([_own(one, as_of_ms) for one in apart]),
        )

    def _scored(self, shelf: Shelf, end: int, state: State, as_of_ms: int, text: str) -> Iterable[_Found]:
        rows, distance = shelf.nearest(as_row(state), end, SHORTLIST)
        similarity = np.exp(-0.5 * distance)
        near = similarity >= COMPARABLE
        rows, similarity = rows[near], similarity[near]
        episodes = [shelf.episodes[row] for row in rows]
        age = (as_of_ms - shelf.column("decided_ms", end)[rows]) / (self.every_ms * _HALF_LIFE_ROUNDS)
        same = np.array([episode.regime == regime_of(state) for episode in episodes], dtype=np.float64)
        score = similarity + _RECENCY_WEIGHT * np.exp2(-age) + _REGIME_WEIGHT * same
        if text and episodes:
            score = score + _TEXT_WEIGHT * _likeness(text, [episode.text for episode in episodes])
        for row, like, points in zip(rows.tolist(), similarity.tolist(), np.round(score, 9).tolist(), strict=True):
            yield _Found(points, like, shelf, row)

    def _apart(self, ranked: Sequence[_Found]) -> list[_Found]:
        """The best of each stretch of one horizon, at most SAMPLE: neighbours in time would count one thing twice."""
        taken: list[int] = []
        kept = []
        for one in ranked:
            decided = one.shelf.episodes[one.row].decided_ms
            if all(abs(decided - other) >= self.horizon_ms for other in taken):
                taken.append(decided)
                kept.append(one)
            if len(kept) == SAMPLE:
                break
        return kept

    def lessons(self, desk: str, as_of_ms: int) -> Rules:
        """What the episodes visible to a desk teach, as of an instant."""
        return distil(self.visible_to(desk), as_of_ms, horizon_ms=self.horizon_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskMemory:
    """The memory of one desk as of one instant: what its tools are handed. Every answer is from before ``as_of_ms``."""

    desk: str
    as_of_ms: int
    states: Callable[[], dict[str, State | None]]
    shelves: Shelves
    chronicle: Chronicle
    lessons_of: Callable[[str, int], Rules]

    def similar(self, symbols: Sequence[str], text: str, count: int) -> list[Recollection]:
        """One recollection an instrument, by its state now."""
        states = self.states()
        return [
            self.shelves.similar(self.desk, symbol, states.get(symbol), as_of_ms=self.as_of_ms, text=text, count=count)
            for symbol in symbols
        ]

    def lessons(self) -> list[Lesson]:
        """Lessons that were confirmed on later data and still stand, the strongest first."""
        return self.lessons_of(self.desk, self.as_of_ms).standing()

    def lesson_counts(self) -> dict[str, int]:
        """How many rules are candidates, confirmed, rejected, retired."""
        return self.lessons_of(self.desk, self.as_of_ms).counts()

    def record(self) -> list[TradeRecord]:
        """The desk's closed positions by instrument and side, and by regime."""
        return record_of(self._own(), self.as_of_ms)

    def counts(self) -> list[EpisodeCount]:
        """How many decisions of each kind are remembered."""
        return counts_of(self._own(), self.as_of_ms)

    def plans(self) -> list[OpenPlan]:
        """What the open positions were opened for."""
        return list(open_plans(self.chronicle, self.desk))

    def _own(self) -> Iterable[Episode]:
        return (one for one in self.chronicle.episodes if one.desk == self.desk and one.decided_ms < self.as_of_ms)


def recalled(episode: Episode, similarity: float, as_of_ms: int) -> RecalledEpisode:
    """An episode as it may be shown at ``as_of_ms``: an outcome only if it had closed before."""
    outcome = None
    if episode.closed_ms < as_of_ms and episode.net_return is not None:
        outcome = EpisodeOutcome(
            kind=episode.kind,
            net_return=episode.net_return,
            pnl=episode.pnl,
            closed_ms=episode.closed_ms,
            lesson=episode.reflection,
            insight=(episode.insight or None) if episode.insight_ms < as_of_ms else None,
        )
    return RecalledEpisode(
        episode_id=episode.episode_id,
        decision_id=episode.decision_id,
        event_seq=episode.seq,
        event_hash=episode.event_hash,
        desk=episode.desk,
        instrument=episode.instrument,
        status=episode.status,
        side=episode.side,
        regime=episode.regime,
        decided_ms=episode.decided_ms,
        similarity=round(similarity, 6),
        text=episode.text,
        outcome=outcome,
        move=episode.move if episode.moved_ms < as_of_ms else None,
    )


def estimate(values: Iterable[float | None]) -> Estimate | None:
    """Mean and Student's interval of the known ones among at most SAMPLE + 1 ``values``; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    n, mean = len(known), math.fsum(known) / len(known)
    ci95 = None
    if n >= 3:
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (n - 1) / n)
        margin = _STUDENT_975[min(n - 1, len(_STUDENT_975)) - 1] * spread
        ci95 = (mean - margin, mean + margin)
    return Estimate(n=n, mean=mean, ci95=ci95, share_positive=sum(value > 0 for value in known) / n)


def _move(one: _Found, as_of_ms: int) -> float | None:
    episode = one.shelf.episodes[one.row]
    return episode.move if episode.moved_ms < as_of_ms else None


def _own(one: _Found, as_of_ms: int) -> float | None:
    episode = one.shelf.episodes[one.row]
    return episode.net_return if episode.closed_ms < as_of_ms and episode.kind == "realised" else None


def _likeness(text: str, others: Sequence[str]) -> FloatArray:
    """Cosine of the hashed words of ``text`` with those of each of ``others``."""
    vectors = hashed([text, *others]).astype(np.float64)
    found: FloatArray = vectors[1:] @ vectors[0]
    return found
