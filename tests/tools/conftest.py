"""A small market, an account in it, and a gate that refuses what is worth more than a thousand."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from memory import Chronicle, DeskMemory, Shelves
from memory.state import states_at
from tests.memory.conftest import make_episode
from tools.context import ToolContext
from trading.domain import (
    AccountView,
    Instrument,
    InstrumentKind,
    LimitRow,
    Order,
    OrderType,
    Position,
    Ruling,
    Side,
    TradeIntent,
    Verdict,
    decimal_from_float,
    parse_symbol,
)
from trading.domain.errors import Unavailable
from trading.domain.money import ZERO
from trading.marketdata import FundingRates, MarketView, Tape, TapeView

HOUR_MS = 3_600_000
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT")
BARS = 1500
START_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS

MakeContext = Callable[..., ToolContext]


class OneLimit:
    """Limits with a single row."""

    def rows(self) -> Sequence[LimitRow]:
        return [LimitRow(rule="max_leverage", limit="3", used="0.42", unit="x", description="Gross over equity.")]


def make_tape(*, symbols: tuple[str, ...] = SYMBOLS, seed: int = 7, bars: int = BARS) -> Tape:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_t(5, (len(symbols), bars)) * 0.004, axis=1))
    open_ = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    wick = 1 + rng.uniform(0, 0.004, close.shape)
    settled = np.arange(START_MS, START_MS + bars * HOUR_MS, 8 * HOUR_MS)
    return Tape(
        symbols=symbols,
        step_ms=HOUR_MS,
        open_ms=START_MS + np.arange(bars) * HOUR_MS,
        open=open_,
        high=np.maximum(open_, close) * wick,
        low=np.minimum(open_, close) / wick,
        close=close,
        volume=rng.uniform(1, 5, close.shape),
        source="simulated",
        funding={symbols[0]: FundingRates(ts_ms=settled, rate=rng.normal(0, 1e-4, len(settled)))},
    )


def make_account(view: MarketView) -> AccountView:
    btc, eth = view.symbols[:2]
    positions = {
        btc: Position(instrument=btc, quantity=Decimal(30), cost=Decimal(3001)),
        eth: Position(instrument=eth, quantity=Decimal("-12.5"), cost=Decimal(-1250)),
    }
    marks = {}
    for symbol in view.symbols:
        try:
            marks[symbol] = decimal_from_float(view.quote(symbol).price)
        except Unavailable:
            continue
    resting = Order(
        order_id="o-1",
        client_order_id="tf-1",
        intent_id="i-1",
        desk="test",
        instrument=btc,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.5"),
        sent_ms=view.as_of_ms,
        arrives_ms=view.as_of_ms + 250,
        limit_price=Decimal("190.10"),
    )
    return AccountView(
        desk="test",
        as_of_ms=view.as_of_ms,
        quote="USDT",
        cash=Decimal("10000.10"),
        positions=positions,
        marks=marks,
        equity=Decimal("9812.40"),
        peak_equity=Decimal(10200),
        gross=Decimal(4400),
        net=Decimal(1900),
        open_orders=(resting,),
    )


def make_memory(view: MarketView) -> DeskMemory:
    """What the desk remembers: thirty quiet decisions, one every two days before the start of the tape."""
    chronicle = Chronicle(horizon_ms=24 * HOUR_MS, place=lambda: (0, ""))
    shelves = Shelves(horizon_ms=24 * HOUR_MS, every_ms=HOUR_MS)
    for number in range(30):
        decided = START_MS - (62 - 2 * number) * 24 * HOUR_MS
        later = decided + 24 * HOUR_MS
        episode = make_episode(number, desk="test", decided_ms=decided, moved_ms=later, closed_ms=later)
        shelves.add(episode)
        chronicle.episodes.append(episode)
    return DeskMemory(
        desk="test",
        as_of_ms=view.as_of_ms,
        states=lambda: states_at(view),
        shelves=shelves,
        chronicle=chronicle,
        lessons_of=shelves.lessons,
    )


def make_instrument(symbol: str) -> Instrument:
    base, quote, kind = parse_symbol(symbol)
    leverage = Decimal(10) if kind is InstrumentKind.PERP else Decimal(1)
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        kind=kind,
        tick=Decimal("0.01"),
        lot=Decimal("0.001"),
        max_leverage=leverage,
    )


@pytest.fixture(scope="session")
def tape() -> Tape:
    return make_tape()


@pytest.fixture
def make_context(tape: Tape) -> MakeContext:
    """Builds a context at a bar of a tape; ``overrides`` replace its fields."""

    def make(bar: int = 1200, *, market: Tape = tape, **overrides: object) -> ToolContext:
        view = TapeView(market, START_MS + bar * HOUR_MS)

        def rule(intent: TradeIntent) -> Verdict:
            asked = intent.quantity
            try:
                value = asked * decimal_from_float(view.quote(intent.instrument).price)
            except Unavailable:
                return Verdict(ruling=Ruling.REFUSED, quantity_before=asked, quantity_after=ZERO, rule="no_price")
            if value <= 1000:
                return Verdict(ruling=Ruling.ALLOWED, quantity_before=asked, quantity_after=asked)
            return Verdict(
                ruling=Ruling.REFUSED,
                quantity_before=asked,
                quantity_after=ZERO,
                rule="max_order_value",
                limit=Decimal(1000),
                value=value,
                unit="USDT",
                message="too large",
            )

        context = ToolContext(
            view=view,
            account=make_account(view),
            instruments={symbol: make_instrument(symbol) for symbol in market.symbols},
            limits=OneLimit(),
            preview=lambda intents: [rule(intent) for intent in intents],
            round_index=bar,
            memory=make_memory(view),
        )
        return replace(context, **overrides)  # type: ignore[arg-type]  # tests name the fields they replace

    return make


@pytest.fixture(scope="session")
def wide_tape() -> Tape:
    """Sixty instruments: more than fits into one answer."""
    return make_tape(symbols=(*SYMBOLS, *(f"COIN{number}-USDT-PERP" for number in range(57))), bars=1300)
