"""The kill switch thrown while a season plays: no order leaves, the clock goes on, a person resumes."""

import signal
from pathlib import Path
from typing import Any

import pytest

from trading.risk import KillSwitch
from trading.storage.journal import read_events

# Long, because rounds of a halted season take next to no time.
SEASON = """
[season]
name = "halting"
start = 2026-01-01T00:00:00Z
end = 2026-07-01T00:00:00Z
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
"""


@pytest.fixture
def season(tmp_path: Path) -> Path:
    path = tmp_path / "halting.toml"
    path.write_text(SEASON, "utf-8")
    return path


def events(home: Path) -> list[Any]:
    (journal,) = home.glob("runs/*/journal.sqlite")
    return [stored.event() for stored in read_events(journal)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_halt_from_another_process_stops_orders_until_a_resume(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = lab.fork("run", season, "--home", home, "--json")
    lab.wait_until(lambda: lab.rounds_on_record(home) >= 6)
    halted = lab.call("halt", "--reason", "a test", "--home", home)
    stood = lab.rounds_on_record(home)
    lab.wait_until(lambda: lab.rounds_on_record(home) >= stood + 6)
    resumed = lab.call("resume", "--reason", "tested", "--home", home)
    assert (halted.code, resumed.code) == (0, 0)
    lab.wait_until(lambda: "ordered" in _kinds_after(events(home), "resumed"), every_s=0.2)
    process.send_signal(signal.SIGTERM)
    assert process.ended().code == 130
    found = events(home)
    kinds = [event.kind for event in found]
    first, last = kinds.index("halted"), kinds.index("resumed")
    assert found[first].payload["reason"] == "a test"
    between = found[first:last]
    assert not [event for event in between if event.kind in ("ordered", "decided", "model_called")]
    assert sum(event.kind == "marked" for event in between) >= 5, "the clock goes on and marks"
    assert lab.call("journal", "verify", "--home", home).code == 0


def _kinds_after(found: list[Any], kind: str) -> list[str]:
    kinds = [event.kind for event in found]
    return kinds[kinds.index(kind) :] if kind in kinds else []


def test_a_season_that_ends_halted_says_so_with_its_exit_code(
    lab: Any, season: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch is thrown while a desk thinks: the gate refuses what it decides, later rounds decide nothing."""
    home = tmp_path / "home"
    _throw_during_round(monkeypatch, 0, home)
    said = lab.call("run", season, "--home", home, "--json", "--set", "season.end=2026-01-01T12:00:00Z")
    assert said.code == 4
    assert said.document["status"] == "halted"
    assert said.document["halt_reason"] == "thrown in the middle of a round"
    assert said.document["rounds_done"] == 12
    assert {desk["status"] for desk in said.document["desks"]} == {"halted"}
    assert "ended halted" in said.err.splitlines()[-1]
    found = events(home)
    opened = [number for number, event in enumerate(found) if event.kind == "round_opened"]
    assert not [event for event in found if event.kind == "ordered"]
    refusals = {event.payload["rule"] for event in found[: opened[1]] if event.kind == "ruled"}
    assert refusals == {"halted"}
    assert not [event for event in found[opened[1] :] if event.kind == "decided"]
    assert lab.call("run", season, "--home", home).code == 4, "a halted home starts nothing"
    assert "halted: thrown in the middle of a round\n" in lab.call("standings", "--home", home).out


def _throw_during_round(monkeypatch: pytest.MonkeyPatch, index: int, home: Path) -> None:
    from graphs import DeskGraph

    decide = DeskGraph.decide

    async def thrown(self: Any, team: Any, seat: Any) -> Any:
        if seat.round_index == index:
            KillSwitch(home).halt("thrown in the middle of a round")
        return await decide(self, team, seat)

    monkeypatch.setattr(DeskGraph, "decide", thrown)


def test_a_tripped_breaker_halts_its_run_only(lab: Any, season: Path, tmp_path: Path) -> None:
    """With a limit that any loss breaks, the arena's breaker trips; another season of the home may run."""
    home = tmp_path / "home"
    tight = ("--set", "limits.arena_drawdown='0.0001'", "--set", "season.end=2026-01-01T12:00:00Z")
    said = lab.call("run", season, "--home", home, "--json", *tight)
    assert said.code == 4
    assert "arena_drawdown" in said.document["halt_reason"]
    assert not list((home / "halts").iterdir()), "the latch of a run that is over is released"
    assert lab.call("run", season, "--home", home, "--set", "season.end=2026-01-01T02:00:00Z").code == 0
