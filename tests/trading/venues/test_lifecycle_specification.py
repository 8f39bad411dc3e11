"""What every venue must do with every kind of order: one specification, run against each of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.markets import PERP, SPOT, Candle, flat
from tests.trading.venues.harness import BOTH, CAPITAL, EXPIRING, PAIRING, PERPETUAL, VENUES, Harness, order
from trading.domain import Order, OrderStatus, OrderType, TimeInForce
from trading.domain.errors import OrderRejected

S, T, F = OrderStatus, OrderType, TimeInForce
DIP: list[Candle] = [*flat(100, 1), (100, 101, 94, 100), *flat(100, 2)]
RISE: list[Candle] = [*flat(100, 1), (100, 106, 99.5, 105), *flat(105, 2)]


@pytest.fixture(params=sorted(VENUES))
def build(request):
    return VENUES[request.param]


def on(harness: Harness, placed: Order) -> Order:
    """The order for the instrument that the venue trades."""
    return replace(placed, instrument=harness.symbol) if placed.instrument == PERP else placed


def status(harness: Harness, placed: Order) -> OrderStatus:
    placed = on(harness, placed)
    found = asyncio.run(harness.venue.order(placed.client_order_id, placed.instrument))
    assert found is not None
    return found.status


def played(build, candles: Sequence[Candle], *orders: Order, bars: int = 2) -> Harness:
    harness = build(candles)
    for one in orders:
        acknowledged = asyncio.run(harness.venue.place(on(harness, one)))
        assert acknowledged.status is S.OPEN
        assert acknowledged.client_order_id == one.client_order_id
    harness.step(bars)
    return harness


def fills(harness: Harness) -> list[tuple[str, str]]:
    """Price and quantity of each fill told."""
    return [(f"{fill.price:f}", f"{fill.quantity:f}") for fill in asyncio.run(harness.venue.fills_since(0))]


CASES = [
    ("a market order takes", flat(100, 3), order(1), S.FILLED, [("100", "1")]),
    ("a limit order rests", flat(100, 3), order(1, kind=T.LIMIT, limit="95"), S.OPEN, []),
    ("a limit order fills at its limit", DIP, order(1, kind=T.LIMIT, limit="95"), S.FILLED, [("95", "1")]),
    ("a crossing limit takes", flat(100, 3), order(1, kind=T.LIMIT, limit="101"), S.FILLED, [("100", "1")]),
    ("post-only rests", DIP, order(1, kind=T.LIMIT, limit="95", post_only=True), S.FILLED, [("95", "1")]),
    ("post-only never takes", DIP, order(1, kind=T.LIMIT, limit="101", post_only=True), S.REJECTED, []),
    ("IOC takes", DIP, order(1, kind=T.LIMIT, limit="101", tif=F.IOC), S.FILLED, [("100", "1")]),
    ("IOC does not rest", DIP, order(1, kind=T.LIMIT, limit="95", tif=F.IOC), S.EXPIRED, []),
    ("FOK takes the whole", DIP, order(1, kind=T.LIMIT, limit="101", tif=F.FOK), S.FILLED, [("100", "1")]),
    ("FOK does not rest", DIP, order(1, kind=T.LIMIT, limit="95", tif=F.FOK), S.EXPIRED, []),
    ("a buy stop waits above", RISE, order(1, kind=T.STOP, trigger="104"), S.FILLED, [("104", "1")]),
    ("a buy stop below is refused", RISE, order(1, kind=T.STOP, trigger="99"), S.REJECTED, []),
    ("a stop that nothing touches waits", DIP, order(1, kind=T.STOP, trigger="104"), S.OPEN, []),
    (
        "a stop-limit takes within its limit",
        RISE,
        order(1, kind=T.STOP_LIMIT, trigger="104", limit="104.5"),
        S.FILLED,
        [("104", "1")],
    ),
    (
        "a stop-limit beyond its limit rests",
        [*flat(100, 1), (110, 111, 109, 110), *flat(110, 2)],
        order(1, kind=T.STOP_LIMIT, trigger="104", limit="104.5"),
        S.OPEN,
        [],
    ),
    ("a buy take-profit waits below", DIP, order(1, kind=T.TAKE_PROFIT, trigger="96"), S.FILLED, [("96", "1")]),
    (
        "a trailing buy follows the low",
        [(100, 100, 90, 90), (90, 95, 90, 95), *flat(95, 2)],
        order(1, kind=T.TRAILING_STOP, trail="0.05"),
        S.FILLED,
        [("94.5", "1")],
    ),
]


@pytest.mark.parametrize(("candles", "placed", "ends", "filled"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_becomes_of_an_order(build, candles, placed, ends, filled):
    harness = played(build, candles, placed)
    assert status(harness, placed) is ends
    assert fills(harness) == filled
    listed = [one.client_order_id for one in asyncio.run(harness.venue.open_orders())]
    assert listed == ([placed.client_order_id] if ends is S.OPEN else [])


@pytest.mark.parametrize("name", PERPETUAL)
def test_reduce_only_opens_nothing(name):
    harness = played(VENUES[name], flat(100, 3), order(1, reduce_only=True))
    assert status(harness, order(1)) is S.REJECTED
    assert fills(harness) == []


@pytest.mark.parametrize("name", EXPIRING)
def test_one_that_expires_does_so_and_not_before(name):
    harness = VENUES[name](flat(100, 4))
    placed = order(1, kind=T.LIMIT, limit="95", tif=F.GTD, expires_ms=harness.exchange.now_ms + 2 * 3_600_000)
    asyncio.run(harness.venue.place(placed))
    harness.step(2)
    assert status(harness, placed) is S.OPEN
    harness.step(1)
    assert status(harness, placed) is S.EXPIRED


def test_a_client_id_is_used_once(build):
    harness = played(build, flat(100, 3), order(1))
    with pytest.raises(OrderRejected) as refused:
        asyncio.run(harness.venue.place(on(harness, order(1))))
    assert refused.value.code == "duplicate_id"
    assert len(fills(harness)) == 1


@pytest.mark.parametrize(
    ("placed", "code"),
    [
        (order(1, symbol="DOGE-USDT-PERP"), "unknown_instrument"),
        (order(1, quantity="0.0005"), "off_grid"),
        (order(1, quantity="0"), "off_grid"),
        (order(1, kind=T.LIMIT, limit="95.001"), "off_grid"),
        (order(1, kind=T.STOP, trigger="-1"), "off_grid"),
        (order(1, quantity="0.04"), "below_min_notional"),
    ],
)
def test_what_no_market_is_needed_to_refuse_is_refused_at_once(build, placed, code):
    harness = build(flat(100, 3))
    placed = on(harness, placed)
    with pytest.raises(OrderRejected) as refused:
        asyncio.run(harness.venue.place(placed))
    assert refused.value.code == code
    assert asyncio.run(harness.venue.order(placed.client_order_id, placed.instrument)) is None


def test_a_cancelled_order_fills_no_more(build):
    harness = build(DIP)
    placed = on(harness, order(1, kind=T.LIMIT, limit="95"))
    asyncio.run(harness.venue.place(placed))
    for _ in range(2):
        assert asyncio.run(harness.venue.cancel(placed.client_order_id, harness.symbol)).status is S.CANCELLED
    harness.step(3)
    assert fills(harness) == []


def test_a_cancellation_that_comes_too_late_says_so(build):
    harness = played(build, flat(100, 3), order(1))
    assert asyncio.run(harness.venue.cancel("tf-1", harness.symbol)).status is S.FILLED


def test_what_is_not_known_is_not_invented(build):
    harness = build(flat(100, 3))
    assert asyncio.run(harness.venue.order("tf-9", harness.symbol)) is None
    with pytest.raises(OrderRejected):
        asyncio.run(harness.venue.cancel("tf-9", harness.symbol))


@pytest.mark.parametrize("name", PAIRING)
def test_of_a_pair_one_cancels_the_other(name):
    harness = VENUES[name]([*flat(100, 1), (100, 106, 99, 105), *flat(105, 2)])
    asyncio.run(harness.venue.place(order(1, quantity="2")))
    harness.step()
    guards = {"reduce_only": True, "oco_group": "pair"}
    stop = order(2, "sell", "2", T.STOP, trigger="95", **guards)
    profit = order(3, "sell", "2", T.TAKE_PROFIT, trigger="104", **guards)
    for one in (stop, profit):
        asyncio.run(harness.venue.place(one))
    harness.step()
    assert (status(harness, stop), status(harness, profit)) == (S.CANCELLED, S.FILLED)
    assert asyncio.run(harness.venue.positions()) == {}


@pytest.mark.parametrize("name", PAIRING)
def test_of_a_pair_that_one_bar_touches_both_the_stop_is_taken(name):
    harness = VENUES[name]([*flat(100, 1), (100, 106, 94, 105), *flat(105, 2)])
    asyncio.run(harness.venue.place(order(1, quantity="2")))
    harness.step()
    guards = {"reduce_only": True, "oco_group": "pair"}
    profit = order(2, "sell", "2", T.TAKE_PROFIT, trigger="104", **guards)
    stop = order(3, "sell", "2", T.STOP, trigger="95", **guards)
    for one in (profit, stop):
        asyncio.run(harness.venue.place(one))
    harness.step()
    assert (status(harness, stop), status(harness, profit)) == (S.FILLED, S.CANCELLED)


def test_books_agree_with_the_fills(build):
    harness = played(build, flat(100, 3), order(1, quantity="3"), bars=1)
    asyncio.run(harness.venue.place(on(harness, order(2, "sell", "1"))))
    harness.step()
    told = asyncio.run(harness.venue.fills_since(0))
    assert len({fill.venue_fill_id for fill in told}) == 2
    assert asyncio.run(harness.venue.positions()) == {harness.symbol: Decimal(2)}
    fees = sum(fill.fee for fill in told)
    assert fees == Decimal(4) * 100 * Decimal("0.0005")
    spent, held = (0, {}) if harness.symbol == PERP else (200, {"SOL": Decimal(2)})
    assert asyncio.run(harness.venue.balances()) == {"USDT": CAPITAL - fees - spent, **held}
    assert asyncio.run(harness.venue.fills_since(told[-1].ts_ms + 1)) == ()


@pytest.mark.parametrize("name", BOTH)
def test_an_account_holds_spot_and_perpetuals_side_by_side(name):
    harness = played(VENUES[name], flat(100, 3), order(1, quantity="2"), order(2, quantity="2", symbol=SPOT), bars=1)
    assert asyncio.run(harness.venue.positions()) == {PERP: Decimal(2), SPOT: Decimal(2)}
    fees = Decimal(4) * 100 * Decimal("0.0005")
    assert asyncio.run(harness.venue.balances()) == {"USDT": CAPITAL - fees - 200, "SOL": Decimal(2)}
