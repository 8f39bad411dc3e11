"""Margin, liquidation and funding against worked examples in the terms of Binance USD-M futures.

The liquidation price is that of Binance's support page "How to Calculate Liquidation Price of USDⓈ-M Futures
Contracts": LP = (WB - TMM1 + UPNL1 + cumB - side1 x size1 x EP1) / (size1 x MMRB - side1 x size1). The maintenance
tiers are Binance's BTCUSDT brackets of the time of that page: from 0 at 0.40 %, from 50,000 at 0.50 % less 50, from
250,000 at 1.00 % less 1,300, from 1,000,000 at 2.50 % less 16,300, from 5,000,000 at 5.00 % less 141,300. Funding
fee = nominal value of positions x funding rate, the value being that at the settlement.
"""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import FREE, HOUR_MS, OTHER_PERP, PERP, SPOT, instrument, tape_of
from tests.trading.venues.harness import order
from trading.domain import Liquidity
from trading.domain.instrument import MarginTier
from trading.domain.position import Position
from trading.ledger.account import DeskAccount
from trading.ledger.marking import mark_account
from trading.venues.simulated import MarginRules
from trading.venues.simulated.costs import FeeTier
from trading.venues.simulated.margin import (
    find_isolated_liquidation,
    find_liquidation,
    lacks_margin,
    liquidation_price,
    safe_move,
)

D = Decimal
TIERS = tuple(
    MarginTier(notional=D(notional), rate=D(rate), amount=D(amount))
    for notional, rate, amount in (
        (0, "0.004", 0),
        (50_000, "0.005", 50),
        (250_000, "0.01", 1_300),
        (1_000_000, "0.025", 16_300),
        (5_000_000, "0.05", 141_300),
    )
)
TIERED = instrument(PERP, margin_tiers=TIERS)


def account(cash: str, **held: tuple[str, str]) -> DeskAccount:
    """A desk with positions given as quantity and entry price."""
    positions = {
        symbol.replace("_", "-"): Position(
            instrument=symbol.replace("_", "-"), quantity=D(quantity), cost=D(quantity) * D(entry)
        )
        for symbol, (quantity, entry) in held.items()
    }
    return DeskAccount(desk="a", quote="USDT", cash=D(cash), positions=positions)


@pytest.mark.parametrize(
    ("notional", "margin"),
    [
        ("10000", "40"),
        ("50000", "200"),
        ("100000", "450"),
        ("250000", "1200"),
        ("1000000", "8700"),
        ("2000000", "33700"),
        ("10000000", "358700"),
    ],
)
def test_maintenance_is_rate_times_notional_less_amount(notional, margin):
    assert TIERED.maintenance(D(notional)) == D(margin)


def test_tiers_join_without_a_step():
    for tier in TIERS[1:]:
        below = TIERED.maintenance(tier.notional - D("0.000001"))
        assert abs(TIERED.maintenance(tier.notional) - below) < D("0.0001")


@pytest.mark.parametrize(
    ("wallet", "quantity", "entry", "price"),
    [
        # 1 BTC long at 50,000 with 5,000: (5000 + 0 - 50000) / (0.004 - 1), the notional falling into the first tier.
        ("5000", "1", "50000", "45180.72"),
        # 1 BTC short at 50,000 with 5,000: (5000 + 50 + 50000) / (0.005 + 1), in the second tier.
        ("5000", "-1", "50000", "54776.12"),
        # 30 BTC long at 50,000 with 100,000: (100000 + 16300 - 1500000) / (30 x 0.025 - 30) in the fourth tier.
        ("100000", "30", "50000", "47305.98"),
        ("100000", "-30", "50000", "52562.60"),
    ],
)
def test_the_liquidation_price_is_binances(wallet, quantity, entry, price):
    found = liquidation_price(wallet=D(wallet), quantity=D(quantity), entry=D(entry), instrument=TIERED)
    assert found is not None
    assert round(found, 2) == D(price)


def test_other_positions_move_it_as_the_formula_says():
    flat = instrument(PERP, maintenance_margin=D("0.005"))
    alone = liquidation_price(wallet=D(5000), quantity=D(1), entry=D(50_000), instrument=flat)
    beside = liquidation_price(
        wallet=D(5000),
        quantity=D(1),
        entry=D(50_000),
        instrument=flat,
        other_maintenance=D(200),
        other_unrealised=D(-800),
    )
    assert alone == (D(5000) - D(50_000)) / (D("0.005") - 1)
    assert beside == (D(5000) - 200 - 800 - D(50_000)) / (D("0.005") - 1)


@settings(max_examples=60, deadline=None)
@given(
    size=st.decimals("0.01", "80", places=2),
    long=st.booleans(),
    leverage=st.integers(3, 40),
)
def test_the_path_of_a_bar_is_liquidated_at_the_formulas_price(size, long, leverage):
    quantity = size if long else -size
    wallet = size * 50_000 / leverage
    price = liquidation_price(wallet=wallet, quantity=quantity, entry=D(50_000), instrument=TIERED)
    held = account(str(wallet), BTC_USDT_PERP=(str(quantity), "50000"))
    prices = [{PERP: D(p)} for p in (50_000, 20_000, 90_000)]
    found = find_liquidation(held, *prices, {PERP: TIERED})
    if price is None or not 20_000 < price < 90_000:
        return
    assert found is not None
    assert found.prices[PERP] == pytest.approx(price, rel=D("1e-12"))
    assert found.equity == pytest.approx(found.maintenance, abs=D("1e-6"))
    move = safe_move(held, {PERP: 50_000.0}, {PERP: TIERED})
    assert move <= abs(float(price) / 50_000 - 1) + 1e-9, "bars are skipped only where no liquidation can be"


def test_a_hedged_account_in_cross_margin_nets_its_results():
    held = account("2000", BTC_USDT_PERP=("1", "50000"), ETH_USDT_PERP=("-16", "3000"))
    listed = {PERP: TIERED, OTHER_PERP: instrument(OTHER_PERP, maintenance_margin=D("0.005"))}
    mark = mark_account(held, {PERP: D(45_000), OTHER_PERP: D(2_700)}, listed)
    assert mark.unrealised == D(-5000) + D(4800)
    assert mark.equity == D(1800)
    assert mark.maintenance == D(45_000) * D("0.004") + 16 * D(2_700) * D("0.005")


@pytest.mark.parametrize(
    ("side", "quantity", "held", "leverage", "lacks"),
    [
        ("buy", "2.5", {}, None, False),  # 100,000 at 40,000: 2 x (100,000 x 0.5 % - 50) = 900 of 1,000
        ("buy", "2.76", {}, None, True),  # 110,400: 1,004 of 1,000
        ("sell", "2.76", {}, None, True),
        ("buy", "2.5", {"PERP": ("-2.5", "40000")}, None, False),  # it closes
        ("buy", "5", {"PERP": ("-2.5", "40000")}, None, False),  # the position is as large as before
        ("buy", "5.3", {"PERP": ("-2.5", "40000")}, None, True),
        ("buy", "1", {"PERP": ("2", "41000")}, None, True),  # 2,000 of the equity are lost
        ("buy", "0.9", {"OTHER": ("2", "40000")}, None, False),  # 2 x (36,000 x 0.4 % + 80,000 x 0.5 % - 50) = 988
        ("buy", "1", {"OTHER": ("2", "40000")}, None, True),  # 1,020
        ("buy", "0.25", {}, "10", False),  # 10,000 at ten times is 1,000
        ("buy", "0.2501", {}, "10", True),
        ("buy", "0.1", {"OTHER": ("0.15", "40000")}, "10", False),
        ("buy", "0.1001", {"OTHER": ("0.15", "40000")}, "10", True),
    ],
)
def test_what_opens_needs_its_initial_margin(side, quantity, held, leverage, lacks):
    names = {"PERP": PERP, "OTHER": OTHER_PERP}
    holder = account("1000", **{names[name].replace("-", "_"): position for name, position in held.items()})
    instruments = {PERP: TIERED, OTHER_PERP: instrument(OTHER_PERP, margin_tiers=TIERS)}
    found = lacks_margin(
        order(1, side, quantity),
        D(quantity),
        holder,
        dict.fromkeys((PERP, OTHER_PERP), D(40_000)),
        instruments,
        isolated_leverage=None if leverage is None else D(leverage),
    )
    assert found is lacks


def test_an_isolated_position_has_its_own_margin_and_price():
    # 10x: 5,000 of margin, so Binance's formula with WB = 5,000.
    position = Position(instrument=PERP, quantity=D(1), cost=D(50_000))
    found = find_isolated_liquidation(position, D(10), D(50_000), D(40_000), D(51_000), TIERED)
    assert found is not None
    price = liquidation_price(wallet=D(5000), quantity=D(1), entry=D(50_000), instrument=TIERED)
    assert found.prices[PERP] == pytest.approx(price, rel=D("1e-12"))
    assert found.margin == 5000
    assert find_isolated_liquidation(position, D(10), D(50_000), D(45_190), D(51_000), TIERED) is None


def test_isolated_losses_stop_at_the_margin_and_leave_the_rest_alone():
    from tests.trading.engine.test_order_kinds import fills, of_kind, run
    from tests.trading.markets import flat, limit, market

    crash = [*flat(100, 2), (80, 80, 79, 80), *flat(80, 2)]
    tape = tape_of({PERP: crash, OTHER_PERP: flat(10, 5)})
    wants = {
        0: [
            market("buy", "100"),
            market("buy", "100", OTHER_PERP),
            limit("buy", "1", "9", OTHER_PERP, good_for_rounds=9),
        ]
    }
    engine = run(tape, wants, margin=MarginRules(mode="isolated", leverage=D(10)))
    # A gap to 80 loses 2,000 of a position whose margin was 1,000: the fund pays the other 1,000.
    assert fills(engine)[2][:3] == ("sell", "100", "80")
    held = engine.ledger.accounts["alpha"]
    assert held.cash == 9000
    assert set(held.positions) == {OTHER_PERP}
    cancelled = [event.payload["reason"] for event in of_kind(engine, "order_cancelled")]
    assert cancelled == ["season ended"], "orders of other instruments stay"
    (opened,) = of_kind(engine, "season_opened")
    assert opened.payload["margin"]["mode"] == "isolated"


def test_an_order_without_its_margin_is_rejected_and_costs_nothing():
    from tests.trading.engine.test_order_kinds import fills, of_kind, run
    from tests.trading.markets import flat, market

    tape = tape_of({PERP: flat(100, 6), OTHER_PERP: flat(10, 6)})
    wants = {
        0: [market("buy", "900")],
        1: [market("buy", "200", OTHER_PERP)],
        2: [market("sell", "900")],
        3: [market("buy", "200", OTHER_PERP)],
    }
    engine = run(tape, wants, margin=MarginRules(mode="isolated", leverage=D(9)))
    assert [fill[:3] for fill in fills(engine)] == [
        ("buy", "900", "100"),
        ("sell", "900", "100"),
        ("buy", "200", "10"),
    ]
    (rejected,) = [event.payload for event in of_kind(engine, "order_rejected")]
    assert (rejected["code"], rejected["reason"]) == (
        "insufficient_funds",
        "the account cannot put up the initial margin",
    )
    assert engine.ledger.accounts["alpha"].cash == 10_000


def test_funding_is_nominal_value_times_rate():
    from tests.trading.engine.test_order_kinds import of_kind, run
    from tests.trading.markets import flat, market

    # Binance's example: 1 BTC at 11,000 and a rate of 0.01 %: 1.1 is paid by the long.
    tape = tape_of({PERP: flat(11_000, 5)}, funding={PERP: {2 * HOUR_MS: 0.0001}})
    engine = run(tape, {0: [market("buy", "1")]}, capital="100000")
    assert [event.payload["paid"] for event in of_kind(engine, "funded")] == ["1.1"]


def test_borrowed_cash_costs_interest_by_the_day():
    from tests.trading.engine.test_order_kinds import of_kind, run
    from tests.trading.markets import flat, market

    # 9,000 of spot bought, 2,000 lost on a perpetual: 1,000 is borrowed against the spot.
    bars = 60
    tape = tape_of({SPOT: flat(100, bars), PERP: [*flat(100, 3), *flat(80, bars - 3)]})
    costs = FREE.model_copy(update={"borrow_apr": D("0.365")})
    wants = {0: [market("buy", "90", SPOT)], 1: [market("buy", "100")], 4: [market("sell", "100", reduce_only=True)]}
    engine = run(tape, wants, costs=costs)
    paid = [D(event.payload["paid"]) for event in of_kind(engine, "borrowed")]
    assert paid == [D(1), D("1.001")]
    assert engine.ledger.accounts["alpha"].interest == sum(paid)
    assert engine.ledger.book.imbalance() == {}


def test_the_reached_tier_sets_both_fees():
    tiers = tuple(
        FeeTier(turnover=D(t), taker_fee_bps=D(f), maker_fee_bps=D(m)) for t, f, m in ((100, 4, 2), (900, 3, 1))
    )
    costs = FREE.model_copy(update={"taker_fee_bps": D(5), "maker_fee_bps": D(3), "fee_tiers": tiers})
    assert [costs.fee(Liquidity.TAKER, D(t)) * 10_000 for t in (0, 99, 100, 899, 900)] == [5, 5, 4, 4, 3]
    assert costs.fee(Liquidity.MAKER, D(10**9)) * 10_000 == 1
