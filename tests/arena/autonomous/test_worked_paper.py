"""Orders that are worked on a market that is followed: fills as in a replay, halts, and what came too late."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from arena import wiring
from arena.settings import Settings
from tests.arena.autonomous.followed import MINUTE_MS, Follower, rules_of
from trading.domain import DecisionStatus, EventKind, ExecutionStyle, Side, TradeIntent
from trading.ledger.audit import audit_journal
from trading.risk import KillSwitch
from trading.storage.journal import read_verified

BTC = "BTC-USDT-PERP"
RULES = rules_of(rounds=40, desks=("random",), every="10m")


def works(run):
    """Has the desk ask for a twap over twenty minutes in its first round, and for nothing else."""
    submit = run.engine.submit

    def instead(decision, **more):
        wanted = ()
        if decision.round_index == 0:
            wanted = (
                TradeIntent(
                    instrument=BTC,
                    side=Side.BUY,
                    quantity=Decimal("0.1"),
                    style=ExecutionStyle.TWAP,
                    window_s=1200,
                ),
            )
        status = DecisionStatus.ACTED if wanted else DecisionStatus.HELD
        stated = replace(decision, status=status, intents=wanted, superseded=(), abstain_reason=None, confidence=None)
        return submit(stated, **more)

    run.engine.submit = instead


class Working(Follower):
    """A follower whose desk works orders."""

    def open_market(self, engine, journal):
        works(type("Run", (), {"engine": engine}))
        return super().open_market(engine, journal)


def of_kind(events, kind):
    return [event for event in events if event.kind is kind]


def fills(events):
    names = ("price", "quantity", "fee", "ts_ms", "parent_id")
    return [tuple(event.payload[name] for name in names) for event in of_kind(events, EventKind.FILLED)]


def replayed(home):
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(RULES, settings)
    folder = wiring.open_run(prepared, settings)

    async def play():
        async with wiring.season_run(prepared, folder, settings) as playable:
            works(playable.run)
            await playable.play()

    asyncio.run(play())
    return [stored.event() for stored in read_verified(folder.journal)]


def test_parts_fill_on_paper_as_in_a_replay_and_are_durable_between_rounds(tmp_path):
    recorded = replayed(tmp_path / "replay")
    paper = Working(RULES, tmp_path / "paper")
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    assert len(fills(events)) == 20
    assert fills(events) == fills(recorded)
    assert of_kind(events, EventKind.WORK_ENDED) == []
    assert len(of_kind(events, EventKind.QUIET)) > 12, "a part is on record as soon as its bar has closed"
    assert audit_journal(paper.folder.journal).problem is None


def test_what_was_due_while_a_desk_was_thinking_left_at_its_time(tmp_path):
    paper = Working(RULES, tmp_path)

    def on_round(index):
        if index == 0:
            paper.timer.jump(paper.simulated.setup.start_ms + 6 * MINUTE_MS + 500)

    assert asyncio.run(paper.play(on_round)) == "finished"
    events = paper.events()
    start = paper.simulated.setup.start_ms
    sent = [(e.payload["sent_ms"] - start) // MINUTE_MS for e in of_kind(events, EventKind.ORDERED)]
    assert sent == list(range(20))
    assert of_kind(events, EventKind.WORK_ENDED) == []


@pytest.mark.parametrize("halted", [False, True])
def test_what_was_due_while_the_process_was_gone_or_halted_never_leaves(tmp_path, halted):
    paper = Working(RULES, tmp_path)

    def on_round(index):
        if index == 0:
            paper.run.stop()

    assert asyncio.run(paper.play(on_round)) == "interrupted"
    before = paper.events()
    start = paper.simulated.setup.start_ms
    if halted:
        KillSwitch(tmp_path).halt("a person")
    paper.timer.jump(start + 7 * MINUTE_MS + 1_500)
    assert asyncio.run(paper.play()) == "finished"
    events = paper.events()
    assert events[: len(before)] == before
    sent = [(e.payload["sent_ms"] - start) // MINUTE_MS for e in of_kind(events, EventKind.ORDERED)]
    (ended,) = of_kind(events, EventKind.WORK_ENDED)
    if halted:
        assert sent == [0]
        assert "halted" in (ended.payload["reason"] + ended.payload.get("rule", ""))
    else:
        assert sent[0] == 0
        assert sent[1] > 3, "nobody was there to send those before"
        assert sent[1:] == list(range(sent[1], 20))
        assert ended.payload["reason"] == "parts were due while none could leave"
    total = sum(Decimal(e.payload["quantity"]) for e in of_kind(events, EventKind.ORDERED))
    assert total + Decimal(ended.payload["left"]) == Decimal("0.1")
    assert audit_journal(paper.folder.journal).problem is None
