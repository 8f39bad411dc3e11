"""The panels beside the conversation: who is spoken to, how it stands, what waits, and who answers what."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from arena.battling import draw_duel
from arena.seasons.heard import Piece
from arena.seasons.proposals import Effect
from arena.seasons.snapshot import FloorSnapshot
from arena.ui.chat.answer import Answer
from arena.ui.chat.desk_now import chat_heading, desk_now
from arena.ui.chat.side_by_side import compared, desk_picker, duel_sheet, votes_so_far
from arena.ui.components.approval import waiting_panel
from arena.ui.components.edit_form import edit_form
from arena.ui.components.states import STALE_AFTER_MS, is_stale
from tests.arena.ui.hostile import PAYLOADS
from trading.domain import OrderType, Ruling, Side, TradeIntent
from trading.risk.approvals import Asked

MARKUP = ("<img", "<script", "<svg/", "<iframe", "<a href=javascript")


def asked(proposal: str = "p-1", *, desk: str = "momentum", rationale: str = "because") -> Asked:
    return Asked(
        run_id="run-1",
        proposal=proposal,
        decision_id="d-1",
        desk=desk,
        round_index=6,
        rulings=(),
        rationale=rationale,
        asked_ms=0,
        deadline_ms=221_000,
    )


EFFECT = Effect(
    intent=TradeIntent(instrument="SOL-USDT-PERP", side=Side.BUY, quantity=Decimal("2.40")),
    ruling=Ruling.RESIZED,
    message="Size cut: order value limit $260.",
    quantity=Decimal("2.05"),
    value=Decimal("255.64"),
    held=Decimal("-6.15"),
    after=Decimal("-4.10"),
    worst=Decimal("25.6"),
    fee=Decimal("0.1"),
)


def test_the_oldest_proposal_is_told_in_full_and_the_next_by_name() -> None:
    panel = waiting_panel([(asked(), [EFFECT]), (asked("p-2", desk="breakout"), [])], 0)
    for words in (
        "Buy back 2.05 SOL",
        "$255.64",
        "\N{MINUS SIGN}6.15 \N{RIGHTWARDS ARROW} \N{MINUS SIGN}4.1",
        "\N{MINUS SIGN}$25.60",
        "$0.10",
        "cut from 2.4",
        "order value limit $260",
        "expires in 3:41",
        "breakout, round 7",
    ):
        assert words in panel
    assert panel.count("data-proposal") == 1


def test_what_is_not_known_is_said_so() -> None:
    unknown = replace(EFFECT, value=None, held=None, after=None, worst=None, fee=None)
    assert waiting_panel([(asked(), [unknown])], 0).count(">n/a<") == 4
    assert "A proposal that cannot be read" in waiting_panel([(asked(), [None])], 0)
    assert "Nothing waits" in waiting_panel([], 0)


def test_a_late_proposal_and_a_halt_are_marked() -> None:
    assert "tf-late" not in waiting_panel([(asked(), [EFFECT])], 0)
    assert "expires in 0:09" in waiting_panel([(asked(), [EFFECT])], 212_000)
    assert "tf-late" in waiting_panel([(asked(), [EFFECT])], 212_000)
    assert "Trading is halted" in waiting_panel([(asked(), [EFFECT])], 0, halted=True)


def test_a_proposal_that_a_person_changed_says_so() -> None:
    change = {"by": "ada", "proposal": "p-0", "leg": 1, "instrument": "SOL-USDT-PERP", "name": "stop_loss"}
    changed = replace(asked(), changed=({**change, "old": "90", "new": None},))
    assert "ada changed SOL-USDT-PERP stop loss from 90 to none. The gate" in waiting_panel([(changed, [EFFECT])], 0)
    assert "The gate does not let" not in waiting_panel([(asked(), [EFFECT])], 0)


def test_the_fields_of_a_change_are_those_the_order_has() -> None:
    market = edit_form(replace(asked(), lots={"SOL-USDT-PERP": "0.01"}), [EFFECT])
    names = ("quantity", "limit_price", "trigger_price", "stop_loss", "take_profit", "drop")

    def shown(form: str) -> list[str]:
        return [name for name in names if f'name="{name}"' in form]

    assert shown(market) == ["quantity", "stop_loss", "take_profit"], "the only leg cannot be dropped"
    assert 'value="2.4"' in market, "what the desk asked for, not what the gate made of it"
    assert "in steps of 0.01" in market
    limit = replace(EFFECT.intent, order_type=OrderType.LIMIT, limit_price=Decimal("120.5"), reduce_only=True)
    both = edit_form(asked(), [replace(EFFECT, intent=limit), None, EFFECT])
    assert shown(both) == ["quantity", "limit_price", "stop_loss", "take_profit", "drop"]
    assert 'value="120.5"' in both
    assert ('data-leg="1"' in both, 'data-leg="2"' in both, 'data-leg="3"' in both) == (True, False, True)
    stop = replace(EFFECT.intent, order_type=OrderType.STOP, trigger_price=Decimal(90))
    assert shown(edit_form(asked(), [replace(EFFECT, intent=stop)])) == ["quantity", "trigger_price"]


def test_a_season_that_waits_for_people_is_not_called_stale(snapshot: FloorSnapshot) -> None:
    late_ms = snapshot.published_ms + STALE_AFTER_MS + 1
    assert is_stale(snapshot, late_ms)
    assert not is_stale(replace(snapshot, mode="conservative"), late_ms)


def test_the_heading_leads_to_every_desk(snapshot: FloorSnapshot) -> None:
    heading = chat_heading(snapshot, {"desk": "momentum"})
    assert all(f'href="/chat?desk={desk.name}"' in heading for desk in snapshot.desks)
    assert heading.count('aria-current="true"') == 1
    assert "rule-based, no LLM · knows every desk" in chat_heading(snapshot, {})
    assert "maker/&lt;b&gt;, by rule where it fails" in chat_heading(snapshot, {}, assistant="maker/<b>")
    assert "There is no desk" in chat_heading(snapshot, {"desk": "nobody"})
    assert "before its first round" in chat_heading(replace(snapshot, desks=()), {"desk": "momentum"})


def test_a_desk_stands_with_its_positions(snapshot: FloorSnapshot) -> None:
    desk = next(desk for desk in snapshot.desks if desk.positions)
    panel = desk_now(snapshot, {"desk": desk.name})
    assert f"{desk.name} now" in panel
    assert all(row.quantity.removeprefix("-") in panel for row in desk.positions)
    assert "The floor now" in desk_now(snapshot, {"desk": "nobody"})


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_stay_words(snapshot: FloorSnapshot, payload: str) -> None:
    desk = replace(snapshot.desks[0], name=payload)
    floor = replace(snapshot, desks=(desk, snapshot.desks[1]))
    answer: Any = Answer(by=payload, text=payload, failure=payload)
    change = {"by": payload, "leg": 1, "instrument": payload, "name": payload, "old": payload, "new": payload}
    hostile = replace(asked(payload, desk=payload, rationale=payload), changed=(change,), lots={payload: payload})
    panels = [
        chat_heading(floor, {"desk": payload}),
        chat_heading(replace(floor, desks=()), {"desk": payload}),
        desk_now(floor, {"desk": payload}),
        desk_picker(floor),
        compared(payload, [answer], floor),
        duel_sheet(draw_duel(floor, payload, Random(1)), [answer, answer], revealed=True),
        waiting_panel([(hostile, [replace(EFFECT, message=payload)])], 0),
        edit_form(hostile, [replace(EFFECT, intent=replace(EFFECT.intent, instrument=payload))]),
    ]
    for panel in panels:
        assert not any(markup in panel for markup in MARKUP)
        assert "\x1b" not in panel


def test_a_duel_names_nobody_before_the_vote(snapshot: FloorSnapshot) -> None:
    duel = draw_duel(snapshot, "Who are you?", Random(5))
    answers = [Answer(by=desk.name) for desk in duel.desks]
    for desk, answer in zip(duel.desks, answers, strict=True):
        answer.hear(Piece(text=f"{desk.name} is house/{desk.name}, {desk.name.upper()}."))
    hidden = duel_sheet(duel, answers, revealed=False)
    assert not any(desk.name in hidden.lower() for desk in duel.desks)
    revealed = duel_sheet(duel, answers, revealed=True)
    assert f"A was {duel.first.name}" in revealed
    assert "rule-based, no LLM" in revealed


def test_without_votes_the_table_says_so() -> None:
    assert "No votes" in votes_so_far(0, ())
