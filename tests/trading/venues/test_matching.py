"""How orders fill on bars: pure matching, by hand and by chance."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import HOUR_MS, PERP, START_MS, instrument
from trading.domain import Liquidity, Order, OrderType, Side
from trading.venues.simulated.matching import BarPrices, match, slipped

LISTED = instrument()
BAR = BarPrices(open_ms=START_MS, step_ms=HOUR_MS, open=100.0, high=104.0, low=96.0)
NO_SLIP, SLIP = Decimal(0), Decimal("0.001")


def order(side: Side, *, limit: str | None = None, late_ms: int = 0, quantity: str = "1") -> Order:
    """An order that arrives ``late_ms`` after the bar opened."""
    return Order(
        order_id="o",
        client_order_id="c",
        intent_id="i",
        desk="a",
        instrument=PERP,
        side=side,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        quantity=Decimal(quantity),
        limit_price=None if limit is None else Decimal(limit),
        sent_ms=START_MS + min(0, late_ms),
        arrives_ms=START_MS + late_ms,
    )


@pytest.mark.parametrize(
    ("side", "late_ms", "price"),
    [
        (Side.BUY, 0, "100"),
        (Side.SELL, 0, "100"),
        (Side.BUY, -5 * HOUR_MS, "100"),  # it waited through missing bars
        (Side.BUY, HOUR_MS // 4, "102"),  # a quarter of the bar: half of the way to the high
        (Side.SELL, HOUR_MS // 4, "98"),
        (Side.BUY, HOUR_MS // 100, "100.4"),
        (Side.SELL, HOUR_MS * 81 // 100, "96.4"),
    ],
)
def test_a_market_order_pays_for_its_latency(side, late_ms, price):
    found = match(order(side, late_ms=late_ms), BAR, LISTED, NO_SLIP)
    assert (found.price, found.liquidity) == (Decimal(price), Liquidity.TAKER)
    assert found.ts_ms == START_MS + max(0, late_ms)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "100.10"), (Side.SELL, "99.90")])
def test_slippage_is_added_against_the_order(side, price):
    assert match(order(side), BAR, LISTED, SLIP).price == Decimal(price)


@pytest.mark.parametrize(
    ("side", "price", "filled"),
    [
        (Side.BUY, "100.0001", "100.11"),
        (Side.BUY, "99.99", "100.09"),
        (Side.SELL, "100.0001", "99.90"),
        (Side.SELL, "99.99", "99.89"),
        (Side.SELL, "0.001", "0.01"),  # never for nothing
    ],
)
def test_slipped_prices_are_rounded_against_the_order(side, price, filled):
    assert slipped(Decimal(price), side, LISTED, SLIP) == Decimal(filled)


@pytest.mark.parametrize(
    ("side", "limit", "fills"),
    [
        (Side.BUY, "96.00", False),  # a touch
        (Side.BUY, "95.99", False),
        (Side.BUY, "96.01", True),
        (Side.SELL, "104.00", False),
        (Side.SELL, "104.01", False),
        (Side.SELL, "103.99", True),
    ],
)
@pytest.mark.parametrize("late_ms", [0, -HOUR_MS, 250])
def test_a_resting_limit_fills_only_when_traded_through(side, limit, fills, late_ms):
    found = match(order(side, limit=limit, late_ms=late_ms), BAR, LISTED, SLIP)
    if fills:
        assert (found.price, found.liquidity) == (Decimal(limit), Liquidity.MAKER)
    else:
        assert found is None


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "100.00", "100.00"),  # slippage would go beyond the limit
        (Side.BUY, "100.05", "100.05"),
        (Side.BUY, "102.00", "100.10"),
        (Side.SELL, "100.00", "100.00"),
        (Side.SELL, "97.00", "99.90"),
    ],
)
def test_a_marketable_limit_takes_and_never_beyond_its_limit(side, limit, price):
    found = match(order(side, limit=limit), BAR, LISTED, SLIP)
    assert (found.price, found.liquidity) == (Decimal(price), Liquidity.TAKER)


@pytest.mark.parametrize(("late_ms", "fills"), [(HOUR_MS // 20, True), (HOUR_MS // 20 + 1, False)])
def test_a_bar_well_gone_cannot_fill_what_arrived_in_it_passively(late_ms, fills):
    assert (match(order(Side.BUY, limit="97", late_ms=late_ms), BAR, LISTED, SLIP) is not None) is fills


def test_latency_can_make_a_limit_not_marketable():
    # On arrival a quarter into the bar the price is taken as 102.
    late = order(Side.BUY, limit="101", late_ms=HOUR_MS // 4)
    assert match(late, BAR, LISTED, SLIP) is None
    assert match(order(Side.BUY, limit="101"), BAR, LISTED, SLIP).liquidity is Liquidity.TAKER


@pytest.mark.parametrize(("side", "limit", "price"), [(Side.BUY, "110", "104"), (Side.SELL, "90", "96")])
def test_after_a_gap_a_resting_limit_fills_within_the_bar_at_its_worst(side, limit, price):
    found = match(order(side, limit=limit, late_ms=-HOUR_MS), BAR, LISTED, SLIP)
    assert (found.price, found.liquidity) == (Decimal(price), Liquidity.MAKER)


PRICES = st.floats(1, 10**5).map(lambda price: round(price, 4))


@given(
    st.lists(PRICES, min_size=4, max_size=4).map(sorted),
    st.booleans(),
    st.integers(-3 * HOUR_MS, HOUR_MS - 1),
    st.sampled_from(Side),
    st.one_of(st.none(), PRICES),
    st.sampled_from([NO_SLIP, Decimal("0.0002"), Decimal("0.1")]),
)
def test_no_fill_is_better_than_its_bar_or_worse_than_its_limit(corners, rising, late_ms, side, limit, slippage):
    low, one, _, high = corners
    bar = BarPrices(open_ms=START_MS, step_ms=HOUR_MS, open=one if rising else high, high=high, low=low)
    limit_text = None if limit is None else str(LISTED.limit_price(Decimal(repr(limit)), side.sign))
    sent = order(side, limit=limit_text, late_ms=late_ms)
    found = match(sent, bar, LISTED, slippage)
    if limit is None:
        assert found is not None
    if found is None:
        return
    tick = LISTED.tick
    assert found.price % tick == 0
    assert START_MS <= found.ts_ms < START_MS + HOUR_MS
    assert found.ts_ms >= sent.arrives_ms
    worse = slippage if found.liquidity is Liquidity.TAKER else Decimal(0)
    lowest = Decimal(repr(low)) * (1 - (worse if side is Side.SELL else 0)) - tick
    highest = Decimal(repr(high)) * (1 + (worse if side is Side.BUY else 0)) + tick
    assert lowest <= found.price <= highest
    if sent.limit_price is not None:
        assert (found.price - sent.limit_price) * side.sign <= 0
    if found.liquidity is Liquidity.TAKER and sent.limit_price is None:
        gone = max(0, late_ms) / HOUR_MS
        extreme = high if side is Side.BUY else low
        reference = bar.open + (extreme - bar.open) * math.sqrt(gone)
        assert (float(found.price) - reference) * side.sign >= -1e-6, "never better than the price on arrival"
