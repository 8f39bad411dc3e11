"""A desk's own record agrees with the standings, and knows nothing of what comes after it."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.brief import Costs as StatedCosts
from agents.brief import RoundBrief
from agents.llm import Completion, CompletionRequest, complete
from arena import wiring
from arena.seasons.own_record import OwnRecords
from arena.seasons.rulefile import load_rules
from arena.seasons.runner import SeasonRun
from arena.seasons.scoring import score_season
from arena.seasons.tally import Tally
from arena.settings import Settings
from graphs import DeskGraph, DeskTeam, open_checkpoints
from trading.domain import iso, money_text
from trading.domain.event import Event, EventKind
from trading.engine import Engine
from trading.storage.journal import Journal, Telemetry

ROUNDS = 28
SEASON = """
[season]
name = "told"
seed = 5
start = 2026-01-01T00:00:00Z
end = 2026-01-02T04:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
step = "1h"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[limits]
max_order_fraction = 0.2

[[desk]]
name = "momentum"
model = "house/momentum"

[[desk]]
name = "random"
model = "house/random"
"""


@dataclass
class Played:
    """A season of two house desks that are told their records: its events and everything the models were sent."""

    events: list[Event] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    records: dict[tuple[str, str], Any] = field(default_factory=dict)
    by_desk: dict[tuple[str, str], Any] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        self.events.append(event)

    async def complete(self, request: CompletionRequest) -> Completion:
        text = request.messages[1]["content"]
        facts, record = (
            json.loads(part.split("\n</facts>")[0].split("\n", 1)[1]) for part in text.split("<facts ")[1:]
        )
        self.requests.append((facts["as_of"], request.metadata["role"], request.prompt_sha256))
        if record is not None:
            self.records[facts["as_of"], record["as_of"]] = record
            self.by_desk[facts["as_of"], request.model.removeprefix("house/")] = record
        return await complete(request)


def play(home: Path, *sets: str, after: int | None = None, shows_record: bool = True) -> Played:
    """Play the season; from bar ``after`` of its market on, prices take another course."""
    home.mkdir()
    (home / "season.toml").write_text(SEASON)
    prepared = wiring.prepare(load_rules(home / "season.toml", sets), Settings.load({"home": home}))
    if after is not None:
        start = prepared.tape.bars_known_at(prepared.setup.start_ms) + after
        for series in (prepared.tape.open, prepared.tape.high, prepared.tape.low, prepared.tape.close):
            series[:, start:] *= np.linspace(1.2, 3.0, series.shape[1] - start)
    played = Played()
    journal, telemetry = Journal(home / "journal.sqlite"), Telemetry(home / "telemetry.sqlite")
    engine = Engine(
        setup=prepared.setup, tape=prepared.tape, limits=prepared.limits, costs=prepared.costs, journal=journal
    )
    records = OwnRecords()
    engine.watch(played)
    engine.watch(records)
    teams = [
        DeskTeam(name=entrant.desk, models=entrant.models, seed=7, shows_record=shows_record)
        for entrant in prepared.setup.entrants
    ]
    run = SeasonRun(
        run_id="r",
        engine=engine,
        journal=journal,
        telemetry=telemetry,
        teams=teams,
        brief=RoundBrief(
            costs=StatedCosts(taker_fee_bps=4.5, maker_fee_bps=1.5, slippage_bps=2.0, latency_ms=250),
            mode="balanced",
            timeframe="1h",
            every="1h",
            instruments=tuple(prepared.setup.instruments),
        ),
        own_records=records,
    )
    with open_checkpoints(home / "checkpoints.sqlite") as checkpoints:
        asyncio.run(run.play(DeskGraph(None, "exit", complete=played.complete), checkpoints))
    telemetry.close()
    journal.close()
    return played


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Played:
    return play(tmp_path_factory.mktemp("season") / "home")


def fold(events) -> OwnRecords:
    records = OwnRecords()
    for event in events:
        records.apply(event)
    return records


def last_mark(events) -> int:
    """Where the events of the last round begin to be decided on."""
    return max(index for index, event in enumerate(events) if event.kind is EventKind.MARKED)


def test_record_is_told_as_of_the_round_and_nothing_later(played):
    assert len(played.records) == ROUNDS
    assert all(as_of == of_record for as_of, of_record in played.records)


def test_record_agrees_with_the_standings(played):
    end = last_mark(played.events)
    tally = Tally()
    for event in played.events[: end + 1]:
        tally.apply(event)
    records = fold(played.events[: end + 1])
    standings = score_season(tally.desk_records({}), tally.market_record(), rng=np.random.default_rng(1))
    for standing in standings:
        record = records.of(standing.desk)
        assert record["rounds"] == ROUNDS
        assert record["return"] == pytest.approx(standing.total_return, rel=1e-3, abs=1e-9)
        assert record["sharpe"] == pytest.approx(standing.sharpe, rel=1e-3)
        low, high = record["sharpe_ci95"]
        assert low < record["sharpe"] < high
        assert record["max_drawdown"] == pytest.approx(standing.max_drawdown, rel=1e-3)
        assert record["forecasts"]["brier"] == pytest.approx(standing.brier, rel=1e-3)
        assert record["costs"]["fees"] == money_text(standing.fees)
        assert record["decisions"]["held"] == standing.held
        assert record["costs"]["llm_usd"] == 0.0
        assert 0 < record["win_rate"] < 1
    assert records.of("random")["limits_hit"].get("max_order_fraction"), (
        "the gate spoke, and the desk is told how often"
    )


def test_another_future_changes_nothing_that_was_said_before(played, tmp_path):
    other = play(tmp_path / "other", after=20)
    first_to_see = iso(1_767_225_600_000 + 3_600_000 * 21)
    said = {request for request in played.requests if request[0] < first_to_see}
    assert len(said) > 21 * 2 * 4
    assert {request for request in other.requests if request[0] < first_to_see} == said
    assert set(other.requests) != set(played.requests), "the future did change"


@given(cut=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_a_resumed_run_is_told_the_same(played, cut):
    marks = [index for index, event in enumerate(played.events) if event.kind is EventKind.MARKED]
    end = marks[int(cut * (len(marks) - 1))]
    records = fold(played.events[: end + 1])
    as_of = iso(played.events[end].ts_ms)
    for desk in ("momentum", "random"):
        told = records.of(desk)
        assert told["as_of"] == as_of
        assert json.loads(json.dumps(told, allow_nan=False)) == told, "plain JSON values"
        if (as_of, desk) in played.by_desk:
            assert played.by_desk[as_of, desk] == told


def test_little_is_not_dressed_up_as_a_record(played):
    first = next(index for index, event in enumerate(played.events) if event.kind is EventKind.MARKED)
    told = fold(played.events[: first + 1]).of("momentum")
    assert told["rounds"] == 0
    for unknown in ("sharpe", "sharpe_ci95", "win_rate"):
        assert told[unknown] is None
    assert told["forecasts"]["brier"] is None
    assert told["return"] == 0.0


def test_price_that_is_not_known_makes_the_cost_unknown(played):
    events = list(played.events)
    called = next(index for index, event in enumerate(events) if event.kind is EventKind.MODEL_CALLED)
    payload = {**events[called].payload, "usd": None}
    events[called] = replace(events[called], payload=payload)
    assert fold(events).of(payload["desk"])["costs"]["llm_usd"] is None


def test_forecasts_of_a_fallback_are_not_the_desks(played):
    own = fold(played.events).of("momentum")["forecasts"]["closed"]
    lent = [
        replace(event, payload={**event.payload, "substituted": [["forecaster", "maker/other"]]})
        if event.kind is EventKind.DECIDED
        else event
        for event in played.events
    ]
    assert own > 0
    assert fold(lent).of("momentum")["forecasts"]["closed"] == 0


def test_without_the_switch_nothing_is_told(tmp_path):
    silent = play(tmp_path / "silent", "season.end=2026-01-01T02:00:00Z", shows_record=False)
    assert silent.requests
    assert silent.records == {}
