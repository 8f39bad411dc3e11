"""What the gate costs: a ruling with twenty positions among fifty desks, and seeing a limit change elsewhere."""

import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from arena.settings import CONFIG
from bench.figure import Figure
from trading.domain import AccountView, Position, Side, TradeIntent
from trading.domain.instrument import Instrument, parse_symbol
from trading.domain.market import Quote
from trading.risk import Gate, GateState, LimitBoard, Limits
from trading.risk.arena_book import ArenaBook

POSITIONS, DESKS, RULINGS, CHANGES = 20, 50, 2000, 5
SYMBOLS = tuple(f"A{at}-USDT-PERP" for at in range(POSITIONS))
PRICE = Decimal("101.25")

_CHANGE = """
import sys, time
from pathlib import Path
from trading.risk import LimitBoard, Limits
board = LimitBoard(Path(sys.argv[1]), Limits.load(Path(sys.argv[2])))
for value in sys.stdin:
    board.set("max_open_orders", value.strip(), who="bench", reason="bench")
    print(time.time_ns(), flush=True)
"""


def measure() -> list[Figure]:
    """Wall clock of this machine, one thread."""
    limits = Limits.load(CONFIG / "limits.toml")
    spent = _rulings(limits)
    note = f"{POSITIONS} positions, {DESKS} desks"
    return [
        Figure(name="gate ruling, median", value=statistics.median(spent), unit="ms", target="<= 1", note=note),
        Figure(
            name="gate ruling, 99 in 100 within", value=statistics.quantiles(spent, n=100)[98], unit="ms", note=note
        ),
        Figure(name="limit change seen by another process", value=_seen(limits), unit="ms", target="<= 1000"),
    ]


def _rulings(limits: Limits) -> list[float]:
    state, gate = _state(limits), Gate()
    intents = [
        TradeIntent(instrument=symbol, side=side, quantity=Decimal("0.5")) for symbol in SYMBOLS for side in Side
    ]
    spent = []
    for number in range(RULINGS):
        state.orders_this_round = 0
        begun = time.perf_counter()
        gate.rule([intents[number % len(intents)]], state)
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


def _state(limits: Limits) -> GateState:
    instruments = {
        symbol: Instrument(
            symbol=symbol,
            base=parse_symbol(symbol)[0],
            quote="USDT",
            kind=parse_symbol(symbol)[2],
            tick=Decimal("0.01"),
            lot=Decimal("0.001"),
            max_leverage=Decimal(20),
        )
        for symbol in SYMBOLS
    }
    positions = {symbol: Position(instrument=symbol, quantity=Decimal(3), cost=Decimal(300)) for symbol in SYMBOLS}
    marks = dict.fromkeys(SYMBOLS, PRICE)
    book = ArenaBook(equity=Decimal(DESKS * 1_000_000), prices=marks, venues=dict.fromkeys(SYMBOLS, "bench"))
    for desk in range(DESKS):
        for symbol in SYMBOLS:
            book.hold(f"d{desk}", symbol, Decimal(3))
    account = AccountView(
        desk="d0",
        as_of_ms=0,
        quote="USDT",
        cash=Decimal(1_000_000),
        positions=positions,
        marks=marks,
        equity=Decimal(1_000_000),
        peak_equity=Decimal(1_000_000),
        gross=POSITIONS * 3 * PRICE,
        net=POSITIONS * 3 * PRICE,
    )
    return GateState(
        account=account,
        instruments=instruments,
        quotes={symbol: Quote(instrument=symbol, price=float(PRICE), ts_ms=0, as_of_ms=0) for symbol in SYMBOLS},
        step_ms=60_000,
        taker_fee=Decimal("0.00045"),
        limits=limits.model_copy(update={"max_repeats": 100_000}),
        halted=False,
        halt_reason=None,
        arena=book,
    )


def _seen(limits: Limits) -> float:
    """The longest time from a change that another process had made to this one going by it, in milliseconds."""
    with tempfile.TemporaryDirectory() as home:
        board = LimitBoard(Path(home), limits)
        command = [sys.executable, "-c", _CHANGE, home, str(CONFIG / "limits.toml")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            longest = 0.0
            for value in range(limits.max_open_orders - 1, limits.max_open_orders - 1 - CHANGES, -1):
                other.stdin.write(f"{value}\n")
                other.stdin.flush()
                while board.effective(limits).max_open_orders != value:
                    time.sleep(0.001)
                seen_ns = time.time_ns()
                longest = max(longest, (seen_ns - int(other.stdout.readline())) / 1e6)
            other.stdin.close()
        return longest
