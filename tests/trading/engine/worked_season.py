"""A season on recorded minutes whose desk works everything; ``python -m ... JOURNAL KILL_AT`` dies in the middle."""

import os
import signal
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from tests.trading.markets import HOUSE, USUAL, decision, instrument, limit, market
from trading.domain import Event, EventKind, ExecutionStyle, TradeIntent
from trading.domain.instants import parse_instant, to_ms
from trading.engine import Engine, Entrant, Setup
from trading.marketdata.loading import load_tape
from trading.storage.journal import Journal, read_events

BTC = "BTC-USDT-PERP"
DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
FILE = DATA / "ohlcv" / "binance-perp" / f"{BTC}-1m-202505.parquet"
START_MS = to_ms(parse_instant("2025-05-12T00:00:00Z"))
HOURS = 30


def season(journal: Journal) -> Engine:
    """Half-hourly rounds over thirty hours of May 2025, not open yet."""
    end_ms = START_MS + HOURS * 3_600_000
    tape = load_tape([FILE], [], [BTC], START_MS, end_ms, history_bars=3 * 1440)
    setup = Setup(
        season="worked",
        seed=3,
        start_ms=START_MS,
        end_ms=end_ms,
        every_ms=1_800_000,
        capital=Decimal(500_000),
        mode="balanced",
        source=tape.source,
        rules_sha256="0" * 64,
        entrants=(Entrant(desk="alpha", kind="strategy", models={}),),
        instruments={BTC: instrument(BTC, tick=Decimal("0.1"), min_notional=Decimal(100))},
    )
    return Engine(setup=setup, tape=tape, limits=HOUSE, costs=USUAL, journal=journal)


def wants(engine: Engine, index: int) -> list[TradeIntent]:
    """Five by TWAP over four hours, then out by VWAP, in with the volume, behind a limit, and the other way at last."""
    last = Decimal(repr(engine.seen_view.quote(BTC).price))
    four_hours = {"window_s": 4 * 3600}
    match index:
        case 0:
            return [market("buy", "5", BTC, style=ExecutionStyle.TWAP, **four_hours)]
        case 10:
            return [market("sell", "5", BTC, style=ExecutionStyle.VWAP, reduce_only=True, **four_hours)]
        case 20:
            return [market("buy", "3", BTC, style=ExecutionStyle.POV, window_s=7200)]
        case 26:
            behind = limit("buy", "2", str(round(last * Decimal("0.999"), 1)), BTC)
            return [replace(behind, style=ExecutionStyle.TWAP, **four_hours)]
        case 31:
            return [market("sell", "4", BTC, style=ExecutionStyle.TWAP, window_s=3600)]
        case _:
            return []


def play(path: Path, *, kill_at: int | None = None) -> str:
    """Play from where the journal stands to the end, and its head; ``kill_at`` counts parts, over all processes."""
    journal = Journal(path)
    engine = season(journal)
    if kill_at is not None:
        engine.watch(_Killer(kill_at))
    engine.restore(stored.event() for stored in read_events(path))
    if not journal.events:
        engine.open_season()
    for index in range(engine.rounds_closed, engine.setup.rounds):
        engine.open_round(index, engine.setup.round_ms(index))
        engine.submit(decision("alpha", index, wants(engine, index)))
        engine.close_round()
    engine.close_season()
    journal.close()
    return journal.head


class _Killer:
    def __init__(self, at: int) -> None:
        self.left = at

    def apply(self, event: Event) -> None:
        self.left -= event.kind is EventKind.ORDERED
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    play(Path(sys.argv[1]), kill_at=int(sys.argv[2]))
