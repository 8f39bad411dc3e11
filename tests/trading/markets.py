"""Markets, desks and engines made by hand or by chance, for the tests of the trading core."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from trading.domain import (
    Decision,
    DecisionStatus,
    Event,
    Instrument,
    InstrumentKind,
    OrderType,
    Side,
    TradeIntent,
    ids,
)
from trading.domain.instrument import parse_symbol
from trading.engine import Engine, Entrant, Round, Setup
from trading.marketdata.tape import FundingRates, Tape
from trading.risk import KillSwitch, LimitBoard, Limits, Mode
from trading.storage.journal import canonical_json
from trading.storage.journal.writer import JournalSink
from trading.venues.simulated import Costs

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000  # 2025-10-17T00:00:00Z
PERP, OTHER_PERP, SPOT = "BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT"

FREE = Costs(taker_fee_bps=0, maker_fee_bps=0, slippage_bps=0, latency_ms=0, liquidation_fee_bps=0)
USUAL = Costs(taker_fee_bps="4.5", maker_fee_bps="1.5", slippage_bps=2, latency_ms=250, liquidation_fee_bps=50)
HOUSE = Limits.load(Path(__file__).parents[2] / "config" / "limits.toml")
WIDE = HOUSE.model_copy(
    update={name: 100_000 for name, value in HOUSE if isinstance(value, int)}
    | {name: Decimal(10**6) for name, value in HOUSE if isinstance(value, Decimal)}
    | {name: Decimal(1) for name in ("desk_drawdown", "arena_drawdown", "daily_loss")}
    | {"max_order_value": Decimal(10**12), "max_leverage": Decimal(100)}
)


def instrument(symbol: str = PERP, **facts: Any) -> Instrument:
    """An instrument with a cent as tick, a thousandth as lot, and no least value."""
    base, quote, kind = parse_symbol(symbol)
    perp = kind is InstrumentKind.PERP
    usual = {
        "tick": Decimal("0.01"),
        "lot": Decimal("0.001"),
        "min_notional": Decimal(0),
        "max_leverage": Decimal(20 if perp else 1),
        "maintenance_margin": Decimal("0.005" if perp else 0),
    }
    return Instrument(symbol=symbol, base=base, quote=quote, kind=kind, **usual | facts)


Candle = tuple[float, float, float, float]  # open, high, low, close
NO_BAR: Candle = (np.nan,) * 4


def tape_of(
    candles: Mapping[str, Sequence[Candle]],
    *,
    step_ms: int = HOUR_MS,
    start_ms: int = START_MS,
    funding: Mapping[str, Mapping[int, float]] | None = None,
    volume: float = 1e6,
) -> Tape:
    """A tape of candles written out, each with ``volume``; ``funding`` gives rates by milliseconds after the start."""
    columns = {symbol: np.asarray(rows, dtype=np.float64).T for symbol, rows in candles.items()}
    bars = len(next(iter(candles.values())))
    stacked = np.stack(list(columns.values()))
    return Tape(
        symbols=tuple(candles),
        step_ms=step_ms,
        open_ms=start_ms + step_ms * np.arange(bars, dtype=np.int64),
        open=stacked[:, 0],
        high=stacked[:, 1],
        low=stacked[:, 2],
        close=stacked[:, 3],
        volume=np.full((len(candles), bars), volume),
        source="simulated",
        funding={
            symbol: FundingRates(
                ts_ms=np.array([start_ms + at for at in rates], np.int64), rate=np.array(list(rates.values()), float)
            )
            for symbol, rates in (funding or {}).items()
        },
    )


def flat(price: float, bars: int) -> list[Candle]:
    """Bars on which nothing moves."""
    return [(price,) * 4] * bars


def random_tape(
    seed: int,
    *,
    bars: int = 120,
    symbols: Sequence[str] = (PERP, OTHER_PERP, SPOT),
    volatility: float = 0.01,
    missing: float = 0.05,
    holes: bool = True,
    step_ms: int = HOUR_MS,
) -> Tape:
    """Random walks with gaps between bars, missing bars, whole hours missing from the grid, and funding."""
    rng = np.random.default_rng(seed)
    lines = {}
    for symbol in symbols:
        steps = volatility * rng.standard_t(4, size=(bars, 4))
        close = 100 * np.exp(np.cumsum(steps[:, 0]))
        open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(0.2 * steps[:, 1])
        high = np.maximum(open_, close) * np.exp(np.abs(0.5 * steps[:, 2]))
        low = np.minimum(open_, close) * np.exp(-np.abs(0.5 * steps[:, 3]))
        line = np.round(np.stack([open_, high, low, close]), int(rng.integers(2, 12)))
        absent = rng.random(bars) < missing
        absent[0] = False
        line[:, absent] = np.nan
        lines[symbol] = line
    stacked = np.stack(list(lines.values()))
    present = np.ones(bars, bool)
    if holes:
        present[rng.random(bars) < 0.04] = False
        present[0] = True
    open_ms = START_MS + step_ms * np.arange(bars, dtype=np.int64)
    due = np.arange(START_MS, START_MS + bars * step_ms, 8 * step_ms, dtype=np.int64)
    jitter = rng.integers(0, 20, len(due))
    funding = {
        symbol: FundingRates(ts_ms=due + jitter, rate=np.round(rng.normal(0, 0.0005, len(due)), 8))
        for symbol in symbols
        if symbol.endswith("-PERP")
    }
    return Tape(
        symbols=tuple(symbols),
        step_ms=step_ms,
        open_ms=open_ms[present],
        open=stacked[:, 0, present],
        high=stacked[:, 1, present],
        low=stacked[:, 2, present],
        close=stacked[:, 3, present],
        volume=np.full((len(symbols), int(present.sum())), 1e6),
        source="simulated",
        funding=funding,
    )


class MemoryJournal:
    """A journal in memory. ``events`` is what was committed; what was only appended is ``pending``."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.pending: list[Event] = []

    def append(self, event: Event) -> None:
        self.pending.append(event)

    def commit(self) -> None:
        self.events += self.pending
        self.pending = []


def written(events: Sequence[Event]) -> list[tuple[int, str, str, str]]:
    """Events as the journal would hold them, to compare."""
    return [(event.ts_ms, event.kind.value, event.decision_id, canonical_json(event.payload)) for event in events]


def engine_on(
    tape: Tape,
    *,
    desks: Sequence[str] = ("alpha",),
    journal: JournalSink | None = None,
    instruments: Mapping[str, Instrument] | None = None,
    limits: Limits = WIDE,
    costs: Costs = FREE,
    capital: str = "10000",
    every_bars: int = 1,
    start_bar: int = 1,
    kill_switch: KillSwitch | None = None,
    run_id: str = "",
    mode: Mode | None = None,
    board: LimitBoard | None = None,
    **more: Any,
) -> Engine:
    """An engine over a whole tape; its season is not open yet."""
    setup = Setup(
        season="test",
        seed=1,
        start_ms=START_MS + start_bar * tape.step_ms,
        end_ms=int(tape.open_ms[-1]) + tape.step_ms,
        every_ms=every_bars * tape.step_ms,
        capital=Decimal(capital),
        mode="balanced",
        source=tape.source,
        rules_sha256="0" * 64,
        entrants=tuple(Entrant(desk=desk, kind="strategy", models={}) for desk in desks),
        instruments=instruments or {symbol: instrument(symbol) for symbol in tape.symbols},
    )
    return Engine(
        setup=setup,
        tape=tape,
        limits=limits,
        costs=costs,
        journal=MemoryJournal() if journal is None else journal,
        kill_switch=kill_switch,
        run_id=run_id,
        mode=mode,
        board=board,
        **more,
    )


def decision(desk: str, index: int, intents: Sequence[TradeIntent]) -> Decision:
    """A desk's decision to trade, or to hold when there is nothing to trade."""
    return Decision(
        decision_id=ids.decision_id("test", desk, index),
        desk=desk,
        round_index=index,
        status=DecisionStatus.ACTED if intents else DecisionStatus.HELD,
        intents=tuple(intents),
    )


def market(side: str, quantity: str, symbol: str = PERP, **more: Any) -> TradeIntent:
    """A market intent."""
    return TradeIntent(instrument=symbol, side=Side(side), quantity=Decimal(quantity), **more)


def limit(side: str, quantity: str, price: str, symbol: str = PERP, **more: Any) -> TradeIntent:
    """A limit intent."""
    return TradeIntent(
        instrument=symbol,
        side=Side(side),
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        **more,
    )


def random_intents(rng: np.random.Generator, opened: Round, capital: float = 10_000) -> list[TradeIntent]:
    """What a desk without a plan wants in a round: now and then a market or a limit order of some size."""
    intents = []
    for symbol in opened.view.symbols:
        if rng.random() > 0.35:
            continue
        price = opened.view.quote(symbol).price
        side = Side.BUY if rng.random() < 0.5 else Side.SELL
        quantity = Decimal(repr(round(capital * rng.uniform(0.05, 3) / price, 4)))
        reduce_only = bool(rng.random() < 0.2)
        if rng.random() < 0.5:
            wanted = Decimal(repr(round(price * (1 + rng.normal(0, 0.01)), 3)))
            more = {"order_type": OrderType.LIMIT, "limit_price": wanted, "good_for_rounds": int(rng.integers(1, 8))}
        else:
            more = {}
        intents.append(TradeIntent(instrument=symbol, side=side, quantity=quantity, reduce_only=reduce_only, **more))
    return intents


def play_round(engine: Engine, index: int, *, seed: int = 0) -> None:
    """One round in which every desk acts by chance; the chance depends on seed, desk and round alone."""
    opened = engine.open_round(index, engine.setup.round_ms(index))
    if not engine.halted:
        for desk in engine.ledger.accounts:
            rng = np.random.default_rng([seed, index, *desk.encode()])
            engine.submit(decision(desk, index, random_intents(rng, opened)))
    engine.close_round()


def play(engine: Engine, *, seed: int = 0, rounds: int | None = None) -> Engine:
    """A season by chance, from where the engine stands to its end, or for so many rounds without the end."""
    if not engine.ledger.accounts:
        engine.open_season()
    last = engine.setup.rounds if rounds is None else rounds
    for index in range(engine.rounds_closed, last):
        play_round(engine, index, seed=seed)
    if rounds is None:
        engine.close_season()
    return engine
