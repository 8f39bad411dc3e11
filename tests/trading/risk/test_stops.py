"""Protective levels: by hand, on the right side, never loosened, blind to the future, and there without any past."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain import Instrument, InstrumentKind, Position
from trading.marketdata import Tape, TapeView
from trading.risk.sizing import Adjustment
from trading.risk.stops import ProtectiveLevels, StopRules, all_protective_levels, protective_levels

HOUR_MS = 3_600_000
SYMBOL = "A-USDT-PERP"
INSTRUMENT = Instrument(
    symbol=SYMBOL, base="A", quote="USDT", kind=InstrumentKind.PERP, tick=Decimal("0.01"), lot=Decimal("0.001")
)


def tape_of(close: np.ndarray, wick: float = 0.002) -> Tape:
    opened = np.concatenate([close[:1], close[:-1]])
    return Tape(
        symbols=(SYMBOL,),
        step_ms=HOUR_MS,
        open_ms=np.arange(len(close), dtype=np.int64) * HOUR_MS,
        open=opened[None],
        high=(np.maximum(opened, close) * (1 + wick))[None],
        low=(np.minimum(opened, close) * (1 - wick))[None],
        close=close[None],
        volume=np.ones((1, len(close))),
        source="simulated",
        funding={},
    )


def walk(seed: int, count: int = 400, deviation: float = 0.006) -> np.ndarray:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, deviation, count)))


def held(side: int, price: float, quantity: str = "2") -> Position:
    amount = Decimal(quantity) * side
    return Position(instrument=SYMBOL, quantity=amount, cost=amount * Decimal(repr(price)))


def at(tape: Tape, bar: int) -> TapeView:
    return TapeView(tape, bar * HOUR_MS)


def followed(tape: Tape, position: Position, bars: range, rules: StopRules | None = None) -> list[ProtectiveLevels]:
    levels, found = None, []
    for bar in bars:
        levels = protective_levels(position, at(tape, bar), INSTRUMENT, previous=levels, rules=rules, regime="x")
        found.append(levels)
    return found


@pytest.mark.parametrize("side", [1, -1])
def test_first_levels_by_talib(side: int) -> None:
    tape = tape_of(walk(1))
    view = at(tape, 300)
    price = view.quote(SYMBOL).price
    found = protective_levels(held(side, price), view, INSTRUMENT, regime="none of ours")
    bars = view.bars(SYMBOL, 256)
    true_range = talib.ATR(bars.high, bars.low, bars.close, 14)[-1]
    assert found.distance == pytest.approx(3 * true_range)
    assert float(found.stop) == pytest.approx(price - side * 3 * true_range, abs=0.011)
    assert float(found.take_profit) == pytest.approx(price + side * 7.5 * true_range, abs=0.011)
    # On the grid towards the price: a rounded stop never risks more than was meant.
    assert side * (float(found.stop) - (price - side * found.distance)) >= -1e-9
    assert not found.breached


def test_the_stop_follows_and_the_target_stays() -> None:
    close = np.concatenate([np.full(300, 100.0) + np.tile([0.1, -0.1], 150), np.linspace(100, 112, 60)])
    found = followed(tape_of(close), held(1, 100.0), range(300, 360))
    stops = [levels.stop for levels in found]
    assert stops == sorted(stops)
    assert stops[0] < 100 < stops[-1]
    assert found[-1].trailing
    assert not found[0].trailing
    assert len({levels.take_profit for levels in found}) == 1
    assert len({levels.distance for levels in found}) == 1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), side=st.sampled_from((1, -1)), deviation=st.floats(0.0005, 0.05))
def test_a_stop_is_never_loosened(seed: int, side: int, deviation: float) -> None:
    tape = tape_of(walk(seed, 340, deviation))
    price = at(tape, 290).quote(SYMBOL).price
    found = followed(tape, held(side, price), range(290, 335))
    for before, after in pairwise(found):
        assert side * (after.stop - before.stop) >= 0
        assert side * (after.best - before.best) >= 0
    first = found[0]
    assert side * (price - float(first.stop)) > 0 or first.breached
    assert side * (float(first.take_profit) - price) > 0
    # Within the bounds as fractions of the price, but for a tick.
    assert 0.004 * price - 0.011 <= abs(price - float(first.stop)) <= 0.15 * price + 0.011


def test_the_future_makes_no_difference() -> None:
    close = walk(4)
    changed = close.copy()
    changed[320:] *= 3
    one, other = (followed(tape_of(values), held(1, 100.0), range(280, 321)) for values in (close, changed))
    assert one == other


def test_turbulence_widens_and_calm_narrows() -> None:
    rng = np.random.default_rng(5)
    found = {}
    for name, factor in (("calm", 0.3), ("normal", 1.0), ("turbulent", 4.0)):
        returns = rng.normal(0, 0.005, 400) * np.where(np.arange(400) < 370, 1.0, factor)
        found[name] = protective_levels(
            held(1, 100.0), at(tape_of(100 * np.exp(np.cumsum(returns)), 0), 400), INSTRUMENT
        )
    assert [levels.regime for levels in found.values()] == ["calm", "normal", "turbulent"]
    tape = tape_of(walk(6))
    wide, narrow = (
        protective_levels(held(1, 100.0), at(tape, 300), INSTRUMENT, regime=name) for name in ("turbulent", "calm")
    )
    assert wide.distance > narrow.distance


def test_a_mood_moves_the_first_levels_only_within_its_bounds() -> None:
    view = at(tape_of(walk(7)), 300)
    plain = protective_levels(held(1, 100.0), view, INSTRUMENT, regime="x")
    greedy = protective_levels(held(1, 100.0), view, INSTRUMENT, regime="x", adjustment=Adjustment(stop=1.15))
    assert greedy.distance == pytest.approx(1.15 * plain.distance)


def test_without_a_past_there_is_still_a_stop() -> None:
    found = protective_levels(held(1, 100.0), at(tape_of(np.full(5, 100.0)), 5), INSTRUMENT)
    assert found.stop == Decimal("95.00")
    assert "not known yet" in found.reason


def test_a_price_beyond_the_stop_says_so() -> None:
    tape = tape_of(np.concatenate([walk(8, 300), np.full(3, 10.0)]))
    before = protective_levels(held(1, 100.0), at(tape, 300), INSTRUMENT)
    after = protective_levels(held(1, 100.0), at(tape, 301), INSTRUMENT, previous=before)
    assert after.breached
    assert after.stop == before.stop


def test_turned_round_it_starts_anew_and_flat_has_none() -> None:
    view = at(tape_of(walk(9)), 300)
    long = protective_levels(held(1, 100.0), view, INSTRUMENT)
    short = protective_levels(held(-1, 100.0), view, INSTRUMENT, previous=long)
    assert short.stop > 100 > long.stop
    assert protective_levels(Position(instrument=SYMBOL), view, INSTRUMENT) is None


def test_adding_to_a_position_keeps_its_stop() -> None:
    view = at(tape_of(walk(10)), 300)
    price = view.quote(SYMBOL).price
    first = protective_levels(held(1, price), view, INSTRUMENT)
    more = protective_levels(held(1, price * 0.999, "5"), view, INSTRUMENT, previous=first)
    assert more.stop >= first.stop
    assert more.take_profit < first.take_profit


def test_all_positions_and_those_without_a_price() -> None:
    tape = replace(tape_of(walk(11)), close=np.full((1, 400), np.nan))
    priced = at(tape_of(walk(11)), 300)
    positions = {SYMBOL: held(1, 100.0)}
    first = all_protective_levels(positions, priced, {SYMBOL: INSTRUMENT}, {})
    assert set(first) == {SYMBOL}
    assert all_protective_levels({}, priced, {}, first) == {}
    blind = TapeView(tape, 0)
    assert all_protective_levels(positions, blind, {SYMBOL: INSTRUMENT}, {}) == {}
    assert all_protective_levels(positions, blind, {SYMBOL: INSTRUMENT}, first)[SYMBOL].stop == first[SYMBOL].stop


@pytest.mark.parametrize(
    "wrong", [{"stop": 0}, {"trail": float("nan")}, {"nearest": 0.2}, {"furthest": 1.0}, {"by_regime": {"x": -1.0}}]
)
def test_rules_that_are_none(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        StopRules(**wrong)
