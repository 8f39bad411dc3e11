"""Desks of language models that look back: recorded, replayed to the same head, and silent where the model is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.memories import bring_up_to_date, open_store
from arena.settings import Settings
from tests.wire import Fault, FaultPlan, Makers, serve_makers
from tests.wire.brain import reply_to
from tests.wire.talk import Ask, Reply
from trading.storage.journal import read_events
from trading.storage.runs import Runs

SEASON = """
[season]
name = "looking-back"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T07:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[memory]
horizon = "2h"
reflection = "anthropic/claude-haiku-5-5"

[[desk]]
name = "mini"
model = "openai/gpt-5.4-mini"

[[desk]]
name = "silent"
model = "openai/gpt-5.4-mini"
reflection = "off"

[[desk]]
name = "momentum"
model = "house/momentum"
"""


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("looking-back") / "season.toml"
    path.write_text(SEASON, "utf-8")
    return path


def sell_what_is_held(ask: Ask) -> Reply:
    """The brain, which only buys, made to sell again in the next round: so that something closes."""
    reply = reply_to(ask)
    held = [row for row in ask.results.get("get_positions", {}).get("positions", ()) if float(row["quantity"]) > 0]
    if not held or not reply.text.startswith('{"action"'):
        return reply
    leg = {
        "instrument": held[0]["instrument"],
        "side": "sell",
        "quantity": held[0]["quantity"],
        "order_type": "market",
        "limit_price": None,
        "reduce_only": True,
        "good_for_rounds": 1,
        "reason": "A round is over.",
    }
    return Reply(
        text=json.dumps({"action": "trade", "intents": [leg], "confidence": 0.9, "rationale": "A round is over."})
    )


@pytest.fixture(scope="module")
def makers() -> Iterator[Makers]:
    with pytest.MonkeyPatch.context() as patch, serve_makers("openai", "anthropic") as found:
        patch.setattr("tests.wire.makers.reply_to", sell_what_is_held)
        yield found


@pytest.fixture(scope="module")
def played(lab: Any, makers: Makers, season: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    home = tmp_path_factory.mktemp("looked-back")
    said = lab.call("run", season, "--home", home, "--json", **makers.environment)
    assert said.code == 0, said.err
    return home, said.document


def events_of(home: Path, kind: str) -> list[Any]:
    return [stored.event() for stored in read_events(Runs(home).latest().journal) if stored.kind == kind]


def stored_of(home: Path) -> list[Any]:
    run, settings = Runs(home).latest(), Settings.load({"home": home})
    store = open_store(run, "hashing", settings)
    bring_up_to_date(run, store)
    found = list(store.episodes())
    store.close()
    return found


def test_what_was_traded_is_looked_back_on_once_by_the_model_that_is_named(played: tuple[Path, Any]) -> None:
    home, _ = played
    looks = events_of(home, "reflected")
    assert {look.payload["desk"] for look in looks} == {"mini"}
    assert {look.payload["model"] for look in looks} == {"anthropic/claude-haiku-5-5"}
    assert {look.payload["outcome"] for look in looks} == {"ok"}
    rows = [row for look in looks for row in look.payload["episodes"]]
    assert len({row["episode_id"] for row in rows}) == len(rows) > 0
    calls = [call for call in events_of(home, "model_called") if call.payload["role"] == "reflection"]
    assert [call.decision_id for call in calls] == [look.decision_id for look in looks]
    assert {call.payload["model_answered"] for call in calls} == {"claude-haiku-5-5"}
    by_id = {one.episode_id: one for one in stored_of(home)}
    for look in looks:
        for row in look.payload["episodes"]:
            episode = by_id[row["episode_id"]]
            assert (episode.desk, episode.insight_ms) == ("mini", look.ts_ms)
            assert episode.closed_ms <= look.ts_ms
            assert episode.status in ("acted", "refused")
            assert "anthropic/claude-haiku-5-5 wrote: expected A small gain" in episode.insight
            assert episode.reflection.startswith("rule-based")
    assert not any(one.insight for one in by_id.values() if one.desk != "mini")


def test_it_is_paid_for_by_the_desk(played: tuple[Path, Any]) -> None:
    home, document = played
    usd = [call.payload["usd"] for call in events_of(home, "model_called") if call.payload["desk"] == "mini"]
    (mini,) = (desk for desk in document["desks"] if desk["desk"] == "mini")
    assert mini["llm_calls"] == len(usd)
    assert mini["usd"] == pytest.approx(sum(usd))


def test_what_was_written_is_shown_after_it_was_written_and_no_sooner(lab: Any, played: tuple[Path, Any]) -> None:
    home, _ = played
    first = events_of(home, "reflected")[0]
    words = ("memory", "search", "BTC", "--desk", "mini", "--count", 50, "--home", home, "--json", "--as-of")

    def told(hour: int) -> set[str]:
        hits = lab.call(*words, f"2026-01-01T{hour:02d}:00:00Z").document["hits"]
        return {hit["decision_id"] for hit in hits if hit["outcome"] and hit["outcome"]["insight"]}

    hour = (first.ts_ms // 3_600_000) % 24
    assert told(hour) == set()
    assert told(hour + 1) != set()


def test_a_replay_of_the_answers_gives_the_same_head(
    lab: Any, makers: Makers, season: Path, played: tuple[Path, Any], tmp_path: Path
) -> None:
    (cassette,) = played[0].glob("runs/*/cassette.sqlite")
    served = sum(len(maker.ledger.calls) for maker in makers.values())
    said = lab.call(
        "run", season, "--home", tmp_path, "--cassette", f"replay:{cassette}", "--json", **makers.environment
    )
    assert said.code == 0, said.err
    assert said.document["journal"] == played[1]["journal"]
    assert sum(len(maker.ledger.calls) for maker in makers.values()) == served


def test_a_model_that_fails_leaves_its_reason_and_no_words(
    lab: Any, makers: Makers, season: Path, tmp_path: Path
) -> None:
    makers["anthropic"].faults = FaultPlan.always(Fault.OFF_SCHEMA)
    try:
        said = lab.call("run", season, "--home", tmp_path, "--json", **makers.environment)
    finally:
        makers["anthropic"].faults = FaultPlan()
    assert said.code == 0, said.err
    looks = events_of(tmp_path, "reflected")
    assert looks
    assert {look.payload["outcome"] for look in looks} <= {"invalid_answer", "malformed_json"}
    assert {row["said"] for look in looks for row in look.payload["episodes"]} == {None}
    asked = [row["episode_id"] for look in looks for row in look.payload["episodes"]]
    assert len(set(asked)) == len(asked), "what failed is not asked again"
    assert not any(one.insight for one in stored_of(tmp_path))
    assert all(one.reflection.startswith("rule-based") for one in stored_of(tmp_path) if one.net_return is not None)
    assert all(desk["abstained"] == 0 for desk in said.document["desks"])


def test_own_is_the_cheapest_of_the_desks_models(season: Path, tmp_path: Path) -> None:
    from arena.seasons.rulefile import load_rules
    from arena.seasons.teams import reflectors_of

    path = tmp_path / "own.toml"
    dear = "\n".join(f'models.{role} = "anthropic/claude-opus-5-5"' for role in ("analyst", "forecaster", "risk"))
    text = SEASON.replace("anthropic/claude-haiku-5-5", "own")
    path.write_text(
        text.replace('model = "openai/gpt-5.4-mini"', dear + '\nmodels.executor = "openai/gpt-5.4-mini"', 1), "utf-8"
    )
    assert {desk: agent.model for desk, agent in reflectors_of(load_rules(path)).items()} == {
        "mini": "openai/gpt-5.4-mini"
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("anthropic/claude-haiku-5-5", "house/momentum", "house models look back by rule"),
        ("anthropic/claude-haiku-5-5", "", "memory.reflection"),
        ("anthropic/claude-haiku-5-5", "nobody/at-all", "no provider serves it"),
        ('model = "house/momentum"', 'model = "house/momentum"\nreflection = "openai/gpt-5.4-mini"', "rule-based"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(
    lab: Any, makers: Makers, tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "season.toml"
    path.write_text(SEASON.replace(old, new), "utf-8")
    said = lab.call("run", path, "--home", tmp_path / "home", **makers.environment)
    assert said.code == 2
    assert told in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "runs").exists()
