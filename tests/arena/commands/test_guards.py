"""What guards a season: stops that the engine keeps, a look at the markets, alerts that somebody must answer."""

import ast
from pathlib import Path
from typing import Any

import pytest

from trading.storage.journal import read_events

ROOT = Path(__file__).parents[3]

SEASON = """
[season]
name = "guarded"
seed = 11
start = 2026-01-01T00:00:00Z
end = 2026-01-02T12:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "buyhold"
model = "house/buyhold"

[[desk]]
name = "voltarget"
model = "house/voltarget"
"""


@pytest.fixture
def season(tmp_path: Path) -> Path:
    return written(tmp_path, "")


def written(folder: Path, tables: str) -> Path:
    path = folder / "guarded.toml"
    path.write_text(SEASON + tables, "utf-8")
    return path


def events(home: Path) -> list[Any]:
    (journal,) = home.glob("runs/*/journal.sqlite")
    return [stored.event() for stored in read_events(journal)]


def of_kind(found: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in found if event.kind == kind]


def test_stops_of_a_season_are_the_engines_own(lab: Any, tmp_path: Path) -> None:
    season, home = written(tmp_path, "[stops]\nstop = 1.0\ntrail = 1.0\n"), tmp_path / "home"
    said = lab.call("run", season, "--home", home, "--json")
    assert said.code == 0, said.err
    found = events(home)
    kept = [order for order in of_kind(found, "ordered") if order["origin"] == "protection"]
    assert kept
    assert "stop" in {order["order_type"] for order in kept}
    assert not [intent for intent in of_kind(found, "intended") if intent.get("stop_loss")], "no model asked for one"
    filled = {fill["order_id"] for fill in of_kind(found, "filled")}
    assert filled & {order["order_id"] for order in kept}, "one of them closed a position"
    opened = [number for number, event in enumerate(found) if event.kind == "round_opened"]
    first = next(number for number, event in enumerate(found) if event.kind == "filled")
    next_round = next(number for number in opened if number > first)
    after = found[next_round : next(number for number in opened if number > next_round)]
    assert [e for e in after if e.kind == "ordered" and e.payload["origin"] == "protection"], "placed within a round"
    assert lab.call("journal", "verify", "--home", home).code == 0
    assert lab.call("journal", "export", "--home", home, "--to", tmp_path / "out").code == 0


def test_a_season_looks_at_its_markets_only_where_it_says_so(lab: Any, season: Path, tmp_path: Path) -> None:
    short = ("--set", "season.end=2026-01-01T04:00:00Z", "--json")
    assert lab.call("run", season, "--home", tmp_path / "plain", *short).code == 0
    assert not of_kind(events(tmp_path / "plain"), "condition_noted")
    watching = written(tmp_path, "[breakers]\nwatch_market = true\n")
    assert lab.call("run", watching, "--home", tmp_path / "watched", *short).code == 0
    notes = of_kind(events(tmp_path / "watched"), "condition_noted")
    assert {note["instrument"] for note in notes} == {"BTC-USDT-PERP", "ETH-USDT-PERP"}
    assert all(0 <= note["volatility_rank"] <= 1 and 0 <= note["anomaly"] <= 1 for note in notes)
    assert not any(note["feed_lost"] for note in notes)


def test_a_breach_is_told_and_halts_everything_when_nobody_answers(lab: Any, tmp_path: Path) -> None:
    """One desk is halted for repeating itself; nobody acknowledges the alert, so a second later all are."""
    season, home = written(tmp_path, '[alerts]\nescalate_after = "1s"\n'), tmp_path / "home"
    long = ("--set", "season.end=2026-02-15T00:00:00Z", "--set", "limits.max_repeats=1")
    said = lab.call("run", season, "--home", home, "--json", *long)
    assert said.code == 4, said.err
    assert said.document["halt_reason"].startswith("nobody answered for 1 s: ")
    found = events(home)
    (trip, *_) = of_kind(found, "breaker_tripped")
    assert (trip["rule"], trip["over"]) == ("max_repeats", "desk")
    waiting = lab.call("alerts", "list", "--home", home, "--json").document["alerts"]
    assert any("max_repeats" in alert["text"] and alert["is_critical"] for alert in waiting)
    assert "max_repeats" in (home / "alerts.jsonl").read_text("utf-8"), "the second channel"
    kinds = [event.kind for event in found]
    assert "ordered" not in kinds[kinds.index("halted") :]


def test_without_the_table_nobody_is_told(lab: Any, season: Path, tmp_path: Path) -> None:
    short = ("--set", "season.end=2026-01-01T12:00:00Z", "--set", "limits.max_repeats=1", "--json")
    assert lab.call("run", season, "--home", tmp_path / "home", *short).code == 0
    assert of_kind(events(tmp_path / "home"), "breaker_tripped")
    assert not (tmp_path / "home" / "alerts.jsonl").exists()


def test_no_answer_of_a_model_lets_a_halted_desk_go_on(lab: Any, season: Path, tmp_path: Path) -> None:
    """Control 8: the desk goes on deciding with all its tools, every order is refused, and only a person resumes."""
    home = tmp_path / "home"
    assert lab.call("run", season, "--home", home, "--json", "--set", "limits.max_repeats=1").code == 0
    found = events(home)
    tripped = next(number for number, event in enumerate(found) if event.kind == "breaker_tripped")
    desk, later = found[tripped].payload["scope"], found[tripped:]
    assert len([payload for payload in of_kind(later, "decided") if payload["desk"] == desk]) > 20
    assert len([payload for payload in of_kind(later, "tool_called") if payload["desk"] == desk]) > 50
    assert not [payload for payload in of_kind(later, "ordered") if payload["desk"] == desk]
    assert not of_kind(later, "resumed")


@pytest.mark.parametrize("room", ["tools", "agents", "graphs", "prompts", "memory"])
def test_nothing_that_a_model_reaches_can_name_what_only_people_use(room: str) -> None:
    """The switch, the limits, the alerts and the proposals are out of reach of every tool and every role."""
    closed = {"kill_switch", "limit_board", "limit_bus", "alerts", "approvals", "KillSwitch", "LimitBoard", "AlertDesk"}
    looked = 0
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = {*(node.module or "").split("."), *(alias.name for alias in node.names)}
            elif isinstance(node, ast.Import):
                names = {part for alias in node.names for part in alias.name.split(".")}
            else:
                continue
            looked += 1
            assert not names & closed, f"{path}: {names & closed}"
    assert looked


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("stops.stop=0", "stops.stop"),
        ("stops.stop=nan", "stops.stop"),
        ("stops.furthest=0.001", "nearest"),
        ("stops.stpo=1", "did you mean stop?"),
        ("breakers.watch_market=1", "breakers.watch_market"),
        ("alerts.escalate_after=soon", "alerts.escalate_after"),
    ],
)
def test_rubbish_is_refused_by_key(lab: Any, season: Path, tmp_path: Path, override: str, told: str) -> None:
    said = lab.call("run", season, "--home", tmp_path / "home", "--set", override)
    assert said.code == 2
    assert told in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "runs").exists()


def test_an_address_that_is_none_is_not_shown(lab: Any, tmp_path: Path) -> None:
    season = written(tmp_path, "[alerts]\n")
    said = lab.call("run", season, "--home", tmp_path / "home", TRADEFLOOR_ALERT_URLS="nonsense-with-a-secret")
    assert (said.code, "Apprise" in said.err, "nonsense-with-a-secret" in said.err) == (2, True, False)
