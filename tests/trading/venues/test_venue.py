"""The simulated exchange on a tape: latency, expiry, missing bars, spot without credit, funding, liquidation."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    FREE,
    HOUR_MS,
    NO_BAR,
    OTHER_PERP,
    PERP,
    SPOT,
    START_MS,
    USUAL,
    decision,
    engine_on,
    flat,
    instrument,
    limit,
    market,
    play,
    random_tape,
    tape_of,
)
from trading.domain import Event, EventKind
from trading.engine import Engine
from trading.marketdata.tape import Tape
from trading.venues.simulated import Costs

MINUTE_MS = 60_000


def run(tape: Tape, wants: dict[int, list], *, costs: Costs = FREE, **more) -> Engine:
    """A whole season of one desk that wants something in some rounds."""
    engine = engine_on(tape, costs=costs, **more)
    engine.open_season()
    for index in range(engine.setup.rounds):
        engine.open_round(index, engine.setup.round_ms(index))
        engine.submit(decision("alpha", index, wants.get(index, [])))
        engine.close_round()
    engine.close_season()
    return engine


def of_kind(engine: Engine, *kinds: EventKind) -> list[Event]:
    return [event for event in engine._journal.events if event.kind in kinds]


def fills(engine: Engine) -> list[tuple[str, str, str, int]]:
    """Side, quantity, price and the bar of each fill."""
    return [
        (
            event.payload["side"],
            event.payload["quantity"],
            event.payload["price"],
            (event.ts_ms - START_MS) // HOUR_MS,
        )
        for event in of_kind(engine, EventKind.FILLED)
    ]


def account(engine: Engine):
    return engine.ledger.accounts["alpha"]


def costs(**changed) -> Costs:
    return FREE.model_copy(update=changed)


RISING = [(100 + bar, 101 + bar, 99 + bar, 101 + bar) for bar in range(8)]


@pytest.mark.parametrize(
    ("latency_ms", "bar", "price"),
    [
        (0, 1, "101"),
        (250, 1, "101.01"),
        (15 * MINUTE_MS, 1, "101.5"),
        (HOUR_MS, 2, "102"),
        (HOUR_MS + 15 * MINUTE_MS, 2, "102.5"),
        (3 * HOUR_MS - 1, 3, "104"),
    ],
)
def test_an_order_of_a_close_fills_from_the_next_bar_on_when_it_has_arrived(latency_ms, bar, price):
    engine = run(tape_of({PERP: RISING}), {0: [market("buy", "1")]}, costs=costs(latency_ms=latency_ms))
    assert fills(engine) == [("buy", "1", price, bar)]
    (event,) = of_kind(engine, EventKind.FILLED)
    assert event.ts_ms == START_MS + HOUR_MS + latency_ms


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), latency_ms=st.sampled_from([0, 250, 40 * MINUTE_MS, 3 * HOUR_MS]))
def test_no_fill_stands_in_a_bar_that_was_known_when_it_was_decided(seed, latency_ms):
    tape = random_tape(seed, bars=60)
    engine = play(engine_on(tape, costs=USUAL.model_copy(update={"latency_ms": latency_ms})), seed=seed)
    sent = {event.payload["order_id"]: event.payload for event in of_kind(engine, EventKind.ORDERED)}
    for event in of_kind(engine, EventKind.FILLED):
        order = sent[event.payload["order_id"]]
        if order["origin"] == "liquidation":
            continue
        assert event.ts_ms >= order["arrives_ms"] == order["sent_ms"] + latency_ms
        bar = int(tape.open_ms.searchsorted(event.ts_ms, side="right")) - 1
        assert tape.open_ms[bar] >= order["sent_ms"], "its bar opened when or after the order was decided"
        line = tape.index[order["instrument"]]
        low, high = Decimal(repr(float(tape.low[line, bar]))), Decimal(repr(float(tape.high[line, bar])))
        slip = USUAL.slippage if event.payload["liquidity"] == "taker" else Decimal(0)
        tick = Decimal("0.01")
        assert low * (1 - slip) - tick <= Decimal(event.payload["price"]) <= high * (1 + slip) + tick
        assert Decimal(event.payload["quantity"]) <= Decimal(order["quantity"])


def test_an_order_waits_for_a_bar_of_its_instrument():
    tape = tape_of({PERP: [*flat(100, 2), NO_BAR, NO_BAR, *flat(120, 2)], OTHER_PERP: flat(1, 6)})
    engine = run(tape, {1: [market("buy", "1")]})
    assert fills(engine) == [("buy", "1", "120", 4)]


def test_a_limit_order_expires_after_its_rounds_and_not_before():
    bars = [*flat(100, 4), (100, 100, 94, 100), *flat(100, 3)]
    kept = run(tape_of({PERP: bars}), {0: [limit("buy", "1", "95", good_for_rounds=4)]})
    assert fills(kept) == [("buy", "1", "95", 4)]
    lost = run(tape_of({PERP: bars}), {0: [limit("buy", "1", "95", good_for_rounds=3)]})
    assert fills(lost) == []
    (expired,) = of_kind(lost, EventKind.ORDER_EXPIRED)
    assert expired.ts_ms == START_MS + 4 * HOUR_MS
    assert expired.payload["reason"]


def test_a_market_order_that_never_met_a_bar_is_cancelled_at_the_end():
    tape = tape_of({PERP: [*flat(100, 2), *[NO_BAR] * 4], OTHER_PERP: flat(1, 6)})
    engine = run(tape, {1: [market("buy", "1")]})
    (cancelled,) = of_kind(engine, EventKind.ORDER_CANCELLED)
    assert cancelled.payload["reason"] == "season ended"
    assert len(engine.orders) == 0


def test_reduce_only_closes_what_is_there_and_no_more():
    # Both orders were sent while ten were held; when the second arrives, four are left.
    wants = {0: [market("buy", "10")], 2: [market("sell", "10", reduce_only=True)]}
    engine = engine_on(tape_of({PERP: flat(100, 8)}))
    engine.open_season()
    for index in range(4):
        engine.open_round(index, engine.setup.round_ms(index))
        engine.submit(decision("alpha", index, wants.get(index, [])))
        if index == 2:
            held = engine.ledger.accounts["alpha"].positions[PERP]
            engine.ledger.accounts["alpha"].hold(type(held)(instrument=PERP, quantity=Decimal(4), cost=Decimal(400)))
        engine.close_round()
    assert fills(engine) == [("buy", "10", "100", 1), ("sell", "4", "100", 3)]


def test_reduce_only_with_nothing_left_is_rejected_not_turned():
    wants = {
        0: [market("buy", "10")],
        1: [limit("sell", "10", "105", reduce_only=True, good_for_rounds=5)],
        2: [market("sell", "10")],
    }
    bars = [*flat(100, 4), (100, 110, 100, 110), *flat(110, 2)]
    engine = run(tape_of({PERP: bars}), wants)
    assert [fill[:3] for fill in fills(engine)] == [("buy", "10", "100"), ("sell", "10", "100")]
    (rejected,) = of_kind(engine, EventKind.ORDER_REJECTED)
    assert "nothing left to reduce" in rejected.payload["reason"]
    assert account(engine).positions == {}


def test_spot_is_sold_only_as_far_as_it_is_held():
    wants = {0: [market("buy", "10", SPOT)], 1: [market("sell", "25", SPOT)], 2: [market("sell", "1", SPOT)]}
    engine = run(tape_of({SPOT: flat(100, 6)}), wants)
    assert [fill[:2] for fill in fills(engine)] == [("buy", "10"), ("sell", "10")]


@pytest.mark.parametrize("jump", [1.0, 1.3, 5.0])
def test_spot_that_became_dear_is_bought_only_as_far_as_cash_goes(jump):
    bars = [*flat(100, 2), *flat(100 * jump, 4)]
    engine = run(tape_of({SPOT: bars}), {1: [market("buy", "99", SPOT)]}, costs=USUAL)
    assert account(engine).cash >= 0
    assert account(engine).cash < Decimal(100 * jump) or jump == 1.0
    assert account(engine).position(SPOT).quantity == Decimal(fills(engine)[0][1])


@settings(max_examples=150, deadline=None)
@given(
    cash=st.decimals(1, 1000, places=8),
    price=st.integers(1, 10**6).map(lambda cents: cents / 100),
    fee=st.sampled_from(["0", "4.5", "10", "999.99"]),
)
def test_the_last_cent_spent_on_spot_never_overdraws(cash, price, fee):
    # The gate leaves half a percent for the price to move; here it moves by two, so the exchange itself must cut.
    listed = {SPOT: instrument(SPOT, lot=Decimal("1e-12"), max_leverage=Decimal(100))}
    tape = tape_of({SPOT: [price_bars(price), *[price_bars(price * 1.02)] * 3]})
    engine = run(
        tape,
        {0: [market("buy", "100000000", SPOT)]},
        costs=costs(taker_fee_bps=Decimal(fee), maker_fee_bps=Decimal(999)),
        capital=str(cash),
        instruments=listed,
    )
    assert 0 <= account(engine).cash <= Decimal("0.00000002")


def price_bars(price: float) -> tuple[float, float, float, float]:
    return (price, price, price, price)


def test_a_maker_fee_above_the_takers_is_reckoned_with():
    dear = costs(maker_fee_bps=Decimal(900))
    bars = [*flat(100, 2), (100, 100, 90, 100), *flat(100, 2)]
    engine = run(tape_of({SPOT: bars}), {1: [limit("buy", "99", "99", SPOT)]}, costs=dear)
    assert [fill[0] for fill in fills(engine)] == ["buy"]
    assert account(engine).cash >= 0


def test_fees_are_rounded_up_and_a_maker_pays_the_makers():
    fees = costs(taker_fee_bps=Decimal("4.5"), maker_fee_bps=Decimal("1.5"))
    bars = [*flat("100.01", 2), ("100.01", "100.01", 90, "100.01"), *flat("100.01", 2)]
    wants = {0: [market("buy", "0.333")], 1: [limit("buy", "0.333", "99.99")]}
    engine = run(tape_of({PERP: bars}), wants, costs=fees)
    paid = [event.payload["fee"] for event in of_kind(engine, EventKind.FILLED)]
    # 0.333 x 100.01 x 0.00045 = 0.0149864985, and 0.333 x 99.99 x 0.00015 = 0.0049945005
    assert paid == ["0.0149865", "0.00499451"]


# -- funding -----------------------------------------------------------------------------------------------------------


def test_longs_pay_positive_funding_to_shorts_on_the_price_at_the_open():
    rates = {3 * HOUR_MS: 0.0001, 5 * HOUR_MS: -0.0002}
    bars = [*flat(100, 3), (120, 121, 119, 120), *flat(120, 4)]
    tape = tape_of({PERP: bars}, funding={PERP: rates})
    long = run(tape, {0: [market("buy", "10")]})
    # 10 x 120 x 0.0001 = 0.12 paid, 10 x 120 x 0.0002 = 0.24 received
    assert [event.payload["paid"] for event in of_kind(long, EventKind.FUNDED)] == ["0.12", "-0.24"]
    assert account(long).funding == Decimal("-0.12")
    assert account(long).cash == Decimal("10000.12")
    short = run(tape, {0: [market("sell", "10")]})
    assert account(short).cash == Decimal("9999.88")
    assert account(long).funding == -account(short).funding


def test_funding_falls_due_on_what_is_held_then():
    # Settled exactly at the open at which the order fills: the order came after it.
    tape = tape_of({PERP: flat(100, 6)}, funding={PERP: {HOUR_MS: 0.01, 2 * HOUR_MS: 0.01, 3 * HOUR_MS: 0.01}})
    engine = run(tape, {0: [market("buy", "1")], 1: [market("sell", "1")]})
    assert [event.ts_ms - START_MS for event in of_kind(engine, EventKind.FUNDED)] == [2 * HOUR_MS]


def test_funding_in_a_missing_bar_is_paid_on_the_last_price():
    bars = [*flat(100, 2), (100, 130, 100, 130), NO_BAR, *flat(90, 2)]
    tape = tape_of({PERP: bars, OTHER_PERP: flat(1, 6)}, funding={PERP: {3 * HOUR_MS + 7: 0.001}})
    engine = run(tape, {0: [market("buy", "1")]})
    (paid,) = of_kind(engine, EventKind.FUNDED)
    assert (paid.payload["price"], paid.payload["paid"], paid.ts_ms) == ("130", "0.13", START_MS + 3 * HOUR_MS + 7)


def test_funding_where_the_whole_grid_has_no_bar_is_paid_on_the_last_close_and_never_on_the_next_open():
    tape = tape_of({PERP: [*flat(100, 2), (100, 130, 100, 130), *flat(90, 3)]}, funding={PERP: {4 * HOUR_MS: 0.001}})
    hole = tape.open_ms + np.where(np.arange(len(tape)) > 2, 3 * HOUR_MS, 0)  # bars 3 to 5 are missing
    engine = run(replace(tape, open_ms=hole), {0: [market("buy", "1")]})
    (paid,) = of_kind(engine, EventKind.FUNDED)
    assert (paid.payload["price"], paid.ts_ms) == ("130", START_MS + 4 * HOUR_MS)


# -- liquidation -------------------------------------------------------------------------------------------------------
# A linear perpetual in cross margin: equity = cash + sum q (p - entry); maintenance = rate x sum |q| p; the account is
# closed where the two meet. For one long of q at entry e with cash c: p = (q e - c) / (q (1 - rate)); for one short:
# p = (q e + c) / (q (1 + rate)). This is the usual formula of exchanges with one maintenance tier and no fee in it.


def test_a_long_is_liquidated_where_its_equity_meets_its_maintenance_margin():
    # 500 at 100 on 10000: p = (50000 - 10000) / (500 x 0.995) = 80.40201...; slippage none, rounded down to the cent.
    bars = [*flat(100, 2), (100, 100, 80, 95), *flat(95, 2)]
    engine = run(tape_of({PERP: bars}), {0: [market("buy", "500")]}, costs=costs(liquidation_fee_bps=Decimal(50)))
    (event,) = of_kind(engine, EventKind.LIQUIDATED)
    assert event.payload["equity"] == event.payload["maintenance"] == "201.00502513"
    assert event.payload["positions"] == {PERP: "500"}
    assert event.ts_ms == START_MS + 3 * HOUR_MS
    assert fills(engine)[1][:3] == ("sell", "500", "80.4")
    # 10000 + 500 x (80.40 - 100) = 200, less 50 basis points of 40200 = 201: one is owed, and insured.
    (insured,) = of_kind(engine, EventKind.INSURED)
    assert insured.payload["amount"] == "1"
    assert account(engine).cash == 0
    assert account(engine).positions == {}


def test_a_short_is_liquidated_on_the_way_up():
    # p = (50000 + 10000) / (500 x 1.005) = 119.40298..., rounded up to the cent.
    bars = [*flat(100, 2), (100, 125, 100, 101), *flat(101, 2)]
    engine = run(tape_of({PERP: bars}), {0: [market("sell", "500")]})
    assert fills(engine)[1][:3] == ("buy", "500", "119.41")
    assert account(engine).cash == 10000 - 500 * Decimal("19.41")
    assert of_kind(engine, EventKind.INSURED) == []


def test_an_account_that_only_just_holds_is_left_alone():
    # At 80.41 equity is 205 and maintenance 201.025; at 80.40201 they meet.
    bars = [*flat(100, 2), (100, 100, 80.41, 95), *flat(95, 2)]
    engine = run(tape_of({PERP: bars}), {0: [market("buy", "500")]})
    assert of_kind(engine, EventKind.LIQUIDATED) == []


def test_a_gap_through_the_margin_closes_at_the_open_and_is_insured_to_zero():
    bars = [*flat(100, 2), (70, 75, 60, 74), *flat(74, 2)]
    engine = run(tape_of({PERP: bars}), {0: [market("buy", "500")]})
    assert fills(engine)[1][2] == "70"
    (insured,) = of_kind(engine, EventKind.INSURED)
    assert insured.payload["amount"] == "5000"
    marks = [event.payload["desks"]["alpha"]["equity"] for event in of_kind(engine, EventKind.MARKED)]
    assert marks[-2:] == ["0", "0"]


def test_the_orders_of_a_liquidated_account_are_cancelled_and_it_trades_no_more():
    bars = [*flat(100, 3), (70, 75, 60, 74), *flat(74, 3)]
    wants = {
        0: [market("buy", "500")],
        1: [limit("buy", "1", "50", good_for_rounds=9)],
        4: [market("buy", "1")],
    }
    engine = run(tape_of({PERP: bars}), wants)
    (cancelled,) = of_kind(engine, EventKind.ORDER_CANCELLED)
    assert cancelled.payload["reason"] == "account liquidated"
    assert [event.payload["ruling"] for event in of_kind(engine, EventKind.RULED)] == ["allowed", "allowed", "refused"]


def test_a_hedged_book_is_not_liquidated_by_a_move_of_both():
    bars = [*flat(100, 2), (100, 160, 60, 150), *flat(150, 2)]
    wants = {0: [market("buy", "500"), market("sell", "500", OTHER_PERP)]}
    engine = run(tape_of({PERP: bars, OTHER_PERP: bars}), wants)
    assert of_kind(engine, EventKind.LIQUIDATED) == []
    assert account(engine).cash == 10000


def test_spot_counts_as_equity_and_pays_what_perpetuals_owe():
    # 9000 in spot that falls with the perpetual: the gap leaves 1000 - 3000 in cash, and the spot pays for it.
    bars = [*flat(100, 3), (70, 70, 69, 70), *flat(70, 2)]
    wants = {0: [market("buy", "90", SPOT)], 1: [market("buy", "100")]}
    listed = {PERP: instrument(maintenance_margin=Decimal("0.99")), SPOT: instrument(SPOT)}
    engine = run(tape_of({PERP: bars, SPOT: bars}), wants, instruments=listed)
    assert [fill[:3] for fill in fills(engine)][2:] == [("sell", "100", "70"), ("sell", "90", "70")]
    assert account(engine).cash == 10000 - 90 * 30 - 100 * 30
    assert of_kind(engine, EventKind.INSURED) == []


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_account_is_ever_left_below_zero(seed):
    engine = play(engine_on(random_tape(seed, bars=70, volatility=0.06), desks=("a", "b"), costs=USUAL), seed=seed)
    for account_ in engine.ledger.accounts.values():
        for symbol, position in account_.positions.items():
            assert position.quantity > 0 or engine.setup.instruments[symbol].is_perp
        if not account_.positions:
            assert account_.cash >= 0
    for event in of_kind(engine, EventKind.INSURED):
        assert Decimal(event.payload["amount"]) > 0
