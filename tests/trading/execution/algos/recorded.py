"""Recorded books as a market that algorithms work in, second by second, through the simulated exchange."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from tests.trading.markets import FREE, MemoryJournal, instrument
from trading.domain import Event, ManualClock, Side
from trading.execution import OpenOrders
from trading.execution.algos import MarketState, Parent, Shortfall, Worker, implementation_shortfall
from trading.execution.algos.parent import Algorithm
from trading.execution.paper import PaperVenue
from trading.execution.sender import OrderSender
from trading.marketdata.depth import BookTape, load_book_tape
from trading.marketdata.tape import Tape

SECOND_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recorded book with its middle price as bars of a second."""

    symbol: str
    book: BookTape
    tape: Tape

    @property
    def start_ms(self) -> int:
        return int(self.tape.open_ms[0])


def record_of(folder: Path, symbol: str, *, minutes: float = 5.0) -> Recording:
    """The recording of one instrument, from a second after its first snapshot on."""
    book = load_book_tape(folder / f"{symbol}-20240808-l2.parquet", folder / f"{symbol}-20240808-trades.parquet")
    start = -(-book.start_ms // SECOND_MS) * SECOND_MS + SECOND_MS
    bars = min(int(minutes * 60), (book.end_ms - start) // SECOND_MS - 1)
    open_ms = start + SECOND_MS * np.arange(bars, dtype=np.int64)
    mids = np.array([book.depth_at(int(at)).mid for at in [*open_ms, start + bars * SECOND_MS]])
    opened, close = mids[:-1], mids[1:]
    lines = {
        "open": opened,
        "high": np.maximum(opened, close),
        "low": np.minimum(opened, close),
        "close": close,
        "volume": np.ones(bars),
    }
    tape = Tape(
        symbols=(symbol,),
        step_ms=SECOND_MS,
        open_ms=open_ms,
        source="replay",
        **{name: line[None] for name, line in lines.items()},
    )
    return Recording(symbol=symbol, book=book, tape=tape)


@dataclass(slots=True, kw_only=True)
class Worked:
    """What became of a parent."""

    worker: Worker
    shortfall: Shortfall
    prices: list[Decimal]
    sent_ms: list[int]
    journal: MemoryJournal


def work(
    recording: Recording,
    algorithm: Algorithm,
    quantity: str,
    *,
    side: Side = Side.BUY,
    seconds: int = 240,
    collar: str = "0.02",
    allow=lambda intent: intent.quantity,
) -> Worked:
    """Work a parent from the first second of the recording on."""
    listed = instrument(recording.symbol, tick=Decimal("0.01"), lot=Decimal("0.001"), max_leverage=Decimal(1000))
    exchange = PaperVenue(
        recording.tape,
        {recording.symbol: listed},
        FREE,
        desk="account",
        capital=Decimal(10**10),
        books={recording.symbol: recording.book},
    )
    start = recording.start_ms + SECOND_MS
    parent = Parent(
        parent_id="parent",
        client_id="parent",
        desk="account",
        instrument=listed,
        side=side,
        quantity=Decimal(quantity),
        start_ms=start,
        end_ms=start + seconds * SECOND_MS,
        arrival=Decimal(repr(round(recording.book.depth_at(start).mid, 6))),
        collar=Decimal(collar),
    )
    orders, journal, clock = OpenOrders(), MemoryJournal(), ManualClock(start)

    def record(event: Event) -> None:
        journal.append(event)
        orders.apply(event)

    sender = OrderSender(exchange, orders, record=record, commit=journal.commit, clock=clock)
    worker = Worker(parent, algorithm, sender, orders, allow=allow)
    log = np.log(recording.tape.close[0])
    volatility = float(np.std(np.diff(log)) * np.sqrt(seconds))

    async def run() -> None:
        for now_ms in range(start, parent.end_ms + 2 * SECOND_MS, SECOND_MS):
            exchange.advance(now_ms)
            clock.set_ms(now_ms)
            await sender.poll()
            trades = recording.book.trades.between(start, now_ms)
            state = MarketState(
                now_ms=now_ms,
                depth=recording.book.depth_at(now_ms),
                traded=float(trades.size.sum()),
                volatility=volatility,
                volume=float(recording.book.trades.size.sum()),
            )
            await worker.step(state)

    asyncio.run(run())
    fills = [
        (Decimal(event.payload["price"]), Decimal(event.payload["quantity"]))
        for event in journal.events
        if event.kind == "filled"
    ]
    final = Decimal(repr(round(recording.book.depth_at(parent.end_ms).mid, 6)))
    return Worked(
        worker=worker,
        shortfall=implementation_shortfall(side, parent.quantity, parent.arrival, fills, final=final),
        prices=[price for price, _ in fills],
        sent_ms=[child.sent_ms for child in worker.children],
        journal=journal,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """Everything in one order: what the algorithms are compared with."""

    patience_ms: int = 0

    def wish(self, parent, progress, market):
        from trading.execution.algos.parent import Wish

        left = parent.quantity - progress.filled
        return Wish(quantity=left) if market.now_ms == parent.start_ms else None
