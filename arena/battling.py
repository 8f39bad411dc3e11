"""Blind battles on the floor: two hidden desks answer one question, and a person says which answer is better.

Votes lie with those of ``lab battle``, under a suite of their own: the market cannot judge an answer.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from agents.talk import spokesman_spec
from arena.seasons.snapshot import DeskCard, FloorSnapshot
from evals.promptlab.battle import CHOICES, Rating, Vote, add_vote, ratings, read_votes
from prompts import load_prompt
from trading.domain.errors import RequestError
from trading.domain.instants import iso

SUITE = "talk"
"""The suite under which votes on answers are kept."""

_VOTES = "votes.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """A question and the two desks that answer it, in the order in which they are shown."""

    question: str
    first: DeskCard
    second: DeskCard

    @property
    def desks(self) -> tuple[DeskCard, DeskCard]:
        """Both, first and second."""
        return self.first, self.second

    @property
    def hidden(self) -> tuple[str, ...]:
        """The words that would tell whose answer it is."""
        return tuple(word for desk in self.desks for word in (desk.name, *(model for _, model in desk.models)))


def draw_duel(snapshot: FloorSnapshot | None, question: str, rng: Random) -> Duel:
    """Two desks of the floor, drawn, so that neither side nor order tells anything.

    Raises RequestError where there are fewer than two.
    """
    desks = () if snapshot is None else snapshot.desks
    if len(desks) < 2:
        raise RequestError(f"a battle needs two desks; the floor has {len(desks)}")
    first, second = rng.sample(desks, 2)
    return Duel(question=question, first=first, second=second)


def cast_vote(folder: Path, duel: Duel, choice: str, *, now_ms: int) -> Vote:
    """Keep a vote in the ``folder`` of the eval harness. ``choice`` is ``"1"``, ``"2"`` or ``"="``.

    Raises RequestError for another one.
    """
    if choice not in CHOICES:
        raise RequestError(f"found {choice[:40]!r}, expected 1, 2 or =")
    vote = Vote(
        at=iso(now_ms),
        suite=SUITE,
        case_id=f"q-{hashlib.sha256(duel.question.encode()).hexdigest()[:16]}",
        first=duel.first.name,
        second=duel.second.name,
        first_sha256=_digest(duel.first),
        second_sha256=_digest(duel.second),
        share=CHOICES[choice],
    )
    add_vote(folder / _VOTES, vote)
    return vote


def talk_ratings(folder: Path) -> tuple[int, Sequence[Rating]]:
    """How many votes there are on answers, and the strength of every desk that was voted on, strongest first."""
    path = folder / _VOTES
    return _rated(path, path.stat().st_size) if path.is_file() else (0, ())


@lru_cache(maxsize=4)
def _rated(path: Path, _size: int) -> tuple[int, Sequence[Rating]]:
    """The file only grows, so its size tells one state of it from another."""
    votes = [vote for vote in read_votes(path) if vote.suite == SUITE]
    return len(votes), ratings(votes)


def _digest(desk: DeskCard) -> str:
    """What a desk's answers depend on: its models, and the prompt of whoever speaks for it."""
    said = [desk.name, sorted(desk.models), load_prompt(spokesman_spec().prompt).sha256]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
