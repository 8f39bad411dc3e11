"""Ids, errors and orders on their way to an exchange and back, without one."""

from decimal import Decimal

import ccxt
import pytest

from tests.trading.venues.harness import order
from trading.domain import OrderStatus, OrderType, TimeInForce, ids
from trading.domain.errors import OrderRejected, RequestError, UnknownOrderState
from trading.venues.ccxt_venue import VENUES, venue_facts
from trading.venues.ccxt_venue.client_ids import from_wire, to_wire
from trading.venues.ccxt_venue.refusals import our_error
from trading.venues.ccxt_venue.translation import as_ccxt, venue_order

OURS = ids.client_order_id("october", "momentum", 3, 0)
SPOT = {"symbol": "BTC/USDT", "contract": False, "contractSize": None}
NANO = {"symbol": "BTC/USD:USD", "contract": True, "contractSize": "0.01"}


@pytest.mark.parametrize("exchange_id", VENUES)
def test_an_id_comes_back_as_it_went(exchange_id):
    form = venue_facts(exchange_id).id_form
    wire = to_wire(OURS, form)
    assert from_wire(wire, form) == OURS
    assert from_wire(wire.upper() if form != "plain" else wire, form).lower() in (OURS, wire.lower())
    assert from_wire("web_17", form) == "web_17"
    assert from_wire(None, form) == ""


def test_the_form_of_each_exchange():
    digits = OURS.removeprefix("tf-")
    assert to_wire(OURS, "hex128") == f"0x746600004000{digits}"
    assert len(to_wire(OURS, "hex128")) == 34
    assert [len(part) for part in to_wire(OURS, "uuid").split("-")] == [8, 4, 4, 4, 12]


@pytest.mark.parametrize("rubbish", ["", "tf-xyz", "tf-" + "0" * 40, "a b", "ü"])
def test_an_id_that_fits_no_form_is_refused(rubbish):
    for form in ("hex128", "uuid"):
        with pytest.raises(RequestError):
            to_wire(rubbish, form)
    if len(rubbish) != len("tf-xyz"):
        with pytest.raises(RequestError):
            to_wire(rubbish, "plain")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ccxt.RequestTimeout("binance POST"), None),
        (ccxt.NetworkError("reset"), None),
        (ccxt.ExchangeNotAvailable("503"), None),
        (ccxt.OnMaintenance("down"), None),
        (ccxt.ExchangeError("something new"), None),
        (ccxt.BadRequest("something wrong"), None),
        (KeyError("result"), None),
        (ConnectionResetError("peer"), None),
        (ccxt.DDoSProtection("429"), "rate_limited"),
        (ccxt.RateLimitExceeded("418"), "rate_limited"),
        (ccxt.InsufficientFunds("no"), "insufficient_funds"),
        (ccxt.BadSymbol("no"), "unknown_instrument"),
        (ccxt.InvalidNonce("ahead"), "clock_off"),
        (ccxt.AuthenticationError("key"), "not_permitted"),
        (ccxt.DuplicateOrderId("twice"), "duplicate_id"),
        (ccxt.InvalidOrder('{"code":-2010,"msg":"Duplicate order sent."}'), "duplicate_id"),
        (ccxt.ExchangeError('{"code":-4164,"msg":"Order\'s notional must be no smaller"}'), "below_min_notional"),
        (ccxt.InvalidOrder("whatever"), "other"),
    ],
)
def test_only_what_surely_was_not_done_is_a_rejection(error, code):
    found = our_error(error, venue_facts("binance"), "placing")
    assert isinstance(found, UnknownOrderState if code is None else OrderRejected)
    assert getattr(found, "code", None) == code


def test_an_expiry_goes_to_the_venue_that_keeps_it_and_stays_with_the_house_elsewhere():
    timed = order(1, kind=OrderType.LIMIT, limit="95", tif=TimeInForce.GTD, expires_ms=3_600_000)
    usdm = as_ccxt(timed, SPOT, venue_facts("binanceusdm"), now_ms=0)
    assert (usdm.params["timeInForce"], usdm.params["goodTillDate"]) == ("GTD", 3_600_000)
    near = as_ccxt(timed, SPOT, venue_facts("binanceusdm"), now_ms=3_500_000)
    assert near.params["timeInForce"] == "GTC", "nearer than the venue takes"
    assert as_ccxt(timed, SPOT, venue_facts("binance"), now_ms=0).params["timeInForce"] == "GTC"


def test_contracts_are_counted_as_the_market_counts():
    asked = as_ccxt(order(1, quantity="0.25", reduce_only=True), NANO, venue_facts("binance"), now_ms=0)
    assert (asked.amount, asked.params["reduceOnly"]) == ("25", True)
    told = {"amount": "25", "filled": "10", "status": "open", "id": "7", "clientOrderId": "tf-1"}
    back = venue_order(told, "BTC-USD-PERP", venue_facts("binance"), size=Decimal("0.01"))
    assert (back.quantity, back.filled, back.status) == (Decimal("0.25"), Decimal("0.1"), OrderStatus.PARTIALLY_FILLED)


def test_what_a_venue_has_no_word_for_is_refused():
    with pytest.raises(OrderRejected, match="trailing"):
        as_ccxt(
            order(1, kind=OrderType.TRAILING_STOP, trail="0.05"), SPOT, venue_facts("binance").__class__(), now_ms=0
        )
    with pytest.raises(OrderRejected, match="reduces nothing"):
        as_ccxt(order(1, reduce_only=True), SPOT, venue_facts("binance"), now_ms=0)
