"""What the algorithms ask for, without a market: sums, windows, curves, and what waiting costs."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import instrument
from trading.domain import Side
from trading.domain.errors import RequestError
from trading.execution.algos import (
    Adaptive,
    Iceberg,
    MarketState,
    Parent,
    Progress,
    ShareOfVolume,
    Twap,
    Vwap,
    implementation_shortfall,
    volume_curve,
)
from trading.execution.algos.volume_curve import DAY_MS, volume_by
from trading.execution.patience import NextStep, Patience
from trading.marketdata.depth import Depth
from trading.stats.impact import square_root_impact

HOUR = 3_600_000
EVEN = np.full(24, 1 / 24)
BOOK = Depth(
    bid_prices=np.array([99.99, 99.98]),
    bid_sizes=np.array([5.0, 10.0]),
    ask_prices=np.array([100.01, 100.02]),
    ask_sizes=np.array([5.0, 10.0]),
)


def parent(quantity: str = "10", *, side: Side = Side.BUY, lot: str = "0.001", end_ms: int = HOUR, **more) -> Parent:
    return Parent(
        parent_id="p",
        client_id="c",
        desk="a",
        instrument=instrument(lot=Decimal(lot)),
        side=side,
        quantity=Decimal(quantity),
        start_ms=0,
        end_ms=end_ms,
        arrival=Decimal(100),
        collar=Decimal("0.01"),
        **more,
    )


def state(now_ms: int, **more) -> MarketState:
    return MarketState(now_ms=now_ms, depth=BOOK, **more)


def played(algorithm, order: Parent, steps: int, **more) -> list[Decimal]:
    """Every wish filled at once, step by step."""
    filled, sizes = Decimal(0), []
    for now_ms in np.linspace(order.start_ms, order.end_ms - 1, steps).astype(int):
        wish = algorithm.wish(order, Progress(filled=filled), state(int(now_ms), **more))
        if wish is not None:
            sizes.append(wish.quantity)
            filled += wish.quantity
    return sizes


@settings(max_examples=100, deadline=None)
@given(lots=st.integers(1, 10**6), slices=st.integers(1, 60), seed=st.integers(0, 99))
def test_slices_are_whole_lots_and_sum_to_the_last_of_them(lots, slices, seed):
    lot = Decimal("0.003")
    order = parent(str(lots * lot), lot="0.003")
    curve = np.random.default_rng(seed).random(96)
    for algorithm in (Twap(slices=slices), Vwap(slices=slices, curve=curve / curve.sum())):
        sizes = played(algorithm, order, 4 * slices)
        assert sum(sizes) == order.quantity
        assert all(size % lot == 0 for size in sizes)
        assert len(sizes) <= slices


def test_even_slices_are_even():
    assert played(Twap(slices=4), parent("10"), 8) == [Decimal("2.5")] * 4


def test_vwap_follows_the_curve():
    curve = np.zeros(24)
    curve[0], curve[1] = 0.75, 0.25
    sizes = played(Vwap(slices=2, curve=curve), parent("10", end_ms=2 * HOUR), 8)
    assert sizes == [Decimal("7.5"), Decimal("2.5")]


def test_a_curve_is_the_mean_share_of_each_part_of_the_day():
    open_ms = np.arange(0, 3 * DAY_MS, HOUR, dtype=np.int64)
    volume = np.tile(np.arange(24.0), 3) * np.repeat([1.0, 2.0, 3.0], 24)
    volume[5] = np.nan
    curve = volume_curve(open_ms, volume, bucket_ms=HOUR)
    assert curve.sum() == pytest.approx(1)
    assert curve[10] / curve[20] == pytest.approx(0.5)
    assert volume_curve(open_ms[:0], volume[:0], bucket_ms=HOUR) == pytest.approx(EVEN)
    assert volume_by(curve, 0, DAY_MS, DAY_MS) == 1.0
    assert volume_by(EVEN, HOUR // 2, HOUR * 3 // 2, HOUR) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="do not divide"):
        volume_curve(open_ms, volume, bucket_ms=7 * HOUR)


def test_a_share_of_volume_is_never_ahead_of_the_public():
    order, algorithm = parent("10"), ShareOfVolume(participation=0.1)
    assert algorithm.wish(order, Progress(), state(0, traded=0.0)) is None
    assert algorithm.wish(order, Progress(), state(1, traded=30.0)).quantity == 3
    assert algorithm.wish(order, Progress(filled=Decimal(3)), state(2, traded=30.0)) is None
    assert algorithm.wish(order, Progress(filled=Decimal(3)), state(3, traded=1e6)).quantity == 7


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, "99.99"), (Side.SELL, "100.01")])
def test_an_iceberg_shows_a_clip_at_its_own_best_price(side, limit):
    wish = Iceberg(clip=Decimal(2)).wish(parent("5", side=side), Progress(filled=Decimal(4)), state(0))
    assert (wish.quantity, wish.limit) == (Decimal(1), Decimal(limit))


def test_the_adaptive_one_waits_on_schedule_and_takes_behind_it():
    order, algorithm = parent("10"), Adaptive(slices=10, tolerance=0.1)
    assert algorithm.wish(order, Progress(), state(0)).limit == Decimal("99.99")
    behind = algorithm.wish(order, Progress(), state(HOUR * 15 // 100))
    assert behind.limit is None
    assert behind.quantity == 2
    runs_away = algorithm.wish(order, Progress(), state(0, forecast=0.01))
    assert runs_away.limit is None
    assert runs_away.quantity == 2
    assert algorithm.wish(order, Progress(), state(0, forecast=-0.01)).limit is not None
    thin = algorithm.wish(order, Progress(), state(0, forecast=0.01, volatility=0.02, volume=100.0))
    # The spread of two basis points is what 0.02 x sqrt(q / 100) reaches at q = 0.01.
    assert thin.quantity == Decimal("0.01") or thin.quantity == Decimal("0.009")
    assert algorithm.wish(order, Progress(), state(HOUR - 1)).quantity == 10


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"quantity": "0"}, "whole lots"),
        ({"quantity": "1.0005"}, "whole lots"),
        ({"end_ms": 0}, "end after"),
    ],
)
def test_a_parent_that_makes_no_sense_is_refused(bad, words):
    with pytest.raises(RequestError, match=words):
        parent(**bad)


def test_shortfall_is_paper_against_reality():
    # Perold: 100 decided at 50; 60 bought at 50.50 and 20 at 51, the close is 52; fees 10.
    found = implementation_shortfall(
        Side.BUY,
        Decimal(100),
        Decimal(50),
        [(Decimal("50.5"), Decimal(60)), (Decimal(51), Decimal(20))],
        fees=Decimal(10),
        final=Decimal(52),
    )
    assert (found.paid, found.missed, found.filled) == (Decimal(60), Decimal(40), Decimal(80))
    assert found.bps == 200
    sold = implementation_shortfall(Side.SELL, Decimal(10), Decimal(50), [(Decimal(49), Decimal(10))])
    assert (sold.paid, sold.bps) == (Decimal(10), Decimal(200))


def test_impact_grows_with_the_root_of_size():
    one = square_root_impact(1.0, volume=100.0, volatility=0.02)
    assert one == pytest.approx(0.002)
    assert square_root_impact(4.0, volume=100.0, volatility=0.02) == pytest.approx(2 * one)
    assert math.isnan(square_root_impact(1.0, volume=0.0, volatility=0.02))


def test_patience_ends():
    patience = Patience(wait_ms=100, retries=2)
    assert [patience.next_step(99, 0), patience.next_step(100, 1), patience.next_step(100, 2)] == [
        NextStep.WAIT,
        NextStep.REQUOTE,
        NextStep.ESCALATE,
    ]
