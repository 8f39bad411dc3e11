"""The floor's assistant tells what the floor shows, cites decisions, and says that it is a rule."""

import asyncio
from dataclasses import replace

import pytest

from agents.talk import Said
from arena.seasons.assistant import INTRODUCTION, converse_with_floor
from arena.seasons.heard import Done, Failed, Heard, Piece
from arena.seasons.snapshot import FloorSnapshot


def heard(snapshot: FloorSnapshot | None, question: str) -> list[Heard]:
    async def listen() -> list[Heard]:
        return [event async for event in converse_with_floor(snapshot, [Said(by="user", text=question)])]

    return asyncio.run(listen())


def answer(snapshot: FloorSnapshot, question: str) -> str:
    *pieces, done = heard(snapshot, question)
    assert isinstance(done, Done)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == done.spoken.text
    assert all(f"[{card.decision_id}]" in done.spoken.text for card in done.spoken.decisions)
    return done.spoken.text


def test_it_tells_the_standings_with_their_intervals(snapshot: FloorSnapshot) -> None:
    said = answer(snapshot, "Who leads?")
    assert said.startswith(INTRODUCTION)
    assert all(desk.name in said for desk in snapshot.desks)
    assert "95 %" in said
    assert "not separably" in said


def test_asked_why_a_desk_traded_it_cites_the_decision(snapshot: FloorSnapshot) -> None:
    card = next(card for card in snapshot.decisions if card.status == "acted")
    said = answer(snapshot, f"Why did {card.desk.upper()} trade?")
    assert f"[{card.decision_id}]" in said
    assert card.rationale in said
    assert f"Gate: {card.verdicts[0].intent}: {card.verdicts[0].ruling}" in said


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What was traded?", "fee"),
        ("Is anything halted? What about risk", "Breaker: armed. Nothing is halted."),
        ("why", "Name a desk"),
        ("", "Season demo"),
    ],
)
def test_key_words_choose_what_is_told(snapshot: FloorSnapshot, question: str, words: str) -> None:
    assert words in answer(snapshot, question)


def test_a_halt_is_told_with_its_reason(snapshot: FloorSnapshot) -> None:
    halted = replace(snapshot, breaker="halted", halt_reason="ada asked for it")
    assert "Breaker: halted. ada asked for it" in answer(halted, "Is it halted?")


@pytest.mark.parametrize("empty", [True, False])
def test_before_the_season_it_says_so(snapshot: FloorSnapshot, empty: bool) -> None:
    (failed,) = heard(replace(snapshot, desks=()) if empty else None, "Who leads?")
    assert isinstance(failed, Failed)
    assert "has not begun" in str(failed.error)
