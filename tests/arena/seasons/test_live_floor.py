"""The live floor: a season that plays in the background, what is seen of it, and the switch over it."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arena import wiring
from arena.seasons import reporter
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor, opening_snapshot
from arena.seasons.rulefile import load_rules
from arena.seasons.rules import SeasonRules
from arena.seasons.snapshot import FloorSnapshot
from arena.seasons.standings import standings_document
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.risk import KillSwitch
from trading.storage.journal import read_events
from trading.storage.runs import RunFolder, Runs

SEASON = """
[season]
name = "live"
seed = 3
start = 2026-01-01T00:00:00Z
end = 2026-01-02T06:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "random"
model = "house/random"

[[desk]]
name = "buyhold"
model = "house/buyhold"

[[desk]]
name = "momentum"
model = "house/momentum"
"""
ROUNDS = 30


class FixedClock:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return 1_700_000_000_000


@pytest.fixture
def rules(tmp_path: Path) -> SeasonRules:
    path = tmp_path / "live.toml"
    path.write_text(SEASON, "utf-8")
    return load_rules(path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"home": tmp_path / "home"})


@pytest.fixture
def floor(settings: Settings) -> LiveFloor:
    return LiveFloor(KillSwitch(settings.home))


@pytest.fixture
def begin(rules: SeasonRules, settings: Settings, floor: LiveFloor) -> Iterator[Callable[..., BackgroundSeason]]:
    """Begins the season on the floor; what still plays at the end of the test is stopped."""
    begun: list[BackgroundSeason] = []

    def begin(*, round_s: float = 0.0, warmup_rounds: int = 0, on: LiveFloor = floor) -> BackgroundSeason:
        season = BackgroundSeason(rules, settings, on, round_s=round_s, warmup_rounds=warmup_rounds)
        begun.append(season)
        season.start()
        return season

    yield begin
    for season in begun:
        season.stop()


def wait_for(floor: LiveFloor, true: Callable[[FloorSnapshot], Any], timeout_s: float = 30) -> FloorSnapshot:
    """The first snapshot for which it is true; versions never go back on the way."""
    deadline, version = time.monotonic() + timeout_s, 0
    while time.monotonic() < deadline:
        snapshot = floor.snapshot()
        if snapshot is not None:
            assert snapshot.version >= version
            version = snapshot.version
            if true(snapshot):
                return snapshot
        time.sleep(0.005)
    raise AssertionError(f"it did not happen in time; the floor shows {floor.snapshot()}")


def only_run(settings: Settings) -> RunFolder:
    (run,) = Runs(settings.home).all()
    return run


def test_a_season_plays_to_its_end_and_the_floor_agrees_with_the_standings(
    begin: Any, floor: LiveFloor, settings: Settings
) -> None:
    begin()
    last = wait_for(floor, lambda snapshot: snapshot.status == "finished")
    document = standings_document(only_run(settings))
    assert last.run_id == document["run_id"]
    assert (last.round_index, last.rounds) == (ROUNDS, ROUNDS) == (document["rounds_done"], document["rounds"])
    assert last.market == document["market"]["kind"] == "simulated"
    assert last.as_of_ms == last.end_ms
    assert [card.name for card in last.desks] == [desk["desk"] for desk in document["desks"]]
    for card, desk in zip(last.desks, document["desks"], strict=True):
        assert (card.rank, card.rank_last, list(card.tied_with)) == (desk["rank"], desk["rank_last"], desk["tied_with"])
        assert card.equity == pytest.approx(float(desk["equity_end"]), abs=1e-9)
        assert card.total_return == pytest.approx(desk["return"], abs=1e-12)
        assert list(card.return_ci95 or ()) == (desk["return_ci95"] or [])
        assert card.max_drawdown == pytest.approx(desk["max_drawdown"])
        assert card.luck_percentile == desk["luck_percentile"]
        assert card.fees == pytest.approx(float(Decimal(desk["fees"])))
        assert card.turnover == pytest.approx(desk["turnover"])
        counts = ("decisions", "acted", "held", "abstained", "refused_intents", "llm_calls")
        for name in ("kind", "status", "usd", *counts):
            assert getattr(card, name) == desk[name]
        assert card.curve.ts_ms[0] == last.start_ms
        assert card.curve.ts_ms[-1] == last.end_ms
        assert card.curve.equity[-1] == card.equity
        assert len(card.curve.ts_ms) == len(card.curve.equity) == ROUNDS + 1
    assert len({card.tag for card in last.desks}) == len({card.slot for card in last.desks}) == 3
    assert sum(desk["fills"] for desk in document["desks"]) == len(last.trades)


def test_every_snapshot_on_the_way_is_whole(begin: Any, floor: LiveFloor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "PUBLISH_EVERY_S", 0.0)
    seen: list[FloorSnapshot] = []
    publish = LiveFloor.publish

    def kept(self: LiveFloor, snapshot: FloorSnapshot) -> None:
        publish(self, snapshot)
        shown = self.snapshot()
        assert shown is not None
        seen.append(shown)

    monkeypatch.setattr(LiveFloor, "publish", kept)
    begin()
    wait_for(floor, lambda snapshot: snapshot.status == "finished")
    assert [snapshot.version for snapshot in seen] == list(range(1, len(seen) + 1))
    assert len(seen) >= ROUNDS
    assert seen[0].status == "starting"
    assert seen[0].desks == ()
    at_work = [snapshot for snapshot in seen if snapshot.status == "running"]
    assert [snapshot.round_index for snapshot in at_work] == sorted(snapshot.round_index for snapshot in at_work)
    for snapshot in at_work:
        assert len(snapshot.desks) == 3
        assert snapshot.as_of_ms == snapshot.start_ms + snapshot.round_index * snapshot.step_ms
        assert all(card.decisions == snapshot.round_index + 1 for card in snapshot.desks)
        assert all(card.decisions == card.acted + card.held + card.abstained for card in snapshot.desks)
        stamps = [decision.ts_ms for decision in snapshot.decisions]
        assert stamps == sorted(stamps, reverse=True)
        assert {decision.desk for decision in snapshot.decisions} == {"random", "buyhold", "momentum"}
        assert all(decision.latency_ms > 0 for decision in snapshot.decisions)
        acted = [decision for decision in snapshot.decisions if decision.status == "acted"]
        assert all(decision.verdicts and decision.tools and decision.rationale for decision in acted)
        for trade in snapshot.trades:
            assert trade.decision_id, "each trade names the decision that led to it"


def test_stopped_and_begun_again_it_is_the_same_run_with_the_same_journal(
    begin: Any, floor: LiveFloor, settings: Settings, rules: SeasonRules, tmp_path: Path
) -> None:
    first = begin(round_s=0.05)
    before = wait_for(floor, lambda snapshot: snapshot.round_index >= 4)
    first.stop()
    stood = floor.snapshot()
    assert stood is not None
    assert stood.status == "interrupted"
    assert standings_document(only_run(settings))["status"] == "unfinished"

    other = LiveFloor(KillSwitch(settings.home))
    begin(on=other)
    again = wait_for(other, lambda snapshot: snapshot.desks)
    assert again.run_id == before.run_id
    assert again.round_index >= before.round_index, "it is seen where it was left, not from the start"
    wait_for(other, lambda snapshot: snapshot.status == "finished")

    alone = Settings.load({"home": tmp_path / "alone"})
    undisturbed = LiveFloor(KillSwitch(alone.home))
    BackgroundSeason(rules, alone, undisturbed, round_s=0, warmup_rounds=0).start()
    wait_for(undisturbed, lambda snapshot: snapshot.status == "finished")
    assert standings_document(only_run(settings))["journal"] == standings_document(only_run(alone))["journal"]


def test_the_pace_is_slow_after_the_warm_up_and_stopping_does_not_wait_for_it(begin: Any, floor: LiveFloor) -> None:
    season = begin(round_s=60.0, warmup_rounds=5)
    wait_for(floor, lambda snapshot: snapshot.round_index >= 4)
    time.sleep(0.3)
    snapshot = floor.snapshot()
    assert snapshot is not None
    assert snapshot.round_index <= 6
    started = time.monotonic()
    season.stop()
    assert time.monotonic() - started < 10


def test_a_halt_shows_at_once_and_holds_until_a_resume(begin: Any, floor: LiveFloor, settings: Settings) -> None:
    begin(round_s=0.03)
    before = wait_for(floor, lambda snapshot: snapshot.round_index >= 3)
    floor.halt("looked odd")
    shown = floor.snapshot()
    assert shown is not None
    assert (shown.status, shown.breaker, shown.halt_reason) == ("halted", "halted", "looked odd")
    assert shown.version > before.version
    halted = wait_for(floor, lambda snapshot: snapshot.round_index >= shown.round_index + 3)
    assert halted.status == "halted"
    assert {card.status for card in halted.desks} == {"halted"}
    floor.resume("it was the chart")
    resumed = floor.snapshot()
    assert resumed is not None
    assert (resumed.status, resumed.breaker, resumed.halt_reason) == ("running", "armed", None)
    last = wait_for(floor, lambda snapshot: snapshot.status == "finished")
    assert last.breaker == "armed"
    kinds = [stored.kind for stored in read_events(only_run(settings).journal)]
    between = kinds[kinds.index("halted") : kinds.index("resumed")]
    assert "ordered" not in between
    assert "decided" not in between
    assert all(card.decisions < ROUNDS for card in last.desks)


def test_a_season_begins_halted_where_everything_is_and_the_page_can_resume_it(
    begin: Any, floor: LiveFloor, settings: Settings
) -> None:
    KillSwitch(settings.home).halt("left over from yesterday")
    begin(round_s=0.03)
    shown = wait_for(floor, lambda snapshot: snapshot.desks)
    assert (shown.status, shown.halt_reason) == ("halted", "left over from yesterday")
    floor.resume("a new day")
    wait_for(floor, lambda snapshot: any(card.decisions for card in snapshot.desks))


def test_a_halt_from_another_terminal_is_seen(begin: Any, floor: LiveFloor, settings: Settings) -> None:
    begin(round_s=0.03)
    wait_for(floor, lambda snapshot: snapshot.round_index >= 2)
    KillSwitch(settings.home).halt("from elsewhere")
    shown = wait_for(floor, lambda snapshot: snapshot.status == "halted")
    assert shown.halt_reason == "from elsewhere"
    floor.resume("go on")


def test_what_is_wrong_with_the_run_is_shown(
    begin: Any, floor: LiveFloor, settings: Settings, rules: SeasonRules, caplog: pytest.LogCaptureFixture
) -> None:
    folder = wiring.open_run(wiring.prepare(rules, settings), settings)
    folder.journal.write_bytes(b"no journal at all" * 500)
    with caplog.at_level(logging.ERROR, logger="tradefloor"):
        begin()
        shown = wait_for(floor, lambda snapshot: snapshot.status == "failed")
    assert "not a readable journal" in shown.status_text
    assert shown.season == "live"
    assert "not a readable journal" in caplog.text


def test_an_error_of_ours_is_shown_without_its_inside_and_logged_with_it(
    begin: Any, floor: LiveFloor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("arena.seasons.feed.Feed.apply", fail)
    with caplog.at_level(logging.ERROR, logger="tradefloor"):
        begin()
        shown = wait_for(floor, lambda snapshot: snapshot.status == "failed")
    assert "secret inside" not in shown.status_text
    assert "secret inside" in caplog.text


def test_scores_that_cannot_be_made_do_not_stop_the_season(
    begin: Any, floor: LiveFloor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(reporter, "luck_band", fail)
    with caplog.at_level(logging.ERROR, logger="tradefloor"):
        begin()
        last = wait_for(floor, lambda snapshot: snapshot.status == "finished")
    assert last.luck is None
    assert all(card.decisions == ROUNDS for card in last.desks)
    assert "no luck" in caplog.text


@pytest.fixture
def opening(rules: SeasonRules, settings: Settings) -> FloorSnapshot:
    return opening_snapshot(wiring.prepare(rules, settings).setup)


def test_a_floor_without_a_season_shows_nothing_and_can_still_halt(settings: Settings, floor: LiveFloor) -> None:
    assert floor.snapshot() is None
    floor.fail("nobody saw it")
    floor.halt("early")
    assert floor.snapshot() is None
    assert KillSwitch(settings.home).state() is not None


def test_every_change_has_a_version_of_its_own(settings: Settings, opening: FloorSnapshot) -> None:
    floor = LiveFloor(KillSwitch(settings.home), FixedClock())
    versions = []
    for change in (
        lambda: floor.publish(opening),
        lambda: floor.publish(replace(opening, status="running")),
        lambda: floor.halt("a"),
        lambda: floor.resume("b"),
        lambda: floor.fail("c"),
    ):
        change()
        snapshot = floor.snapshot()
        assert snapshot is not None
        versions.append(snapshot.version)
        assert snapshot.published_ms == 1_700_000_000_000
    assert versions == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("status", ["finished", "failed", "interrupted"])
def test_a_season_that_is_over_stays_over_through_halt_and_resume(
    floor: LiveFloor, opening: FloorSnapshot, status: str
) -> None:
    floor.publish(replace(opening, status=status, status_text="over"))
    floor.halt("a")
    halted = floor.snapshot()
    assert halted is not None
    assert (halted.status, halted.breaker) == (status, "halted")
    floor.resume("b")
    resumed = floor.snapshot()
    assert resumed is not None
    assert (resumed.status, resumed.status_text, resumed.breaker) == (status, "over", "armed")


def test_a_snapshot_taken_before_a_resume_does_not_bring_the_halt_back(
    floor: LiveFloor, opening: FloorSnapshot
) -> None:
    floor.publish(opening)
    floor.halt("a")
    floor.resume("b")
    floor.publish(replace(opening, status="halted", breaker="halted", halt_reason="a"))
    shown = floor.snapshot()
    assert shown is not None
    assert (shown.status, shown.breaker, shown.halt_reason) == ("running", "armed", None)


def test_resuming_what_is_not_halted_is_refused(floor: LiveFloor, opening: FloorSnapshot) -> None:
    floor.publish(opening)
    with pytest.raises(RequestError, match="nothing is halted"):
        floor.resume("why not")
