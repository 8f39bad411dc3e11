"""A short season of house models, played for real into a home folder: runs, journals and telemetry to read back."""

import asyncio
import time
from pathlib import Path

from arena import wiring
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from arena.traces import Transcripts
from trading.risk import KillSwitch
from trading.storage.runs import RunFolder

SEASON = """
[season]
name = "played"
seed = 3
start = 2026-01-01T00:00:00Z
end = 2026-01-01T20:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[stops]
stop = 2

[[desk]]
name = "random"
model = "house/random"

[[desk]]
name = "buyhold"
model = "house/buyhold"
"""
ROUNDS = 20


def play(home: Path, *, transcripts: Transcripts | None = None, text: str = SEASON) -> RunFolder:
    """Play the season to its end under ``home`` and give its run."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "played.toml"
    path.write_text(text, "utf-8")
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(load_rules(path), settings)
    folder = wiring.open_run(prepared, settings)

    async def season() -> None:
        listen = None if transcripts is None else transcripts.listen
        async with wiring.season_run(prepared, folder, settings, listen=listen) as playable:
            await playable.play()

    asyncio.run(season())
    return folder


def play_on_floor(home: Path, transcripts: Transcripts, *, deadline_s: float = 300.0) -> LiveFloor:
    """The same season played beside a floor; what it shows at the end is real in all its parts."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "played.toml"
    path.write_text(SEASON, "utf-8")
    settings = Settings.load({"home": home})
    floor = LiveFloor(KillSwitch(home))
    season = BackgroundSeason(load_rules(path), settings, floor, round_s=0.0, warmup_rounds=0, transcripts=transcripts)
    season.start()
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        shown = floor.snapshot()
        if shown is not None and shown.status in ("finished", "failed"):
            assert shown.status == "finished", shown.status_text
            return floor
        time.sleep(0.02)
    raise AssertionError(f"the season did not end in time: {floor.snapshot()}")
