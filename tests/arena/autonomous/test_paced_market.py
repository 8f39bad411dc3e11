"""A season on a followed market: fills as in a replay, journals that hold the market, restarts, what is missing."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arena import wiring
from arena.settings import Settings
from tests.arena.autonomous.followed import MINUTE_MS, Follower, as_paper, rules_of
from tests.trading.markets import MemoryJournal
from trading.domain import EventKind, OrderType, Side, TradeIntent
from trading.domain.market import Bar
from trading.engine import Engine, run_strategy
from trading.ledger.audit import audit_journal
from trading.marketdata.growing import GrowingTape, grown_event
from trading.risk import KillSwitch
from trading.storage.journal import read_verified

ROOT = Path(__file__).parents[3]
FILL = ("desk", "instrument", "side", "price", "quantity", "fee", "liquidity")


def fills(events):
    return [(e.ts_ms, *(e.payload[name] for name in FILL)) for e in events if e.kind is EventKind.FILLED]


def replayed(rules, home):
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(rules, settings)
    folder = wiring.open_run(prepared, settings)

    async def play():
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()

    asyncio.run(play())
    return [stored.event() for stored in read_verified(folder.journal)]


def test_backtest_replay_and_paper_fill_alike(tmp_path):
    rules = rules_of(rounds=40, desks=("momentum",))
    recorded = replayed(rules, tmp_path / "replay")
    paper = Follower(rules, tmp_path / "paper")
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    found = fills(events)
    assert len(found) >= 3
    assert found == fills(recorded)
    assert found == fills(backtested(paper.simulated, events))
    assert audit_journal(paper.folder.journal).problem is None


def backtested(simulated, events):
    """The decisions on record as a strategy over the same tape; the events of its backtest."""
    wanted = {}
    for event in events:
        if event.kind is EventKind.INTENDED:
            wanted.setdefault(event.ts_ms, []).append(intent_of(event.payload))
    # A strategy is asked after each bar of its season, so its season begins a bar before the first round.
    setup = replace(simulated.setup, start_ms=simulated.setup.start_ms - MINUTE_MS)
    journal = MemoryJournal()
    engine = Engine(
        setup=setup,
        tape=simulated.tape,
        limits=simulated.limits,
        costs=simulated.costs,
        journal=journal,
        mode=simulated.mode,
    )
    engine.open_season()
    run_strategy(engine, "momentum", lambda cursor: wanted.get(cursor.as_of_ms))
    engine.close_season()
    return journal.events


def intent_of(payload):
    return TradeIntent(
        instrument=payload["instrument"],
        side=Side(payload["side"]),
        quantity=Decimal(payload["quantity"]),
        order_type=OrderType(payload["order_type"]),
        limit_price=None if payload["limit_price"] is None else Decimal(payload["limit_price"]),
        reduce_only=payload["reduce_only"],
    )


def test_the_record_alone_gives_the_market_again(tmp_path):
    paper = Follower(rules_of(rounds=12), tmp_path)
    asyncio.run(paper.play())
    tape = as_paper(paper.simulated).tape
    for event in paper.events():
        tape.apply(event)
    told = paper.simulated.tape
    assert len(tape) == 1000 + 12
    assert tape.open_ms.tolist() == told.open_ms[: len(tape)].tolist()
    assert tape.close.tolist() == told.close[:, : len(tape)].tolist()


@pytest.mark.parametrize("stop_after", [0, 4, 11])
def test_a_new_process_goes_on_and_what_was_missed_is_said(tmp_path, stop_after):
    paper = Follower(rules_of(rounds=20), tmp_path)
    done = []

    def on_round(index):
        done.append(index)
        if index == stop_after:
            paper.run.stop()

    assert asyncio.run(paper.play(on_round)) == "interrupted"
    before = paper.events()
    start = paper.simulated.setup.start_ms
    paper.timer.jump(start + (stop_after + 4) * MINUTE_MS + 1_500)
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    assert events[: len(before)] == before
    rounds = [event.payload for event in events if event.kind is EventKind.ROUND_OPENED]
    assert [row["round"] for row in rounds] == [*range(20), 20]
    missed = [row["round"] for row in rounds if "missed" in row]
    assert missed == list(range(stop_after + 1, stop_after + 4))
    decided = {event.ts_ms for event in events if event.kind is EventKind.DECIDED}
    assert not decided & {start + index * MINUTE_MS for index in missed}
    assert len(decided) == 20 - len(missed)
    grown = [at for e in events if e.kind is EventKind.TAPE_GREW for at in e.payload["open_ms"]]
    assert grown == list(range(start - 1000 * MINUTE_MS, start + 20 * MINUTE_MS, MINUTE_MS))
    assert audit_journal(paper.folder.journal).problem is None


def test_a_lost_bar_stays_lost_and_an_unheard_one_is_asked_for(tmp_path):
    paper = Follower(rules_of(rounds=10), tmp_path)
    start = paper.simulated.setup.start_ms
    paper.source.unheard = lambda symbol, at: symbol.startswith("BTC") and at == start + 2 * MINUTE_MS
    paper.source.lost = lambda symbol, at: symbol.startswith("ETH") and at == start + 5 * MINUTE_MS
    assert asyncio.run(paper.play()) == "finished"
    rows = {}
    for event in paper.events():
        if event.kind is EventKind.TAPE_GREW and event.ts_ms > start:
            rows |= dict.fromkeys(event.payload["open_ms"], event.payload["bars"])
    assert rows[start + 2 * MINUTE_MS]["BTC-USDT-PERP"][0] is not None
    assert rows[start + 5 * MINUTE_MS]["ETH-USDT-PERP"] == [None]
    assert paper.source.asked >= 4


def test_what_is_not_heard_is_not_traded(tmp_path):
    rules = rules_of(rounds=14, desks=("momentum", "meanrev", "random"))
    paper = Follower(rules, tmp_path)
    start = paper.simulated.setup.start_ms
    gone = range(start + 4 * MINUTE_MS, start + 9 * MINUTE_MS)
    paper.source.down = lambda now: now in gone
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    noted = [(e.payload["instrument"], e.payload["feed_lost"]) for e in events if e.kind is EventKind.CONDITION_NOTED]
    assert noted == [
        ("BTC-USDT-PERP", True),
        ("ETH-USDT-PERP", True),
        ("BTC-USDT-PERP", False),
        ("ETH-USDT-PERP", False),
    ]
    ordered = {e.ts_ms for e in events if e.kind is EventKind.ORDERED}
    assert ordered
    assert not [at for at in ordered if start + 5 * MINUTE_MS <= at < start + 9 * MINUTE_MS]
    refused = {e.payload["rule"] for e in events if e.kind is EventKind.RULED and e.payload["ruling"] == "refused"}
    assert "sequence_gap" in refused


def test_a_halt_between_rounds_flattens_without_a_round(tmp_path):
    rules = rules_of(rounds=12, every="6m", end="2026-01-05T00:30:00Z")
    paper = Follower(rules, tmp_path)
    switch, start = KillSwitch(tmp_path), paper.simulated.setup.start_ms
    thrown_at = start + 20 * MINUTE_MS + 30_000
    stale = paper.source.stale

    def throw_then(*_):
        if paper.timer.now_ms() >= thrown_at and not switch.standing():
            switch.halt("a test", flatten=True)
        return stale()

    paper.source.forget = lambda _before: throw_then() and None
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    halted = next(e for e in events if e.kind is EventKind.HALTED)
    assert halted.payload["flatten"] is True
    assert halted.ts_ms % (6 * MINUTE_MS) != 0
    closing = [e for e in events if e.kind is EventKind.ORDERED and e.payload["origin"] == "flatten"]
    assert closing
    assert {e.ts_ms for e in closing} == {halted.ts_ms}
    assert not [e for e in events if e.kind is EventKind.ORDERED and e.ts_ms > halted.ts_ms]
    report = audit_journal(paper.folder.journal)
    assert report.problem is None
    assert all(not account.positions for account in report.ledger.accounts.values())


def test_bars_of_the_past_are_refused():
    tape = GrowingTape.empty(["BTC-USDT"], MINUTE_MS, source="paper")
    row = {"BTC-USDT": [bar(0)]}
    tape.apply(grown_event(MINUTE_MS, row, MINUTE_MS))
    with pytest.raises(ValueError, match="final up to"):
        tape.apply(grown_event(2 * MINUTE_MS, row, MINUTE_MS))
    with pytest.raises(ValueError, match="had not closed"):
        tape.apply(grown_event(MINUTE_MS, {"BTC-USDT": [bar(MINUTE_MS)]}, MINUTE_MS))
    with pytest.raises(ValueError, match="not in order"):
        grown_event(MINUTE_MS, {"BTC-USDT": [bar(0), bar(0)]}, MINUTE_MS)
    assert len(tape) == 1


def bar(open_ms):
    return Bar(open_ms=open_ms, open=1.0, high=2.0, low=0.5, close=1.5, volume=3.0)


@pytest.mark.slow
def test_a_process_that_is_killed_is_taken_up_where_its_record_ends(tmp_path):
    command = [sys.executable, "-m", "tests.arena.autonomous.killed", str(tmp_path), "20"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 6:
                process.kill()
                break
    paper = Follower(rules_of(rounds=20), tmp_path)
    before = paper.events()
    assert before[0].kind is EventKind.SEASON_OPENED
    paper.timer.jump(paper.simulated.setup.start_ms + 12 * MINUTE_MS)
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    assert events[: len(before)] == before
    opened = [event.payload["round"] for event in events if event.kind is EventKind.ROUND_OPENED]
    assert opened == list(range(21))
    orders = [event.payload["order_id"] for event in events if event.kind is EventKind.ORDERED]
    assert len(orders) == len(set(orders))
    assert audit_journal(paper.folder.journal).problem is None
