"""A short season of house models, played for real into a home folder: runs, journals and telemetry to read back."""

import asyncio
from pathlib import Path

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from arena.traces import Transcripts
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
