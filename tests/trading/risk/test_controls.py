"""Every control of the gate at its boundary and one step past it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.trading.markets import HOUR_MS, HOUSE, OTHER_PERP, PERP, SPOT, START_MS, instrument, limit, market
from trading.domain import AccountView, Order, OrderType, Position, Quote, Ruling, Side, TradeIntent, Verdict
from trading.risk import Gate, GateState, Limits

TRADED = {symbol: instrument(symbol, max_leverage=Decimal(100)) for symbol in (PERP, OTHER_PERP, SPOT)}
LIMITS = HOUSE.model_copy(
    update={
        "max_order_value": Decimal(10**9),
        "max_order_fraction": Decimal(50),
        "max_leverage": Decimal(50),
        "max_gross_exposure": Decimal(50),
        "max_net_exposure": Decimal(50),
    }
)


def resting(number: int, side: str = "buy", quantity: str = "1", symbol: str = PERP) -> Order:
    return Order(
        order_id=f"o{number}",
        client_order_id="c",
        intent_id="i",
        desk="a",
        instrument=symbol,
        side=Side(side),
        order_type=OrderType.LIMIT,
        quantity=Decimal(quantity),
        limit_price=Decimal(100),
        sent_ms=0,
        arrives_ms=0,
    )


def state(
    held: dict[str, str] | None = None,
    *,
    cash: str = "10000",
    equity: str = "10000",
    price: float = 100.0,
    age_ms: int = 0,
    orders: tuple[Order, ...] = (),
    reduce_only: bool = False,
    limits: Limits = LIMITS,
    instruments: dict[str, Any] | None = None,
    **more: Any,
) -> GateState:
    """A desk with positions opened at 100, everything priced at ``price``."""
    positions = {
        symbol: Position(instrument=symbol, quantity=Decimal(quantity), cost=Decimal(quantity) * 100)
        for symbol, quantity in (held or {}).items()
    }
    marks = {symbol: Decimal(repr(price)) for symbol in positions}
    values = [position.value(marks[symbol]) for symbol, position in positions.items()]
    account = AccountView(
        desk="a",
        as_of_ms=START_MS,
        quote="USDT",
        cash=Decimal(cash),
        positions=positions,
        marks=marks,
        equity=Decimal(equity),
        peak_equity=Decimal(equity),
        gross=sum(map(abs, values), Decimal(0)),
        net=sum(values, Decimal(0)),
        open_orders=orders,
        reduce_only=reduce_only,
    )
    made = GateState(
        account=account,
        instruments=instruments or TRADED,
        quotes={
            symbol: Quote(instrument=symbol, price=price, ts_ms=START_MS - age_ms, as_of_ms=START_MS)
            for symbol in TRADED
        },
        step_ms=HOUR_MS,
        taker_fee=Decimal("0.00045"),
        limits=limits,
        halted=more.pop("halted", False),
        halt_reason=more.pop("halt_reason", None),
        **more,
    )
    for order in orders:
        made.count_working(order.side, order.instrument, order.quantity, order.limit_price)
    return made


def rule(intent: TradeIntent, standing: GateState | None = None) -> Verdict:
    (verdict,) = Gate().rule([intent], standing or state())
    return verdict


def tight(**limits: Any) -> Limits:
    return LIMITS.model_copy(update={name: Decimal(str(value)) for name, value in limits.items()})


def test_a_plain_order_passes_as_asked():
    verdict = rule(market("buy", "1"))
    assert (verdict.ruling, verdict.rule) == (Ruling.ALLOWED, "")
    assert (verdict.limit, verdict.value) == (None, None)
    assert verdict.quantity_before == verdict.quantity_after == 1


REFUSED = [
    ("halted", market("sell", "1"), state({PERP: "1"}, halted=True, halt_reason="a person said so")),
    ("allowed_instruments", market("buy", "1", "DOGE-USDT"), state()),
    (
        "allowed_instruments",
        market("buy", "1", OTHER_PERP),
        state(limits=LIMITS.model_copy(update={"allowed_instruments": (PERP,)})),
    ),
    ("quantity", market("buy", "0"), state()),
    ("quantity", market("buy", "-1"), state()),
    ("quantity", market("buy", "NaN"), state()),
    ("quantity", market("buy", "sNaN"), state()),
    ("quantity", market("buy", "Infinity"), state()),
    ("quantity", market("buy", "-Infinity"), state()),
    ("quantity", market("buy", "1e16"), state()),
    ("quantity", market("buy", "1e999999"), state()),
    ("lot_size", market("buy", "0.0009"), state()),
    ("lot_size", market("buy", "1e-30"), state()),
    ("lot_size", market("buy", "1e-999999"), state()),
    ("max_orders_per_round", market("buy", "1"), state(orders_this_round=12)),
    ("max_open_orders", market("buy", "1"), state(orders=tuple(resting(n) for n in range(40)))),
    ("max_open_orders", market("buy", "1"), state(orders=tuple(resting(n) for n in range(39)), orders_this_round=1)),
    ("max_price_age", market("buy", "1"), state(age_ms=3 * HOUR_MS + 1)),
    ("price_known", market("buy", "1"), state(price=0.0)),
    ("price_known", market("buy", "1"), state(price=float("nan"))),
    ("limit_price", limit("buy", "1", "0"), state()),
    ("limit_price", limit("buy", "1", "-100"), state()),
    ("limit_price", limit("buy", "1", "NaN"), state()),
    ("limit_price", limit("buy", "1", "Infinity"), state()),
    ("limit_price", limit("buy", "1", "1e30"), state()),
    ("limit_price", market("buy", "1", limit_price=Decimal(100)), state()),
    ("limit_price", market("buy", "1", limit_price=Decimal("NaN")), state()),
    ("limit_price", market("buy", "1", order_type=OrderType.LIMIT), state()),
    ("order_shape", market("buy", "1", order_type=OrderType.STOP), state()),
    ("price_collar", limit("buy", "1", "105.01"), state()),
    ("price_collar", limit("sell", "1", "94.99"), state()),
    ("price_collar", limit("sell", "1", "1e-300"), state()),
    ("price_collar", limit("sell", "1", "9e15"), state()),
    ("reduce_only", market("buy", "1", reduce_only=True), state()),
    ("reduce_only", market("buy", "1", reduce_only=True), state({PERP: "5"})),
    ("reduce_only", market("buy", "1"), state({PERP: "5"}, reduce_only=True)),
    ("reduce_only", market("sell", "1"), state({PERP: "5"}, reduce_only=True, orders=(resting(1, "sell", "5"),))),
    ("no_spot_short", market("sell", "1", SPOT), state()),
    ("no_spot_short", market("sell", "1", SPOT), state({SPOT: "5"}, orders=(resting(1, "sell", "5", SPOT),))),
    ("buying_power", market("buy", "1", SPOT), state(cash="0")),
    ("buying_power", market("buy", "1", SPOT), state(cash="100", orders=(resting(1, "buy", "1", SPOT),))),
    ("max_order_fraction", market("buy", "1"), state(equity="0")),
    ("max_order_fraction", market("buy", "1"), state(equity="-50")),
]


@pytest.mark.parametrize(("expected", "intent", "standing"), REFUSED)
def test_a_control_refuses_with_its_rule(expected, intent, standing):
    verdict = rule(intent, standing)
    assert (verdict.ruling, verdict.rule, verdict.quantity_after) == (Ruling.REFUSED, expected, 0)
    assert verdict.message.endswith(".")
    assert "\n" not in verdict.message
    assert len(verdict.message) < 250


@pytest.mark.parametrize(
    ("rule_name", "intent", "standing", "left", "limit_value", "found"),
    [
        ("lot_size", market("buy", "1.2345"), state(), "1.234", "0.001", "1.2345"),
        ("reduce_only", market("sell", "8", reduce_only=True), state({PERP: "5"}), "5", "5", "8"),
        ("reduce_only", market("buy", "8"), state({PERP: "-5"}, reduce_only=True), "5", "5", "8"),
        ("no_spot_short", market("sell", "8", SPOT), state({SPOT: "5"}), "5", "5", "8"),
        ("max_order_value", market("buy", "80"), state(limits=tight(max_order_value=5000)), "50", "5000", "8000"),
        (
            "max_order_fraction",
            market("buy", "80"),
            state(limits=tight(max_order_fraction="0.5")),
            "50",
            "5000",
            "8000",
        ),
        ("max_leverage", market("buy", "80"), state({PERP: "250"}, limits=tight(max_leverage=3)), "50", "3", "3.3"),
        (
            "max_gross_exposure",
            market("buy", "80"),
            state({OTHER_PERP: "-250"}, limits=tight(max_gross_exposure=3)),
            "50",
            "3",
            "3.3",
        ),
        (
            "max_net_exposure",
            market("sell", "80"),
            state({OTHER_PERP: "-50"}, limits=tight(max_net_exposure=1)),
            "50",
            "1",
            "1.3",
        ),
        ("buying_power", market("buy", "80", SPOT), state(cash="1005.45"), "10", "1005.45", "8043.6"),
    ],
)
def test_a_control_cuts_to_what_may_stand(rule_name, intent, standing, left, limit_value, found):
    verdict = rule(intent, standing)
    assert (verdict.ruling, verdict.rule) == (Ruling.RESIZED, rule_name)
    assert verdict.quantity_before == intent.quantity
    assert (verdict.quantity_after, verdict.limit, verdict.value) == tuple(map(Decimal, (left, limit_value, found)))
    assert verdict.unit
    assert verdict.message


BOUNDARY = [
    (market("buy", "0.001"), state()),
    (market("buy", "1"), state(orders_this_round=11)),
    (market("buy", "1"), state(orders=tuple(resting(n) for n in range(39)))),
    (market("buy", "1"), state(age_ms=3 * HOUR_MS)),
    (limit("buy", "1", "105"), state()),
    (limit("sell", "1", "95"), state()),
    (market("sell", "5", reduce_only=True), state({PERP: "5"})),
    (market("sell", "5"), state({PERP: "5"}, reduce_only=True)),
    (market("sell", "5", SPOT), state({SPOT: "5"})),
    (market("buy", "50"), state(limits=tight(max_order_value=5000))),
    (market("buy", "50"), state(limits=tight(max_order_fraction="0.5"))),
    (market("buy", "50"), state({PERP: "250"}, limits=tight(max_leverage=3))),
    (market("buy", "50"), state({OTHER_PERP: "-250"}, limits=tight(max_gross_exposure=3))),
    (market("sell", "50"), state({OTHER_PERP: "-50"}, limits=tight(max_net_exposure=1))),
    (market("buy", "10", SPOT), state(cash="1005.45")),
]


@pytest.mark.parametrize(("intent", "standing"), BOUNDARY)
def test_at_its_boundary_a_control_says_nothing(intent, standing):
    assert rule(intent, standing).ruling is Ruling.ALLOWED


@pytest.mark.parametrize(
    ("quantity", "held", "passes"),
    [("0.05", None, True), ("0.049", None, False), ("0.049", "0.049", True), ("0.01", "0.049", False)],
)
def test_too_small_is_refused_unless_it_closes_all(quantity, held, passes):
    instruments = TRADED | {PERP: instrument(min_notional=Decimal(5))}
    standing = state({PERP: held} if held else None, instruments=instruments)
    verdict = rule(market("sell", quantity), standing)
    assert (verdict.ruling is Ruling.ALLOWED) is passes
    assert passes or (verdict.rule, verdict.limit, verdict.value) == ("min_notional", 5, Decimal(quantity) * 100)


@pytest.mark.parametrize("held", ["30", "-30"])
@pytest.mark.parametrize(
    "bound", ["max_order_value", "max_order_fraction", "max_leverage", "max_gross_exposure", "max_net_exposure"]
)
def test_getting_out_is_never_bounded_and_never_called_resized(held, bound):
    side = "sell" if held == "30" else "buy"
    standing = state({PERP: held}, price=500.0, limits=tight(**{bound: "0.0001"}))
    for quantity in ("30", "7"):
        verdict = rule(market(side, quantity), standing)
        assert verdict.ruling is Ruling.ALLOWED, verdict
        standing.working_buys.clear()
        standing.working_sells.clear()


def test_closing_one_leg_of_a_hedge_is_allowed_though_the_net_grows():
    standing = state({PERP: "100", OTHER_PERP: "-100"}, limits=tight(max_net_exposure="0.5"))
    assert rule(market("buy", "100", OTHER_PERP), standing).ruling is Ruling.ALLOWED


def test_a_turn_is_weighed_by_where_it_ends():
    # From 2 short to 2 long: gross stays 2, net ends at 2.
    turn = market("buy", "400")
    assert rule(turn, state({PERP: "-200"}, limits=tight(max_gross_exposure=2))).ruling is Ruling.ALLOWED
    verdict = rule(turn, state({PERP: "-200"}, limits=tight(max_net_exposure=1)))
    assert (verdict.rule, verdict.quantity_after, verdict.value) == ("max_net_exposure", 300, 2)
    verdict = rule(turn, state({PERP: "-200"}, limits=tight(max_gross_exposure=1)))
    assert (verdict.rule, verdict.quantity_after) == ("max_gross_exposure", 200)


def test_what_was_allowed_counts_at_once():
    standing = state(limits=tight(max_leverage=1))
    verdicts = Gate().rule([market("buy", "60"), market("buy", "60"), market("buy", "60")], standing)
    assert [verdict.quantity_after for verdict in verdicts] == [60, 40, 0]
    assert [verdict.ruling for verdict in verdicts] == [Ruling.ALLOWED, Ruling.RESIZED, Ruling.REFUSED]


def test_both_sides_working_are_each_weighed_as_if_they_filled_alone():
    standing = state(limits=tight(max_gross_exposure=1))
    verdicts = Gate().rule([limit("buy", "100", "99"), limit("sell", "100", "101")], standing)
    assert verdicts[0].ruling is Ruling.ALLOWED
    # At 101 a hundred would be 1.01 times equity: 99.009 are worth no more than it.
    assert verdicts[1].quantity_after == Decimal("99.009")


def test_prices_are_shown_to_the_model_as_they_are():
    verdict = rule(limit("buy", "1", "110"))
    assert (verdict.limit, verdict.value, verdict.unit) == (Decimal("0.05"), Decimal("0.1"), "fraction")
    assert "10.00%" in verdict.message
    assert "5.00%" in verdict.message
