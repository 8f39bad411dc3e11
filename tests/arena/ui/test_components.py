"""Components show what is known as known and the rest as not known."""

from dataclasses import replace

import pytest

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.decisions import decision_entry, decision_feed
from arena.ui.components.desk_card import desk_card, desk_cards, ranked, spending
from arena.ui.components.header import status_line
from arena.ui.components.interval import shared_scale
from arena.ui.components.readout import sentences
from arena.ui.components.risk import desk_correlation, risk_by_desk, risk_facts
from arena.ui.components.standings import standings_table
from arena.ui.components.states import STALE_AFTER_MS, notice
from arena.ui.components.tables import position_list, trade_list
from arena.ui.figures import percent


def test_every_rule_based_desk_is_called_so(snapshot: FloorSnapshot) -> None:
    assert desk_cards(snapshot).count("rule-based, no LLM</span>") == len(snapshot.desks)
    assert standings_table(snapshot).count("tf-chip-rule") == len(snapshot.desks)


def test_a_language_model_has_no_chip_and_a_price(snapshot: FloorSnapshot) -> None:
    desk = replace(snapshot.desks[0], kind="llm", usd=41.2, llm_calls=2_160, models=(("analyst", "openai/gpt-5"),))
    card = desk_card(desk, shared_scale((desk,), None), snapshot.capital)
    assert "rule-based" not in card
    assert "openai/gpt-5" in card
    assert spending(desk).startswith("$41.20 on 2,160\u00a0calls")
    assert spending(replace(desk, usd=None)).startswith("n/a on")


def test_a_return_is_coloured_only_where_its_interval_excludes_zero(snapshot: FloorSnapshot) -> None:
    desk = replace(snapshot.desks[0], total_return=0.2, return_ci95=(0.02, 0.39))
    scale = shared_scale((desk,), snapshot.luck)
    assert "tf-gain" in desk_card(desk, scale, snapshot.capital)
    assert "tf-gain" not in desk_card(replace(desk, return_ci95=(-0.01, 0.39)), scale, snapshot.capital)
    assert "tf-gain" not in desk_card(replace(desk, return_ci95=None), scale, snapshot.capital)


def test_the_shared_scale_holds_everything_and_places_stay_inside(snapshot: FloorSnapshot) -> None:
    scale = shared_scale(snapshot.desks, snapshot.luck)
    for desk in snapshot.desks:
        assert desk.return_ci95 is not None
        assert scale.low < desk.return_ci95[0] < desk.return_ci95[1] < scale.high
    assert 0 <= scale.at(-99) < scale.at(0) < scale.at(99) <= 100


def test_cards_stand_in_rank_order(snapshot: FloorSnapshot) -> None:
    order = [desk.name for desk in ranked(snapshot.desks)]
    shown = desk_cards(snapshot)
    places = [shown.index(f">{name}</a></b>") for name in order]
    assert places == sorted(places)


def test_nothing_is_invented_before_the_first_round(empty_snapshot: FloorSnapshot) -> None:
    cards = desk_cards(empty_snapshot)
    assert "not enough data yet" in cards
    assert "no action yet" in cards
    assert "nan" not in cards.lower()
    assert "No decisions yet" in decision_feed(empty_snapshot)
    assert "No trades yet" in trade_list(empty_snapshot)
    assert "No open positions" in position_list(empty_snapshot)
    assert sentences(empty_snapshot) == [
        "Too few rounds for an interval: no desk's return can be told from chance yet."
    ]
    assert "n/a" in standings_table(empty_snapshot)


def test_an_abstention_has_a_name_and_is_no_hold(snapshot: FloorSnapshot) -> None:
    card = replace(snapshot.decisions[0], status="abstained", rationale="", abstain_reason="timed out", verdicts=())
    entry = decision_entry(card)
    assert "no answer" in entry
    assert "timed out" in entry
    assert ">held<" not in entry


def test_a_verdict_stands_open_where_the_gate_changed_something(snapshot: FloorSnapshot) -> None:
    card = next(card for card in snapshot.decisions if card.verdicts)
    line = replace(card.verdicts[0], ruling="refused", message="SOL would be 41 % of equity; the limit is 35 %.")
    refused = decision_entry(replace(card, verdicts=(line,)))
    assert '<details class="tf-more" data-key="' in refused
    assert '-v" open>' in refused
    assert "limit is 35 %" in refused
    allowed = decision_entry(replace(card, verdicts=(replace(line, ruling="allowed"),)))
    assert " open>" not in allowed


def test_tool_arguments_that_are_no_json_are_shown_as_they_came(snapshot: FloorSnapshot) -> None:
    card = snapshot.decisions[0]
    rubbish = replace(card, tools=(replace(card.tools[0], arguments_json="{not json"),))
    assert "get_candles({not json)" in decision_entry(rubbish)


@pytest.mark.parametrize(
    ("status", "tone", "words"),
    [
        ("halted", "halt", "halted"),
        ("failed", "failed", "error"),
        ("finished", "over", "over"),
        ("out of budget", "over", "budget ran out"),
        ("starting", "plain", "starting"),
    ],
)
def test_each_state_has_its_banner(snapshot: FloorSnapshot, status: str, tone: str, words: str) -> None:
    banner = notice(replace(snapshot, status=status), snapshot.published_ms)
    assert f"tf-banner-{tone}" in banner
    assert words in banner


def test_a_running_season_has_no_banner_until_it_is_stale(snapshot: FloorSnapshot) -> None:
    assert notice(snapshot, snapshot.published_ms + 1_000) == ""
    assert "tf-banner-warn" in notice(snapshot, snapshot.published_ms + STALE_AFTER_MS + 1)
    assert "tf-dot-warn" in status_line(snapshot, snapshot.published_ms + STALE_AFTER_MS + 1)


def test_the_header_says_what_kind_of_market_it_is(snapshot: FloorSnapshot) -> None:
    assert "SIMULATED" in status_line(snapshot, snapshot.published_ms)
    assert "REPLAY" in status_line(replace(snapshot, market="replay"), snapshot.published_ms)
    assert "PAPER" in status_line(None, 0)


def test_sentences_claim_no_more_than_the_intervals_allow(snapshot: FloorSnapshot) -> None:
    assert sentences(snapshot)[0] == "Every interval contains zero: no desk's return can be told from chance yet."
    sure = replace(snapshot.desks[0], return_ci95=(0.01, 0.1), tied_with=(), rank=1, rank_last=1)
    said = sentences(replace(snapshot, desks=(sure, *snapshot.desks[1:])))
    assert said[0].startswith("buyhold is above zero")
    assert "separably ahead" in said[1]


def test_risk_on_the_floor_adds_up(snapshot: FloorSnapshot, empty_snapshot: FloorSnapshot) -> None:
    equity = sum(desk.equity for desk in snapshot.desks)
    gross = sum(abs(position.value) for desk in snapshot.desks for position in desk.positions)
    assert percent(gross / equity, 0, signed=False) in risk_facts(snapshot)
    assert risk_by_desk(snapshot).count("<tr>") == len(snapshot.desks) + 1
    for view in (risk_facts, risk_by_desk, desk_correlation):
        assert "nan" not in view(empty_snapshot)
    assert "n/a" in risk_facts(empty_snapshot)
    assert "Not known yet" in desk_correlation(empty_snapshot)


def test_memory_that_is_lost_is_told_while_the_season_goes_on(snapshot: FloorSnapshot) -> None:
    lost = replace(snapshot, memory_lost="another process has it open")
    shown = notice(lost, lost.published_ms)
    assert "Trade memory is unavailable" in shown
    assert "Another process has it open." in shown
    assert "memory" not in notice(snapshot, snapshot.published_ms)
    assert "over" in notice(replace(lost, status="finished"), lost.published_ms)
    assert "&lt;b&gt;" in notice(replace(lost, memory_lost="<b>"), lost.published_ms)
