"""What people type becomes a ticket or one line that says what is wrong with it."""

from decimal import Decimal

import pytest

from arena.tickets.order import Sizes, order_ticket
from trading.domain.account import AccountView
from trading.domain.errors import RequestError
from trading.domain.instrument import Instrument, InstrumentKind
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.position import Position

BTC = "BTC-USDT-PERP"


def sizes(held: str = "0", price: str = "50000") -> Sizes:
    """An account that holds ``held`` bitcoin, and a grid of thousandths."""
    position = Position(instrument=BTC, quantity=Decimal(held), cost=Decimal(held) * 50_000)
    account = AccountView(
        desk="you",
        as_of_ms=0,
        quote="USDT",
        cash=Decimal(10_000),
        positions={BTC: position} if Decimal(held) else {},
        marks={BTC: Decimal(price)},
        equity=Decimal(10_000),
        peak_equity=Decimal(10_000),
        gross=Decimal(0),
        net=Decimal(0),
    )
    instrument = Instrument(
        symbol=BTC, base="BTC", quote="USDT", kind=InstrumentKind.PERP, tick=Decimal("0.1"), lot=Decimal("0.001")
    )
    return Sizes(account=account, price=Decimal(price), instrument=instrument)


def test_a_market_ticket_of_a_quantity_is_that_quantity_on_the_lots():
    intent = order_ticket(instrument=BTC, side="buy", quantity="0.0129").intent(sizes())
    assert (intent.side, intent.quantity, intent.order_type) == (Side.BUY, Decimal("0.012"), OrderType.MARKET)
    assert intent.time_in_force is TimeInForce.GTD


@pytest.mark.parametrize(
    ("fields", "quantity"),
    [
        ({"order_type": "market"}, "0.02"),
        ({"order_type": "limit", "limit_price": "40000"}, "0.025"),
        ({"order_type": "stop", "trigger_price": "80000"}, "0.012"),
    ],
)
def test_a_value_is_counted_at_the_price_it_trades_at(fields, quantity):
    intent = order_ticket(instrument=BTC, side="buy", value="1000", **fields).intent(sizes())
    assert intent.quantity == Decimal(quantity)


def test_what_rests_stands_until_it_is_cancelled():
    intent = order_ticket(
        instrument=BTC, side="sell", quantity="1", order_type="limit", limit_price="60000", reduce_only=True
    ).intent(sizes())
    assert intent.time_in_force is TimeInForce.GTC
    assert intent.reduce_only


@pytest.mark.parametrize(("held", "side"), [("0.5", Side.SELL), ("-0.25", Side.BUY)])
def test_a_close_takes_the_whole_position_and_can_only_reduce(held, side):
    intent = order_ticket(instrument=BTC, close=True).intent(sizes(held))
    assert (intent.side, intent.quantity, intent.reduce_only) == (side, abs(Decimal(held)), True)


def test_a_bracket_goes_with_the_order_that_opens():
    intent = order_ticket(instrument=BTC, side="buy", quantity="1", stop_loss="49000", take_profit="52000").intent(
        sizes()
    )
    assert (intent.stop_loss, intent.take_profit) == (Decimal(49_000), Decimal(52_000))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"side": "buy"}, "neither of quantity and value"),
        ({"side": "buy", "quantity": "1", "value": "5"}, "both of quantity and value"),
        ({"quantity": "1"}, "side is missing"),
        ({"side": "hold", "quantity": "1"}, "side: found 'hold'"),
        ({"side": "buy", "quantity": "much"}, "quantity: found 'much'"),
        ({"side": "buy", "quantity": "-1"}, "quantity: found '-1'"),
        ({"side": "buy", "quantity": "NaN"}, "quantity: found 'NaN'"),
        ({"side": "buy", "quantity": "1e400"}, "quantity"),
        ({"side": "buy", "quantity": "1", "order_type": "limit"}, "limit_price belongs to limit"),
        ({"side": "buy", "quantity": "1", "limit_price": "5"}, "limit_price belongs to limit"),
        ({"side": "buy", "quantity": "1", "order_type": "iceberg"}, "order type: found 'iceberg'"),
        ({"side": "buy", "quantity": "1", "stop_loss": "9", "take_profit": "8"}, "stand on the wrong sides"),
        ({"close": True, "side": "buy"}, "closing a position takes its instrument"),
        ({"side": "buy", "quantity": "1", "leverage": "100"}, "leverage"),
    ],
)
def test_rubbish_is_refused_in_one_line(fields, said):
    with pytest.raises(RequestError) as refused:
        order_ticket(instrument=BTC, **fields)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_less_than_a_lot_and_nothing_to_close_are_refused():
    with pytest.raises(RequestError, match="less than one lot"):
        order_ticket(instrument=BTC, side="buy", value="1").intent(sizes())
    with pytest.raises(RequestError, match="no position in BTC-USDT-PERP to close"):
        order_ticket(instrument=BTC, close=True).intent(sizes())
