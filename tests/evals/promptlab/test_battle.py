import math
from pathlib import Path

import numpy as np
import pytest

from evals.promptlab.battle import Vote, add_vote, draw_duel, market_verdict, ratings, read_votes, shown
from evals.scenarios import simulated_states
from evals.scorers.decisions import direction, edge
from trading.domain import Decision, DecisionStatus
from trading.domain.errors import RequestError

CASES = simulated_states(5)


def vote(first: str, second: str, share: float, case: str = "c") -> Vote:
    return Vote(
        at="2026-01-01T00:00:00Z",
        suite="decisions",
        case_id=case,
        first=first,
        second=second,
        first_sha256=first,
        second_sha256=second,
        share=share,
    )


def test_votes_are_appended_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "evals" / "votes.jsonl"
    cast = [vote("a", "b", 1.0), vote("b", "a", 0.5)]
    for one in cast:
        add_vote(path, one)
    assert read_votes(path) == cast


@pytest.mark.parametrize("line", ["rubbish", "{}", "[1]", '{"at": 1}', "\xff"])
def test_a_damaged_file_of_votes_is_refused_by_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "votes.jsonl"
    add_vote(path, vote("a", "b", 1.0))
    with path.open("ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    with pytest.raises(RequestError, match="line 2"):
        read_votes(path)


def test_a_share_that_nobody_can_vote_is_refused(tmp_path: Path) -> None:
    add_vote(tmp_path / "votes.jsonl", vote("a", "b", 0.7))
    with pytest.raises(RequestError, match=r"share of 0\.7"):
        read_votes(tmp_path / "votes.jsonl")


def test_strength_comes_back_from_many_votes() -> None:
    rng = np.random.default_rng(1)
    true = {"a": 1.0, "b": 0.0, "c": -1.0}
    votes = []
    for _ in range(900):
        first, second = rng.choice(list(true), 2, replace=False)
        wins = rng.random() < 1 / (1 + math.exp(true[second] - true[first]))
        votes.append(vote(str(first), str(second), float(wins)))
    found = ratings(votes)
    assert [one.desk for one in found] == ["a", "b", "c"]
    for one in found:
        assert one.strength.ci95
        assert one.strength.ci95[0] < true[one.desk] < one.strength.ci95[1]
    assert ratings([]) == []


def test_few_votes_have_no_interval() -> None:
    assert all(one.strength.ci95 is None for one in ratings([vote("a", "b", 1.0)] * 3))


def test_votes_are_held_against_the_market() -> None:
    votes = [vote("a", "b", 1.0), vote("a", "b", 0.0), vote("a", "b", 0.5), vote("a", "c", 1.0)]
    scores = {("decisions", "a", "c"): 10.0, ("decisions", "b", "c"): -5.0, ("decisions", "c", "c"): None}
    assert market_verdict(votes, scores, edge).to_json()["of"] == 2
    assert market_verdict(votes, scores, edge).agreed == 1
    assert market_verdict(votes[:1], scores, direction).agreed == 0  # there, less is better


def test_duels_are_drawn_between_two_desks_from_both_sides() -> None:
    drawn = [draw_duel(CASES, 3, number, seed=0) for number in range(200)]
    assert all(first != second for _, first, second in drawn)
    assert {(first, second) for _, first, second in drawn} == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert drawn[7] == draw_duel(CASES, 3, 7, seed=0)
    with pytest.raises(RequestError, match="two desks"):
        draw_duel(CASES, 1, 0, seed=0)


def test_names_of_desks_and_models_are_blotted_out() -> None:
    decision = Decision(
        decision_id="d",
        desk="kestrel",
        round_index=0,
        status=DecisionStatus.HELD,
        rationale="Rule-based (momentum). Kestrel holds, says house/momentum.",
    )
    text = "\n".join(shown(decision, ["kestrel", "house/momentum"]))
    assert "momentum" not in text
    assert "kestrel" not in text.lower()
    assert "holds" in text
