"""Before real orders: three keys and a cap, an account that is flat, and rubbish in every one of them."""

import asyncio
from decimal import Decimal

import pytest

from arena.autonomous.latch import LIMITS_FILE, open_latch
from arena.settings import Settings
from tests.arena.autonomous.followed import rules_of
from tests.trading.markets import FREE, HOUSE, PERP, instrument, tape_of
from trading.domain import OrderType, Side
from trading.domain.errors import ConfigError, OrderRejected
from trading.domain.order import Order
from trading.execution.capped import CappedVenue, check_flat
from trading.execution.paper import PaperVenue

GOOD = 'max_order_value = "500"\nmax_gross_exposure = "1"\n'


def live_rules(name="followed"):
    rules = rules_of(name=name)
    market = rules.market.model_copy(update={"kind": "live", "venue": "binance"})
    return rules.model_copy(update={"market": market})


def settings_of(home, **given):
    return Settings.load({"home": home, **given})


KEYS = {"live_acknowledged": "followed", "max_live_notional": "250"}


def test_all_keys_open_it_and_tighten_the_limits(tmp_path):
    (tmp_path / LIMITS_FILE).write_text(GOOD + "adopt = true\ndead_man_s = 0\n", "utf-8")
    terms = open_latch(live_rules(), settings_of(tmp_path, **KEYS), HOUSE)
    assert (terms.max_notional, terms.adopt, terms.dead_man_s) == (Decimal(250), True, 0)
    assert (terms.limits.max_order_value, terms.limits.max_gross_exposure) == (Decimal(500), Decimal(1))
    assert open_latch(rules_of(), settings_of(tmp_path), HOUSE) is None


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("live_acknowledged", "TRADEFLOOR_LIVE_ACKNOWLEDGED=followed"),
        ("max_live_notional", "--max-live-notional"),
        ("file", LIMITS_FILE),
    ],
)
def test_each_key_that_is_missing_is_named_alone(tmp_path, left_out, words):
    if left_out != "file":
        (tmp_path / LIMITS_FILE).write_text(GOOD, "utf-8")
    given = {name: value for name, value in KEYS.items() if name != left_out}
    with pytest.raises(ConfigError) as told:
        open_latch(live_rules(), settings_of(tmp_path, **given), HOUSE)
    others = {"TRADEFLOOR_LIVE_ACKNOWLEDGED", "--max-live-notional", LIMITS_FILE} - {words.partition("=")[0]}
    assert words in str(told.value)
    assert not [other for other in others if other in str(told.value)]


def test_the_acknowledgement_of_another_season_opens_nothing(tmp_path):
    (tmp_path / LIMITS_FILE).write_text(GOOD, "utf-8")
    with pytest.raises(ConfigError, match="ACKNOWLEDGED=other"):
        open_latch(live_rules("other"), settings_of(tmp_path, **KEYS), HOUSE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "max_order_value is missing"),
        ('max_order_value = "500"\n', "max_gross_exposure is missing"),
        (GOOD + 'adopt = "yes"\n', "adopt"),
        (GOOD + "nonsense = 1\n", "nonsense"),
        (GOOD + "dead_man_s = 5\n", "dead_man_s"),
        (GOOD + "dead_man_s = true\n", "dead_man_s"),
        (GOOD + 'dead_man_s = "60"\n', "dead_man_s"),
        (GOOD + "dead_man_s = 1e300\n", "dead_man_s"),
        (GOOD.replace('"500"', '"1e12"'), "max_order_value"),
        ("= [", "not TOML"),
        ("\x00", "not TOML"),
    ],
)
def test_a_limits_file_of_rubbish_opens_nothing(tmp_path, content, words):
    (tmp_path / LIMITS_FILE).write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=words):
        open_latch(live_rules(), settings_of(tmp_path, **KEYS), HOUSE)


@pytest.mark.parametrize("cap", ["0", "-5", "nan", "inf", "much"])
def test_a_cap_that_is_none_is_refused(tmp_path, cap):
    with pytest.raises(ConfigError):
        settings_of(tmp_path, max_live_notional=cap)


# -- the cap and the account -----------------------------------------------------------------------------------------


def order_of(quantity, *, limit_price=None, reduce_only=False, number=0):
    return Order(
        order_id=f"o-{number}",
        client_order_id=f"tf-{number}",
        intent_id="",
        desk="alpha",
        instrument=PERP,
        side=Side.BUY,
        order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
        quantity=Decimal(quantity),
        limit_price=limit_price,
        reduce_only=reduce_only,
        sent_ms=0,
        arrives_ms=0,
    )


def venue_of():
    tape = tape_of({PERP: [(100.0, 101.0, 99.0, 100.0)] * 5})
    venue = PaperVenue(tape, {PERP: instrument(PERP)}, FREE, desk="alpha", capital=Decimal(10_000))
    venue.advance(int(tape.open_ms[1]))
    return venue


@pytest.mark.asyncio
async def test_an_order_above_the_cap_never_leaves():
    inner, prices = venue_of(), {PERP: Decimal(100)}
    venue = CappedVenue(inner, Decimal(250), prices.get)
    await venue.place(order_of("2.5", number=1))
    for number, order in enumerate(
        (order_of("2.501"), order_of("2", limit_price=Decimal("125.01")), order_of("1000")), start=2
    ):
        with pytest.raises(OrderRejected, match="above the live cap of 250"):
            await venue.place(order)
        assert len(inner.orders.all()) == 1, number
    prices.clear()
    with pytest.raises(OrderRejected, match="no price"):
        await venue.place(order_of("0.001", limit_price=Decimal(1), number=8))
    await venue.place(order_of("1000", reduce_only=True, number=9))
    assert [order.client_order_id for order in inner.orders.all()] == ["tf-1", "tf-9"]


@pytest.mark.parametrize("cap", ["0", "-1", "NaN", "Infinity"])
def test_a_cap_is_an_amount(cap):
    with pytest.raises(ConfigError):
        CappedVenue(venue_of(), Decimal(cap), {}.get)


def test_a_live_run_starts_flat_or_adopts():
    venue = venue_of()
    asyncio.run(check_flat(venue, "USDT", adopt=False))
    asyncio.run(venue.place(order_of("1")))
    with pytest.raises(ConfigError, match="not flat: order tf-0"):
        asyncio.run(check_flat(venue, "USDT", adopt=False))
    venue.advance(venue.now_ms + 3 * 3_600_000)
    with pytest.raises(ConfigError, match=f"not flat: 1 {PERP}|not flat: 1.000 {PERP}"):
        asyncio.run(check_flat(venue, "USDT", adopt=False))
    asyncio.run(check_flat(venue, "USDT", adopt=True))
