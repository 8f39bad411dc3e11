"""Blind battles: drawn fairly, kept with the votes of the laboratory, and counted there."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from arena.battling import SUITE, cast_vote, draw_duel, talk_ratings
from arena.commands.battle import show_results
from arena.seasons.snapshot import FloorSnapshot
from evals.promptlab.battle import read_votes
from trading.domain.errors import RequestError


def test_either_desk_stands_first_and_every_desk_is_drawn(snapshot: FloorSnapshot) -> None:
    rng = Random(1)
    pairs = {(duel.first.name, duel.second.name) for duel in (draw_duel(snapshot, "q", rng) for _ in range(2_000))}
    assert len(pairs) == 8 * 7


@pytest.mark.parametrize("desks", [None, 0, 1])
def test_a_battle_needs_two_desks(snapshot: FloorSnapshot, desks: int | None) -> None:
    floor = None if desks is None else replace(snapshot, desks=snapshot.desks[:desks])
    with pytest.raises(RequestError, match="needs two desks"):
        draw_duel(floor, "q", Random(1))


def test_votes_are_kept_and_rated(snapshot: FloorSnapshot, tmp_path: Path) -> None:
    duel = draw_duel(snapshot, "Which trend?", Random(3))
    assert talk_ratings(tmp_path) == (0, ())
    for choice in ("1", "1", "="):
        cast_vote(tmp_path, duel, choice, now_ms=0)
    votes = read_votes(tmp_path / "votes.jsonl")
    assert [vote.share for vote in votes] == [1.0, 1.0, 0.5]
    assert {(vote.suite, vote.first, vote.second) for vote in votes} == {(SUITE, duel.first.name, duel.second.name)}
    assert votes[0].first_sha256 != votes[0].second_sha256
    counted, rated = talk_ratings(tmp_path)
    assert counted == 3
    assert [one.desk for one in rated] == [duel.first.name, duel.second.name], "the one that was preferred is first"


@pytest.mark.parametrize("choice", ["", "3", "A", "<script>"])
def test_rubbish_is_no_vote(snapshot: FloorSnapshot, tmp_path: Path, choice: str) -> None:
    with pytest.raises(RequestError, match="expected 1, 2 or ="):
        cast_vote(tmp_path, draw_duel(snapshot, "q", Random(1)), choice, now_ms=0)
    assert not list(tmp_path.iterdir())


def test_words_that_would_tell_are_known(snapshot: FloorSnapshot) -> None:
    duel = draw_duel(snapshot, "q", Random(1))
    assert {duel.first.name, duel.second.name, f"house/{duel.first.name}"} <= set(duel.hidden)


def test_the_table_of_the_laboratory_counts_them(
    snapshot: FloorSnapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    duel = draw_duel(snapshot, "q", Random(1))
    cast_vote(tmp_path / "evals", duel, "2", now_ms=0)
    show_results(home=tmp_path, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["votes"] == 1
    assert [one["desk"] for one in found["desks"]] == [duel.second.name, duel.first.name]
    assert found["market"] == {}, "the market cannot judge an answer"
