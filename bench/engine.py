"""How many bars a second the engine runs with a Python strategy called on each."""

import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np

from arena.settings import CONFIG
from bench.figure import Figure
from trading.domain import Side, TradeIntent
from trading.engine import Cursor, Engine, Entrant, Setup, Strategy, run_strategy
from trading.marketdata import Tape
from trading.risk import Limits
from trading.storage.journal import Journal, JournalSink, NullJournal
from trading.venues.simulated import Costs, list_instruments
from trading.venues.simulated.costs import venue_facts

BARS = 1_000_000
MINUTE_MS = 60_000
SYMBOL = "BTC-USDT-PERP"


def measure() -> list[Figure]:
    """One instrument, a million one-minute bars, a strategy that looks at every bar and trades now and then."""
    tape = _tape()
    figures = []
    for every, words in ((BARS, "no trade"), (5_000, "a trade every 5,000 bars"), (500, "a trade every 500 bars")):
        for journaled in (False, True):
            rate, fills = _run(tape, every, journaled=journaled)
            wanted = (">= 300,000" if journaled else ">= 1,000,000") if every >= 5_000 else ""
            name = f"bars a second, {words}, {'with' if journaled else 'without'} journal"
            figures.append(Figure(name=name, value=rate, unit="/s", target=wanted, note=f"{fills} fills"))
    return figures


def _tape() -> Tape:
    rng = np.random.default_rng(7)
    close = np.round(100_000 * np.exp(np.cumsum(rng.normal(0, 0.0003, BARS))), 1)
    opened = np.concatenate([close[:1], close[:-1]])
    wick = np.round(np.abs(rng.normal(0, 20, BARS)), 1)
    return Tape(
        symbols=(SYMBOL,),
        step_ms=MINUTE_MS,
        open_ms=np.arange(BARS, dtype=np.int64) * MINUTE_MS,
        open=opened[None],
        high=(np.maximum(opened, close) + wick)[None],
        low=(np.minimum(opened, close) - wick)[None],
        close=close[None],
        volume=np.ones((1, BARS)),
        source="simulated",
    )


def _run(tape: Tape, every: int, *, journaled: bool) -> tuple[float, int]:
    facts = venue_facts(CONFIG / "venues.toml")
    costs = Costs.from_mapping(facts["costs"], {})
    setup = Setup(
        season="bench",
        seed=7,
        start_ms=0,
        end_ms=BARS * MINUTE_MS,
        every_ms=MINUTE_MS,
        capital=Decimal(1_000_000),
        mode="balanced",
        source="simulated",
        rules_sha256="",
        entrants=(Entrant(desk="strategy", kind="strategy", models={}),),
        instruments=list_instruments(tape, 0, facts),
    )
    with tempfile.TemporaryDirectory() as folder:
        journal: JournalSink = Journal(Path(folder) / "journal.sqlite") if journaled else NullJournal()
        limits = Limits.load(CONFIG / "limits.toml")
        engine = Engine(setup=setup, tape=tape, limits=limits, costs=costs, journal=journal)
        engine.open_season()
        started = time.process_time()
        bars = run_strategy(engine, "strategy", _strategy(every))
        rate = bars / (time.process_time() - started)
        if isinstance(journal, Journal):
            journal.close()
        return rate, engine.ledger.accounts["strategy"].fills


def _strategy(every: int) -> Strategy:
    """Compare every close with that of a day ago; every ``every`` bars go with the direction, in and out by turns."""
    row = 0
    seen = 0
    held = 0

    def decide(cursor: Cursor) -> list[TradeIntent] | None:
        nonlocal seen, held
        seen += 1
        rising = cursor.close(row) > cursor.close(row, 1440)
        if seen % every:
            return None
        if held:
            side, held = (Side.SELL if held > 0 else Side.BUY), 0
        else:
            side, held = (Side.BUY, 1) if rising else (Side.SELL, -1)
        return [TradeIntent(instrument=SYMBOL, side=side, quantity=Decimal("0.1"))]

    return decide
