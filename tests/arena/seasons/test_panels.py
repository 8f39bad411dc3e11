"""A season with a panel and a desk that knows its record: the same head each time, dissent in the journal."""

import asyncio

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from trading.domain.event import EventKind
from trading.storage.journal import read_events

SEASON = """
[season]
name = "council"
seed = 3
start = 2026-01-01T00:00:00Z
end = 2026-01-01T05:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
step = "1h"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "council"
context = true
panel = { combine = "RULE" }

[desk.models]
analyst = ["house/momentum", "house/meanrev"]
forecaster = "house/forecaster"
risk = ["house/momentum", "house/meanrev"]
executor = ["house/momentum", "house/equalweight", "house/buyhold"]
"""


def played(home, rule: str):
    """The head of the season's journal and its decisions."""
    home.mkdir()
    file = home / "season.toml"
    file.write_text(SEASON.replace("RULE", rule))
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(load_rules(file), settings)

    async def play():
        folder = wiring.open_run(prepared, settings)
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()
        return folder

    stored = list(read_events(asyncio.run(play()).journal))
    events = [one.event() for one in stored]
    return stored[-1].hash, [event.payload for event in events if event.kind is EventKind.DECIDED]


def test_season_of_a_panel_repeats_itself_with_its_dissent(tmp_path):
    head, decisions = played(tmp_path / "one", "majority")
    assert played(tmp_path / "two", "majority")[0] == head
    first = decisions[0]
    assert first["status"] == "acted", "two of three hold everything from the start"
    said = {(one["role"], one["model"]) for one in first["dissent"]}
    assert ("executor", "house/momentum") in said or ("analyst", "house/meanrev") in said
    assert all(set(one) == {"role", "model", "said", "combined"} for one in first["dissent"])
    assert any(note[0] == "dissent" for note in first["notes"])


def test_under_unanimity_one_who_does_not_want_to_is_enough(tmp_path):
    _, decisions = played(tmp_path / "home", "unanimous")
    assert {decision["status"] for decision in decisions} == {"held"}
    assert any(one["role"] == "executor" for one in decisions[0]["dissent"])
