"""A season of language models on loopback makers: recorded, replayed with the makers gone, resumed, and paid for."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.wire import Fault, FaultPlan, Makers, serve_makers

SEASON = """
[season]
name = "makers"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T03:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "mini"
model = "openai/gpt-5.4-mini"

[[desk]]
name = "mixed"
model = "anthropic/claude-haiku-5-5"

[[desk]]
name = "momentum"
model = "house/momentum"
"""
FAULTS = (Fault.SERVER_ERROR, Fault.RATE_LIMITED, Fault.EMPTY, Fault.WRONG_TYPES, Fault.TRUNCATED_BODY, Fault.REFUSAL)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("season") / "makers.toml"
    path.write_text(SEASON, "utf-8")
    return path


@pytest.fixture(scope="module")
def makers() -> Iterator[Makers]:
    with serve_makers("openai", "anthropic") as found:
        yield found


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> None:
    """Every test finds makers without faults and with empty books."""
    if "makers" in request.fixturenames:
        for maker in request.getfixturevalue("makers").values():
            maker.faults = FaultPlan()
            maker.ledger.clear()


def served(makers: Makers) -> int:
    return sum(len(maker.ledger.calls) for maker in makers.values())


def billed_usd(makers: Makers) -> float:
    return sum(maker.ledger.totals().usd for maker in makers.values())


def cassette_of(home: Path) -> Path:
    (path,) = home.glob("runs/*/cassette.sqlite")
    return path


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def events(home: Path, kind: str) -> list[dict[str, Any]]:
    (journal,) = home.glob("runs/*/journal.sqlite")
    found = rows(journal, f"SELECT payload_json FROM events WHERE kind = '{kind}' ORDER BY seq")
    return [json.loads(text) for (text,) in found]


@dataclass(frozen=True)
class Recorded:
    """A season that was played under faults, and its cassette."""

    home: Path
    cassette: Path
    document: dict[str, Any]


@pytest.fixture(scope="module")
def recorded(lab, makers: Makers, season: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    home = tmp_path_factory.mktemp("recorded")
    for number, maker in enumerate(makers.values()):
        maker.faults = FaultPlan.seeded(0.2, seed=number, faults=FAULTS)
    said = lab.call("run", season, "--home", home, "--json", **makers.environment)
    assert said.code == 0, said.err
    outcomes = {event["outcome"] for event in events(home, "model_called")}
    assert len(outcomes) > 1, "the faults must have shown"
    return Recorded(home, cassette_of(home), said.document)


def test_a_season_replays_with_the_makers_gone_and_no_key(lab, recorded, season, tmp_path):
    said = lab.call("run", season, "--home", tmp_path, "--json", "--cassette", f"replay:{recorded.cassette}")
    assert said.code == 0, said.err
    assert said.document["journal"] == recorded.document["journal"]
    assert not list(tmp_path.glob("runs/*/cassette.sqlite"))


def decisions(home: Path, desk: str) -> list[str]:
    (journal,) = home.glob("runs/*/journal.sqlite")
    found = rows(journal, "SELECT decision_id, payload_json FROM events WHERE kind = 'decided' ORDER BY seq")
    return [identity for identity, text in found if json.loads(text)["desk"] == desk]


@pytest.mark.parametrize("desk", ["mini", "mixed"])
def test_a_decision_is_asked_again_from_the_recording_faults_and_all(lab, recorded, desk):
    for identity in decisions(recorded.home, desk):
        said = lab.call("replay", identity, "--home", recorded.home, "--json")
        assert said.code == 0, said.err
        found = said.document
        assert (found["identical"], found["traded"], found["live"]) == (True, False, 0), found["differences"]
        assert found["calls"] == found["as_then"] == found["recorded"]


def test_what_the_recording_lacks_is_asked_of_the_model_now_and_bounded(lab, makers, recorded, tmp_path):
    home = Path(shutil.copytree(recorded.home, tmp_path / "home"))
    cassette_of(home).unlink()
    identity = decisions(home, "mini")[0]
    keyless = lab.call("replay", identity, "--home", home, "--json")
    assert keyless.code == 2
    assert "OPENAI_API_KEY" in keyless.err
    said = lab.call("replay", identity, "--home", home, "--json", **makers.environment)
    assert said.code == 0, said.err
    found = said.document
    assert found["live"] == found["calls"] == served(makers)
    assert found["as_then"] >= 1, "the first prompts are those of then"
    assert found["usd"] == pytest.approx(billed_usd(makers))
    assert "asked of a model now" in found["verdict"]
    poor = lab.call("replay", identity, "--home", home, "--json", "--cap-usd", "0", **makers.environment)
    assert poor.code == 0, poor.err
    assert "season_budget" in poor.document["now"]["abstain_reason"]
    assert served(makers) == found["live"], "nobody was asked"


@pytest.mark.parametrize("asked", [("d-unknown",), ("",), ("../../x",), ("d-unknown", "--run", "nobody")])
def test_a_decision_that_is_not_on_record_is_refused(lab, recorded, asked):
    said = lab.call("replay", *asked, "--home", recorded.home)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1


def test_replay_without_a_path_takes_the_last_recorded_run(lab, recorded, season):
    said = lab.call("run", season, "--home", recorded.home, "--json", "--cassette", "replay")
    assert said.code == 0, said.err
    assert said.document["run_id"] != recorded.document["run_id"]
    assert said.document["journal"] == recorded.document["journal"]


def test_auto_on_a_full_cassette_asks_nobody(lab, makers, recorded, season, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(recorded.cassette.read_bytes())
    home = tmp_path / "home"
    said = lab.call("run", season, "--home", home, "--json", "--cassette", f"auto:{copy}", **makers.environment)
    assert said.code == 0, said.err
    assert served(makers) == 0
    assert said.document["journal"] == recorded.document["journal"]


def test_rules_leave_nothing_on_a_cassette(recorded):
    assert {desk for (desk,) in rows(recorded.cassette, "SELECT DISTINCT desk FROM calls")} == {"mini", "mixed"}


def test_a_replay_of_another_season_says_which_message_changed_and_ends(lab, recorded, season, tmp_path):
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--cassette", f"replay:{recorded.cassette}",
        "--set", "costs.taker_fee_bps=9",
    )  # fmt: skip
    assert said.code == 2
    assert said.out == ""
    (line,) = (line for line in said.err.splitlines() if line.startswith("tradefloor:"))
    assert "message 2 of 2 (user) changed" in line
    assert "mini@2026-01-01T00:00:00Z" in line
    assert '"taker_fee_bps":9' in line.replace("\\", "")


@pytest.mark.parametrize("mode", ["replay", "replay:nowhere.sqlite"])
def test_nothing_to_replay_is_refused_before_anything_is_written(lab, season, tmp_path, mode):
    said = lab.call("run", season, "--home", tmp_path, "--cassette", mode)
    assert said.code == 2
    assert "replay" in said.err
    assert not list(tmp_path.glob("runs/*"))


def test_recording_off_leaves_no_cassette(lab, makers, season, tmp_path):
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--cassette", "off", "--set", "season.end=2026-01-01T01:00:00Z",
        **makers.environment,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert not list(tmp_path.glob("runs/*/cassette.sqlite"))


@pytest.mark.slow
def test_killed_and_resumed_a_season_pays_for_no_answer_twice(lab, makers, season, tmp_path):
    for maker in makers.values():
        maker.latency_s = 0.05
    home = tmp_path / "home"
    process = lab.spawn("run", season, "--home", home, **makers.environment)
    lab.wait_until(lambda: lab.rounds_on_record(home) >= 1 and served(makers) >= 24)
    process.kill()
    process.wait()
    for maker in makers.values():
        maker.latency_s = 0.0
        maker.ledger.clear()
    (before,) = rows(cassette_of(home), "SELECT count(*) FROM calls")[0]
    assert before > 0
    resumed = lab.call("run", season, "--home", home, "--json", **makers.environment)
    assert resumed.code == 0, resumed.err
    (after,) = rows(cassette_of(home), "SELECT count(*) FROM calls")[0]
    assert after > before
    assert served(makers) == after - before
    again = lab.call("run", season, "--home", tmp_path / "again", "--json", "--cassette", f"replay:{cassette_of(home)}")
    assert again.code == 0, again.err
    assert again.document["journal"] == resumed.document["journal"]


def test_a_deadline_ends_thinking_and_costs_nobody_else_anything(lab, makers, season, tmp_path):
    makers["openai"].faults = FaultPlan.always(Fault.HANG)
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--set", "season.end=2026-01-01T01:00:00Z",
        "--set", "season.deadline=6s", "--cassette", "off", **makers.environment,
    )  # fmt: skip
    assert said.code == 0, said.err  # without a deadline it would still be thinking
    desks = {desk["desk"]: desk for desk in said.document["desks"]}
    assert desks["mini"]["abstained"] == 1
    assert desks["mixed"]["abstained"] == desks["momentum"]["abstained"] == 0
    reasons = [event["abstain_reason"] for event in events(tmp_path, "decided") if event["desk"] == "mini"]
    assert all(reason.endswith(": timeout") for reason in reasons)


def test_declared_thinking_time_makes_orders_later(lab, season, tmp_path):
    rules = ("--set", 'desk=[{ name = "buyhold", model = "house/buyhold" }]', "--set", "costs.latency_ms=250")
    said = lab.call("run", season, "--home", tmp_path, "--json", *rules, "--set", "season.thinking_ms=60000")
    assert said.code == 0, said.err
    orders = events(tmp_path, "ordered")
    assert orders
    assert {order["arrives_ms"] - order["sent_ms"] for order in orders} == {60_250}


def test_no_key_is_written_anywhere(lab, makers, season, tmp_path):
    makers["openai"].faults = FaultPlan([Fault.BAD_KEY, Fault.BAD_REQUEST, Fault.SERVER_ERROR, Fault.ERROR_IN_200])
    planted = "sk-planted-5f1c9d7e3b2a4680"
    said = lab.call(
        "run", season, "--home", tmp_path, "--set", "season.end=2026-01-01T01:00:00Z",
        **makers.environment | {"XAI_API_KEY": planted},
    )  # fmt: skip
    assert said.code == 0, said.err
    keys = [planted, *(maker.api_key for maker in makers.values())]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "cassette.sqlite" for file in files)
    texts = [said.out.encode(), said.err.encode(), *(file.read_bytes() for file in files)]
    for key in keys:
        assert not [text for text in texts if key.encode() in text]


LONG = ("--set", "season.end=2026-01-03T00:00:00Z")
TIGHT = (*LONG, "--set", "budget.usd=0.05")
CHEAPER = '{ at = 0.02, models = { executor = "anthropic/claude-haiku-5-5" }, roles = ["executor"] }'


def test_a_season_stops_at_or_under_its_budget_with_valid_standings(lab, makers, season, tmp_path):
    home = tmp_path / "home"
    said = lab.call("run", season, "--home", home, "--json", *TIGHT, **makers.environment)
    assert said.code == 3
    document = said.document
    spent = sum(desk["usd"] for desk in document["desks"])
    assert spent == pytest.approx(billed_usd(makers), abs=1e-12)
    assert 0.02 < spent <= 0.05
    assert document["status"] == "out of budget"
    assert 0 < document["rounds_done"] < document["rounds"]
    desks = {desk["desk"]: desk for desk in document["desks"]}
    assert {name: desk["status"] for name, desk in desks.items()} == {
        "mini": "out of budget",
        "mixed": "out of budget",
        "momentum": "active",
    }
    assert all(desk["decisions"] == document["rounds_done"] for desk in desks.values())
    assert desks["momentum"]["abstained"] == 0
    assert "the season's budget of $0.05 ran out" in said.err
    assert [event["scope"] for event in events(home, "budget_exhausted")] == ["season"]
    verified = lab.call("journal", "verify", "--home", home, "--json")
    assert verified.code == 0, verified.err

    asked_before = served(makers)
    again = lab.call("run", season, "--home", home, "--json", *TIGHT, **makers.environment)
    assert (again.code, again.document["journal"]) == (3, document["journal"])
    assert served(makers) == asked_before

    replayed = lab.call(
        "run", season, "--home", tmp_path / "again", "--json", *TIGHT,
        "--cassette", f"replay:{cassette_of(home)}",
    )  # fmt: skip
    assert (replayed.code, replayed.document["journal"]) == (3, document["journal"])


def test_a_season_of_more_money_goes_on_with_the_answers_that_are_paid_for(lab, makers, season, tmp_path):
    tape = tmp_path / "shared.sqlite"
    for name, usd in (("poor", "0.02"), ("rich", "0.03")):
        said = lab.call(
            "run", season, "--home", tmp_path / name, "--json", *LONG, "--set", f"budget.usd={usd}",
            "--cassette", f"auto:{tape}", **makers.environment,
        )  # fmt: skip
        assert said.code == 3, said.err
    spent = sum(desk["usd"] for desk in said.document["desks"])
    assert spent == pytest.approx(billed_usd(makers), abs=1e-12)
    assert 0.02 < spent <= 0.03


def test_a_desk_out_of_its_own_budget_abstains_and_the_others_finish(lab, makers, season, tmp_path):
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--set", "season.end=2026-01-01T06:00:00Z",
        "--set", "desk.mini.budget_usd=0.04", **makers.environment,
    )  # fmt: skip
    assert said.code == 3
    assert "desk mini's budget of $0.04 ran out" in said.err
    desks = {desk["desk"]: desk for desk in said.document["desks"]}
    assert said.document["status"] == "finished"
    assert desks["mini"]["usd"] <= 0.04
    assert desks["mini"]["status"] == "out of budget"
    assert desks["mixed"]["abstained"] == 0
    last = [event for event in events(tmp_path, "decided") if event["desk"] == "mini"][-1]
    assert (last["status"], last["abstain_reason"]) == ("abstained", "budget: the desk's ran out")


def test_a_budget_warns_and_degrades_as_declared(lab, makers, season, tmp_path):
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--set", "season.end=2026-01-01T05:00:00Z",
        "--set", "desk.mini.budget_usd=0.5", "--set", "budget.warn_at=0.01",
        "--set", f"budget.degrade={CHEAPER}", **makers.environment,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert [event["desk"] for event in events(tmp_path, "budget_warned")] == ["mini"]
    assert [event["desk"] for event in events(tmp_path, "budget_degraded")] == ["mini"]
    paths = [event["path"] for event in events(tmp_path, "decided") if event["desk"] == "mini"]
    assert {"analyst", "forecaster", "risk", "executor"} <= set(paths[0])
    assert paths[-1][0] == "executor"
    assert not {"analyst", "forecaster", "risk"} & set(paths[-1])
    models = [event["model_requested"] for event in events(tmp_path, "model_called") if event["desk"] == "mini"]
    assert models[0] == "openai/gpt-5.4-mini"
    assert models[-1] == "anthropic/claude-haiku-5-5"
    bodies = rows(cassette_of(tmp_path), "SELECT body FROM messages WHERE body LIKE '%desk''s budget of $0.5%'")
    assert bodies, "the desk must have been told"


def test_a_model_without_a_price_is_said_before_the_season(lab, makers, season, tmp_path, caplog):
    said = lab.call(
        "run", season, "--home", tmp_path, "--json", "--set", "season.end=2026-01-01T01:00:00Z",
        "--set", "desk.mini.model=openai/unlisted-model", "--set", "budget.usd=5", "--set", "budget.tokens=900000",
        **makers.environment,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "the price of openai/unlisted-model is not known" in caplog.text
    desks = {desk["desk"]: desk for desk in said.document["desks"]}
    assert desks["mini"]["usd"] is None
