"""A replay over recorded books: orders walk them, rounds show them, and what is wrong with the files is said."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arena import wiring
from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from trading.domain import EventKind
from trading.domain.errors import ConfigError, DataError
from trading.execution.book_audit import audit_book_fills
from trading.storage.journal import read_verified

MINUTE = 60_000
START = 1_767_571_200_000
BTC, ETH = "BTC-USDT", "ETH-USDT"


def write_candles(folder, symbol):
    opened = np.arange(START - 200 * MINUTE, START + 30 * MINUTE, MINUTE)
    price = 100 + np.sin(np.arange(len(opened)) / 9)
    columns = {
        "open": price,
        "high": price + 0.5,
        "low": price - 0.5,
        "close": price,
        "volume": np.full(len(opened), 9.0),
    }
    pq.write_table(pa.table({"ts": pa.array(opened, pa.timestamp("ms")), **columns}), folder / f"{symbol}-1m.parquet")


def write_book(folder, symbol, *, minutes=20, label="-20260105"):
    """A book that is quoted anew each second, a cent wide, with five hundredths on each of twelve levels a side."""
    at = np.repeat(np.arange(START - MINUTE, START + minutes * MINUTE, 1000), 24)
    level = np.tile(np.arange(24), len(at) // 24)
    side = np.where(level < 12, 1, -1)
    price = np.round(np.where(side > 0, 100 - 0.01 * level, 100.01 + 0.01 * (level - 12)), 2)
    changes = {
        "event_ts_ms": at, "final_update_id": np.arange(len(at)),
        "is_snapshot": (np.arange(len(at)) < 24).astype(np.int8), "side": side, "price": price,
        "qty": 0.05 + 0.001 * (at // 1000 % 2),
    }  # fmt: skip
    trades = {"trade_ts_ms": [START], "price": [100.0], "qty": [0.1], "buyer_is_maker": [True]}
    pq.write_table(pa.table(changes), folder / f"{symbol}{label}-l2.parquet")
    pq.write_table(pa.table(trades), folder / f"{symbol}{label}-trades.parquet")


def rules(**market):
    start, end = (datetime.fromtimestamp((START + at * MINUTE) / 1000, UTC) for at in (0, 12))
    table = {
        "season": {"name": "l2", "seed": 3, "start": start, "end": end, "every": "1m", "capital": 10_000},
        "market": {"kind": "replay", "instruments": [BTC, ETH], "paths": ["*-1m.parquet"], **market},
        "desk": [{"name": name, "model": f"house/{name}"} for name in ("equalweight", "random")],
    }
    return SeasonRules.model_validate(table)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for symbol in (BTC, ETH):
        write_candles(folder, symbol)
    write_book(folder, BTC)
    return folder


def settings_of(data):
    return Settings.load({"home": data.parent / "home", "data_root": data})


def played(data, **market):
    settings = settings_of(data)
    prepared = wiring.prepare(rules(**market), settings)
    folder = wiring.open_run(prepared, settings)

    async def play():
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()

    asyncio.run(play())
    return folder, [stored.event() for stored in read_verified(folder.journal)]


def test_orders_walk_the_recording_and_its_rounds_show_it(data):
    folder, events = played(data, books=["*-l2.parquet"])
    found = [event.payload for event in events if event.kind is EventKind.FILLED]
    walked = [fill for fill in found if fill["basis"] == "book"]
    assert {fill["instrument"] for fill in walked} == {BTC}
    assert any("left" in fill for fill in walked), "more was wanted than the best level held"
    assert {fill["basis"] for fill in found if fill["instrument"] == ETH} == {"bars"}
    seen = [event for event in events if event.kind is EventKind.BOOK_SEEN]
    assert len(seen) == 12
    assert seen[0].payload["bids"][0][0] == 100.0
    assert seen[0].payload["asks"][0][0] == 100.01
    assert len(seen[0].payload["asks"]) == 12
    assert 0 <= seen[0].ts_ms - seen[0].payload["ts_ms"] <= 1000
    assert audit_book_fills(folder.journal).problem is None


def test_the_recording_is_part_of_what_is_run(data):
    with_book = wiring.prepare(rules(books=["*-l2.parquet"]), settings_of(data)).content_sha256
    assert wiring.prepare(rules(books=["*-l2.parquet"]), settings_of(data)).content_sha256 == with_book
    write_book(data, BTC, minutes=21)
    assert wiring.prepare(rules(books=["*-l2.parquet"]), settings_of(data)).content_sha256 != with_book
    assert "books" not in rules().model_dump()["market"], "seasons without books keep their identity"


def test_what_is_wrong_with_the_recordings_is_said(data):
    settings = settings_of(data)
    with pytest.raises(DataError, match="not the name of a recorded book"):
        wiring.prepare(rules(books=["BTC-USDT-1m.parquet"]), settings)
    with pytest.raises((ConfigError, DataError)):
        wiring.prepare(rules(books=["nowhere/*-l2.parquet"]), settings)
    with pytest.raises(DataError, match="none of the recorded books is of ETH-USDT"):
        wiring.prepare(rules(books=["*-l2.parquet"], instruments=[ETH]), settings)
    write_book(data, BTC, label="-again")
    with pytest.raises(DataError, match="two recorded books"):
        wiring.prepare(rules(books=["*-l2.parquet"]), settings)
    (data / "BTC-USDT-again-l2.parquet").unlink()
    (data / "BTC-USDT-20260105-trades.parquet").unlink()
    with pytest.raises(DataError, match="no recorded book"):
        wiring.prepare(rules(books=["*-l2.parquet"]), settings)


@pytest.mark.parametrize(
    ("market", "words"),
    [
        ({"mask": 4, "books": ["*-l2.parquet"]}, "mask hides"),
        ({"kind": "simulated", "paths": [], "books": ["*-l2.parquet"]}, "another kind of market"),
        ({"kind": "paper", "paths": [], "venue": "binance", "books": ["*-l2.parquet"]}, "another kind of market"),
    ],
)
def test_books_belong_to_a_replay_that_shows_its_prices(market, words):
    with pytest.raises(ValueError, match=words):
        rules(**market)
