"""What an order book costs: level updates a second in batches, and best levels and imbalance message by message."""

import os
import time
from pathlib import Path

import numpy as np

from bench.figure import Figure
from trading.marketdata.books import BookRecording, OrderBook, read_recording
from trading.marketdata.books.book import FloatArray, SideArray

RECORDED = ("binance-usdm/BTC-USDT-PERP-20240808-l2.parquet", "binance-spot/BTC-USDT-20240808-l2.parquet")
MESSAGES = 5_000
LEVELS = 60
TRIES = 3  # the quickest counts: others may hold the processor's caches meanwhile

Message = tuple[SideArray, FloatArray, FloatArray]


def measure() -> list[Figure]:
    """Recorded books where ``TRADEFLOOR_TEST_DATA`` names them, and always a simulated one of the same density."""
    folder = os.environ.get("TRADEFLOOR_TEST_DATA")
    tapes = {"simulated": _simulated()}
    if folder is not None:
        for name in RECORDED:
            path = Path(folder) / "orderbook" / name
            if path.is_file():
                tapes[path.parent.name] = read_recording(path)
    return [figure for name, tape in tapes.items() for figure in _figures(name, tape)]


def _figures(name: str, tape: BookRecording) -> list[Figure]:
    OrderBook().replay(tape.side, tape.price, tape.size, tape.ends)  # compiled before it is timed
    rows, note = len(tape.side), f"{len(tape.ends):,} messages"
    batch_s = min(_batch_s(tape) for _ in range(TRIES))
    parts = np.split(np.arange(rows), tape.ends[:-1])
    messages = [(tape.side[part], tape.price[part], tape.size[part]) for part in parts]
    single_s = min(_single_s(messages) for _ in range(TRIES))
    return [
        Figure(
            name=f"level updates a second in batches, {name}",
            value=rows / batch_s,
            unit="/s",
            target=">= 1,000,000",
            note=note,
        ),
        Figure(
            name=f"a level to best levels and imbalance, {name}",
            value=single_s / rows * 1e6,
            unit="us",
            target="<= 5",
            note="message by message",
        ),
        Figure(name=f"a message to best levels and imbalance, {name}", value=single_s / len(messages) * 1e6, unit="us"),
    ]


def _batch_s(tape: BookRecording) -> float:
    book = OrderBook()
    began = time.process_time()
    book.replay(tape.side, tape.price, tape.size, tape.ends)
    return time.process_time() - began


def _single_s(messages: list[Message]) -> float:
    book = OrderBook()
    began = time.process_time()
    for side, price, size in messages:
        book.apply(side, price, size)
        book.top()
    return time.process_time() - began


def _simulated() -> BookRecording:
    rng = np.random.default_rng(5)
    rows = MESSAGES * LEVELS
    side = np.where(rng.random(rows) < 0.5, 1, -1).astype(np.int8)
    middle = 600_000 + np.repeat(np.cumsum(rng.integers(-1, 2, MESSAGES)), LEVELS)
    price = (middle - side * (1 + np.floor(rng.exponential(300, rows)))) / 10
    size = np.where(rng.random(rows) < 0.4, 0.0, rng.integers(1, 5_000, rows) / 1000)
    ends = np.arange(1, MESSAGES + 1, dtype=np.int64) * LEVELS
    return BookRecording(side=side, price=price, size=size, ends=ends, update_id=ends, event_ms=ends)
