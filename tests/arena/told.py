"""A season on recorded candles that names an index of sentiment and news, written into a folder and played."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from arena import wiring
from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from trading.storage.runs import RunFolder

HOUR = 3_600_000
DAY = 24 * HOUR
START = 1_767_571_200_000  # 5 January 2026
ROUNDS = 30
DAYS = 60
BTC, ETH = "BTC-USDT", "ETH-USDT"


def iso_day(ms: int) -> str:
    """``2026-01-05``."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")


def write_candles(folder: Path) -> None:
    """Hours of two markets before and in the season."""
    for symbol in (BTC, ETH):
        opened = np.arange(START - 200 * HOUR, START + (ROUNDS + 5) * HOUR, HOUR)
        price = 100 + np.sin(np.arange(len(opened)) / 9)
        columns = {
            "open": price, "high": price + 0.5, "low": price - 0.5, "close": price, "volume": np.full(len(opened), 9.0),
        }  # fmt: skip
        table = pa.table({"ts": pa.array(opened, pa.timestamp("ms")), **columns})
        pq.write_table(table, folder / f"{symbol}-1h.parquet")


def write_index(folder: Path, *, last: int = 9, words: tuple[str, ...] = ()) -> None:
    """Sixty days that rise by a point a day, up to ``last`` days after the start; the start's own value is 70."""
    days = range(last - DAYS + 1, last + 1)
    columns = {
        "ts": pa.array([START + day * DAY for day in days], pa.timestamp("ms")),
        "value": [min(100, max(0, 70 + day)) for day in days],
    }
    if words:
        columns["classification"] = [words[day % len(words)] for day in days]
    pq.write_table(pa.table(columns), folder / "mood-1d.parquet")


def write_news(folder: Path, texts: tuple[str, ...] = ("one", "two", "three")) -> None:
    """The texts of every day from five before the start to five after, with labels in turn."""
    rows = [(day, text) for day in range(-5, 6) for text in texts]
    table = {
        "ts": pa.array([START + day * DAY for day, _ in rows], pa.timestamp("ms")),
        "text": [f"{text} {iso_day(START + day * DAY)}" for day, text in rows],
        "sentiment": [("positive", "neutral", "negative")[at % 3] for at in range(len(rows))],
    }
    pq.write_table(pa.table(table), folder / "btc-news-a.parquet")


def told_rules(**market: Any) -> SeasonRules:
    """A season of a rule-based desk on both instruments, one round an hour."""
    start, end = (datetime.fromtimestamp((START + at * HOUR) / 1000, UTC) for at in (0, ROUNDS))
    table = {
        "season": {"name": "told", "seed": 3, "start": start, "end": end, "every": "1h", "capital": 10_000},
        "market": {"kind": "replay", "instruments": [BTC, ETH], "paths": ["*-1h.parquet"], **market},
        "desk": [{"name": "equalweight", "model": "house/equalweight"}],
    }
    return SeasonRules.model_validate(table)


def told_settings(data: Path) -> Settings:
    """Settings with a home beside the data."""
    return Settings.load({"home": data.parent / "home", "data_root": data})


def played_run(rules: SeasonRules, settings: Settings) -> RunFolder:
    """The run of a season, played to its end."""
    prepared = wiring.prepare(rules, settings)
    folder = wiring.open_run(prepared, settings)

    async def play() -> None:
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()

    asyncio.run(play())
    return folder
