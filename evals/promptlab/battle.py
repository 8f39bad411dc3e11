"""Blind battles: a person prefers one of two decisions on the same state without knowing whose they are."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from evals.case import Case
from evals.scoring import Scorer
from trading.domain import Decision
from trading.domain.errors import RequestError
from trading.stats import Strength, strengths, wilson_interval

CHOICES = {"1": 1.0, "2": 0.0, "=": 0.5}
"""What a person may type, as the share of the first desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One vote: ``share`` is 1 where the ``first`` was preferred, 0 where the ``second`` was, one half for neither.

    ``at`` is the instant of the vote by the wall clock. The digests tell variants of one name apart.
    """

    at: str
    suite: str
    case_id: str
    first: str
    second: str
    first_sha256: str
    second_sha256: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A desk on the scale of all votes."""

    desk: str
    strength: Strength

    def to_json(self) -> dict[str, Any]:
        """The entry of ``desks``."""
        found = self.strength
        ends = None if found.ci95 is None else list(found.ci95)
        return {
            "desk": self.desk,
            "elo": found.elo,
            "log_odds": found.log_odds,
            "ci95": ends,
            "duels": found.duels,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketVerdict:
    """How often the person preferred the decision that the market paid more for, where both could be told."""

    agreed: int
    of: int

    def to_json(self) -> dict[str, Any]:
        """The entry of ``market``; the interval is Wilson's."""
        ends = wilson_interval(self.agreed, self.of)
        return {"agreed": self.agreed, "of": self.of, "ci95": None if ends is None else list(ends)}


def draw_duel(cases: Sequence[Case], desks: int, number: int, *, seed: int) -> tuple[Case, int, int]:
    """The case of the ``number``-th duel and which of the desks stand first and second in it: drawn, so neither side
    nor order tells anything. Raises RequestError for fewer than two desks or no case.
    """
    if desks < 2 or not cases:
        raise RequestError(f"a battle needs two desks and a case; found {desks} and {len(cases)}")
    rng = np.random.default_rng([seed, number])
    first, second = rng.choice(desks, size=2, replace=False)
    return cases[int(rng.integers(len(cases)))], int(first), int(second)


def shown(decision: Decision, hidden: Sequence[str]) -> list[str]:
    """A decision in lines for a person; the words in ``hidden`` (names of desks and models) are blotted out."""
    lines = [
        f"{intent.side.value} {intent.quantity} {intent.instrument}"
        + (f" at {intent.limit_price}" if intent.limit_price is not None else "")
        for intent in decision.intents
    ] or [f"abstains: {decision.abstain_reason}" if decision.abstain_reason else "holds"]
    lines += [
        f"expects {one.instrument}: up with {one.p_up:.0%}, {100 * one.q05:+.1f} to {100 * one.q95:+.1f} % in "
        f"{one.horizon_s // 3600} h"
        for one in decision.forecasts
    ]
    if decision.rationale:
        lines.append(f"“{' '.join(decision.rationale.split())}”")
    return [blotted(line, hidden) for line in lines]


def read_votes(path: Path) -> list[Vote]:
    """Every vote, oldest first. Raises RequestError for a file that is damaged."""
    if not path.is_file():
        return []
    votes = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            vote = Vote(**orjson.loads(line))
        except (ValueError, TypeError):
            raise RequestError(f"{path}: line {number} is no vote; put the file back as it was") from None
        if vote.share not in CHOICES.values():
            raise RequestError(f"{path}: line {number} has a share of {vote.share}, expected 0, 0.5 or 1")
        votes.append(vote)
    return votes


def add_vote(path: Path, vote: Vote) -> None:
    """Append a vote; none is ever changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(orjson.dumps(asdict(vote)) + b"\n")


def ratings(votes: Sequence[Vote], *, seed: int = 0) -> list[Rating]:
    """Bradley-Terry strengths of the desks that were voted on, strongest first."""
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    if len(names) < 2:
        return []
    place = {name: number for number, name in enumerate(names)}
    duels = [(place[vote.first], place[vote.second], vote.share) for vote in votes]
    found = strengths(duels, contestants=len(names), rng=np.random.default_rng(seed))
    rated = [Rating(desk=name, strength=one) for name, one in zip(names, found, strict=True)]
    return sorted(rated, key=lambda one: -one.strength.log_odds)


def market_verdict(
    votes: Sequence[Vote], scores: dict[tuple[str, str, str], float | None], scorer: Scorer
) -> MarketVerdict:
    """Votes against the outcome. ``scores`` holds the primary score by (suite, digest, case); draws on either side do
    not count."""
    agreed = of = 0
    for vote in votes:
        mine = scores.get((vote.suite, vote.first_sha256, vote.case_id))
        theirs = scores.get((vote.suite, vote.second_sha256, vote.case_id))
        if mine is None or theirs is None or mine == theirs or vote.share == CHOICES["="]:
            continue
        first_won = (mine > theirs) == bool(scorer.rises)
        of += 1
        agreed += first_won == (vote.share == CHOICES["1"])
    return MarketVerdict(agreed=agreed, of=of)


def blotted(line: str, hidden: Sequence[str]) -> str:
    """The line without the words, and without what stands after their last slash: models are called by both."""
    words = {part for word in hidden for part in (word, word.rpartition("/")[2]) if part}
    for word in sorted(words, key=len, reverse=True):
        line = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "▇▇▇", line, flags=re.IGNORECASE)
    return line
