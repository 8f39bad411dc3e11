"""Lessons: rules of the form "in such a state, this much came of it", kept only if later data bear them out.

Evidence is counted in cells: stretches of a day and a horizon, of which decisions of the first day count, so that no
two cells look at the same hours. A rule becomes a candidate on the cells so far; the next cells alone confirm or reject
it, once, at a level that LOND (Javanmard & Montanari 2018) sets over all rules ever tested: the rate of false lessons
stays under RATE however many are tried. A confirmed lesson goes on being measured and retires when it no longer holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from memory.shelf import Shelf
from memory.state import COMPONENTS
from trading.domain.recollection import Lesson
from trading.stats import BoolArray, FloatArray, IntArray

DAY_MS = 86_400_000
RATE = 0.05
"""The rate of false lessons among those confirmed, in expectation."""

PROPOSE_CELLS = 6
CONFIRM_CELLS = 12
WATCH_CELLS = 8
_MIN_WATCHED = 5
_FORGOTTEN_CELLS = 60
_PROPOSE_T = 2.2
_GAMMA = 0.474
"""What makes the shares 1 / (k ln(k)^2), k = 2, 3 ..., of the level sum to one."""
_EXTREME = 1.0
"""A component beyond this is high, or low below minus this."""

_REGIMES = ("bull", "bear", "ranging", "volatile")


@dataclass(slots=True)
class _Rule:
    """One rule on its way: its cells in order of time, and how far it has come."""

    key: str
    words: str
    about: str
    cells: IntArray
    means: FloatArray
    episodes: int
    regimes: dict[str, float]
    status: str = "watched"
    side: int = 0
    proposed_at: int = -1
    decided_at: int = -1
    retired_at: int = -1
    p_value: float | None = None
    level: float | None = None
    reason: str = ""


@dataclass(slots=True)
class Rules:
    """Every rule that was ever a candidate, as of an instant."""

    cell_ms: int
    rules: list[_Rule] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many have each status."""
        found = dict.fromkeys(("candidate", "confirmed", "rejected", "retired"), 0)
        for rule in self.rules:
            found[rule.status] += 1
        return found

    def standing(self) -> list[Lesson]:
        """The confirmed ones that still hold, the strongest first."""
        return sorted((one for one in self.all() if one.status == "confirmed"), key=lambda one: -abs(one.effect))

    def all(self) -> list[Lesson]:
        """All of them with their records, in the order in which they were proposed."""
        return [self._lesson(rule) for rule in sorted(self.rules, key=lambda rule: (rule.proposed_at, rule.key))]

    def _lesson(self, rule: _Rule) -> Lesson:
        signed = rule.means * rule.side
        return Lesson(
            lesson_id=f"l-{rule.key}",
            rule=rule.words,
            about=rule.about,
            side=rule.side,
            status=rule.status,
            effect=float(rule.means.mean()),
            evidence_for=int((signed > 0).sum()),
            evidence_against=int((signed <= 0).sum()),
            episodes=rule.episodes,
            regimes=rule.regimes,
            p_value=rule.p_value,
            level=rule.level,
            proposed_ms=self._end_of(rule.proposed_at),
            confirmed_ms=self._end_of(rule.decided_at) if rule.status in ("confirmed", "retired") else None,
            retired_ms=self._end_of(rule.retired_at) if rule.status == "retired" else None,
            reason=rule.reason,
        )

    def _end_of(self, cell: int) -> int:
        return (cell + 1) * self.cell_ms


def last_cell(as_of_ms: int, horizon_ms: int) -> int:
    """The last cell that was over before ``as_of_ms``: lessons change from one to the next and not in between."""
    return (as_of_ms - 1) // cell_length(horizon_ms) - 1


def cell_length(horizon_ms: int) -> int:
    """Milliseconds of a cell: a day of decisions and the horizon of the last of them."""
    return DAY_MS + horizon_ms


def distil(shelves: Sequence[Shelf], as_of_ms: int, *, horizon_ms: int) -> Rules:
    """The rules that the episodes on ``shelves`` speak for or against, from cells that were over by then alone."""
    cell_ms = cell_length(horizon_ms)
    last = last_cell(as_of_ms, horizon_ms)
    watched = [rule for rule in _rules(shelves, as_of_ms, cell_ms, last) if rule.cells.size >= PROPOSE_CELLS]
    _go_through(watched, last)
    return Rules(cell_ms=cell_ms, rules=[rule for rule in watched if rule.status != "watched"])


def _rules(shelves: Sequence[Shelf], as_of_ms: int, cell_ms: int, last: int) -> Iterator[_Rule]:
    evidence = _Evidence.gather(shelves, as_of_ms, cell_ms, last)
    for about, values, chosen, cells in evidence.subjects():
        for key, words, holds in evidence.conditions():
            rows = chosen & holds
            if not rows.any():
                continue
            kept, mean = _by_cell(cells[rows], values[rows])
            regimes = {
                name: float(values[rows & (evidence.regimes == name)].mean())
                for name in _REGIMES
                if (rows & (evidence.regimes == name)).any()
            }
            yield _Rule(
                key=f"{about}-{key}",
                words=words,
                about=about,
                cells=kept,
                means=mean,
                episodes=int(rows.sum()),
                regimes=regimes,
            )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Columns of every episode that can be evidence; shapes (episodes,) and (episodes, components)."""

    states: NDArray[np.float32]
    regimes: NDArray[np.str_]
    sides: IntArray
    entered: BoolArray
    moves: FloatArray
    results: FloatArray
    decided_cell: IntArray
    closed_cell: IntArray
    in_first_day: BoolArray
    last: int

    @classmethod
    def gather(cls, shelves: Sequence[Shelf], as_of_ms: int, cell_ms: int, last: int) -> "_Evidence":
        """From every shelf what was known at the instant."""
        ends = [shelf.known_at(as_of_ms) for shelf in shelves]
        pairs = [(shelf, end) for shelf, end in zip(shelves, ends, strict=True) if end]
        empty = np.empty(0)
        episodes = [shelf.episodes[row] for shelf, end in pairs for row in range(end)]
        decided = np.concatenate([shelf.column("decided_ms", end) for shelf, end in pairs]) if pairs else empty
        closed = np.concatenate([shelf.column("closed_ms", end) for shelf, end in pairs]) if pairs else empty
        known = np.concatenate([shelf.known_states(end) for shelf, end in pairs]) if pairs else empty.astype(bool)
        moves = np.concatenate([shelf.moves(end, as_of_ms) for shelf, end in pairs]) if pairs else empty
        results = np.concatenate([shelf.results(end, as_of_ms) for shelf, end in pairs]) if pairs else empty
        states = (
            np.concatenate([shelf.states(end) for shelf, end in pairs])
            if pairs
            else np.empty((0, len(COMPONENTS)), np.float32)
        )
        realised = np.array([episode.kind == "realised" for episode in episodes], dtype=bool)
        return cls(
            states=states,
            regimes=np.array([episode.regime for episode in episodes], dtype=np.str_),
            sides=np.array([episode.side for episode in episodes], dtype=np.int64),
            entered=realised & np.isfinite(results) & known,
            moves=np.where(known, moves, np.nan),
            results=results,
            decided_cell=(decided // cell_ms).astype(np.int64),
            closed_cell=(closed // cell_ms).astype(np.int64),
            in_first_day=decided % cell_ms < DAY_MS,
            last=last,
        )

    def subjects(self) -> Iterator[tuple[str, FloatArray, BoolArray, IntArray]]:
        """What a rule can be about: name, values, which episodes count, and the cell of each."""
        moved = np.isfinite(self.moves) & self.in_first_day & (self.decided_cell <= self.last)
        yield "market", self.moves, moved, self.decided_cell
        closed = self.entered & (self.closed_cell <= self.last)
        for word, side in (("long", 1), ("short", -1)):
            yield f"own-{word}", self.results, closed & (self.sides == side), self.closed_cell

    def conditions(self) -> Iterator[tuple[str, str, BoolArray]]:
        """Every condition: key, words, and the episodes that it holds for."""
        for place, name in enumerate(COMPONENTS):
            column = self.states[:, place]
            yield f"{name}-high", f"{name} above {_EXTREME:g}", column > _EXTREME
            yield f"{name}-low", f"{name} below {-_EXTREME:g}", column < -_EXTREME
        for regime in _REGIMES:
            yield f"regime-{regime}", f"regime {regime}", self.regimes == regime


def _by_cell(cells: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    kept, inverse = np.unique(cells, return_inverse=True)
    return kept, np.bincount(inverse, weights=values) / np.bincount(inverse)


def _go_through(rules: Sequence[_Rule], last: int) -> None:
    """Every rule's life, cell by cell: tests come in order of time, so the levels depend on nothing later."""
    tests: list[tuple[int, str, _Rule, int]] = []
    for rule in rules:
        proposed = _propose(rule)
        if proposed is None:
            continue
        if proposed + CONFIRM_CELLS < rule.cells.size:
            at = proposed + CONFIRM_CELLS
            tests.append((int(rule.cells[at]), rule.key, rule, at))
    discoveries = 0
    for number, (cell, _, rule, at) in enumerate(sorted(tests, key=lambda test: test[:2]), start=1):
        share = _GAMMA / ((number + 1) * np.log(number + 1) ** 2)
        rule.level = float(RATE * share * (discoveries + 1))
        sample = rule.means[at - CONFIRM_CELLS + 1 : at + 1] * rule.side
        rule.p_value = one_sided_p(sample)
        rule.decided_at = cell
        if rule.p_value <= rule.level:
            discoveries += 1
            rule.status, rule.reason = "confirmed", f"held in {CONFIRM_CELLS} later stretches"
            _watch(rule, at, last)
        else:
            rule.status, rule.reason = "rejected", f"did not hold in {CONFIRM_CELLS} later stretches"


def _propose(rule: _Rule) -> int | None:
    """Position of the first cell at which the evidence leans far enough; the rule is a candidate from there on."""
    count = np.arange(1, rule.means.size + 1)
    mean = np.cumsum(rule.means) / count
    square = np.cumsum(rule.means**2) / count - mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / np.sqrt(np.maximum(square, 0.0) / np.maximum(count - 1, 1))
    t[: PROPOSE_CELLS - 1] = 0.0
    leaning = np.flatnonzero(np.abs(t) >= _PROPOSE_T)
    if not leaning.size:
        return None
    at = int(leaning[0])
    rule.status, rule.side, rule.proposed_at = "candidate", 1 if mean[at] > 0 else -1, int(rule.cells[at])
    rule.reason = f"waits for {CONFIRM_CELLS} later stretches"
    return at


def _watch(rule: _Rule, confirmed: int, last: int) -> None:
    """Retire a confirmed rule at the first cell at which it no longer holds, or when it has not been seen for long."""
    later = rule.means[confirmed + 1 :] * rule.side
    for end in range(_MIN_WATCHED, later.size + 1):
        recent = later[max(0, end - WATCH_CELLS) : end]
        if recent.mean() <= 0.0:
            rule.status, rule.retired_at = "retired", int(rule.cells[confirmed + end])
            rule.reason = f"no longer held over its last {recent.size} stretches"
            return
    if last - int(rule.cells[-1]) > _FORGOTTEN_CELLS:
        rule.status, rule.retired_at = "retired", int(rule.cells[-1]) + _FORGOTTEN_CELLS
        rule.reason = f"not seen for {_FORGOTTEN_CELLS} stretches"


def one_sided_p(sample: FloatArray) -> float:
    """p-value of Student's test that the mean is above zero; 1 for a sample without spread."""
    from scipy.special import stdtr

    spread = float(sample.std(ddof=1)) if sample.size > 1 else 0.0
    if spread <= 0.0:
        return 1.0
    t = float(sample.mean()) / (spread / np.sqrt(sample.size))
    return float(stdtr(sample.size - 1, -t))
