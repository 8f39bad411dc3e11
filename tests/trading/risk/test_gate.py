"""The gate under anything a model may say: it never crashes, and what it lets through never breaks a limit."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    HOUSE,
    OTHER_PERP,
    PERP,
    SPOT,
    USUAL,
    decision,
    engine_on,
    instrument,
    play,
    random_tape,
)
from trading.domain import (
    AccountView,
    EventKind,
    OrderType,
    Position,
    Quote,
    Ruling,
    Side,
    TradeIntent,
)
from trading.ledger import DeskAccount, mark_account
from trading.risk import Gate, GateState

SYMBOLS = (PERP, OTHER_PERP, SPOT)
TRADED = {symbol: instrument(symbol, min_notional=Decimal(5)) for symbol in SYMBOLS}

amounts = st.one_of(
    st.decimals(Decimal("0.0001"), Decimal(1000), places=4),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        list(map(Decimal, ["0", "-1", "NaN", "sNaN", "Infinity", "-Infinity", "1e30", "1e-30", "1e999999"]))
    ),
)
intents = st.builds(
    TradeIntent,
    instrument=st.sampled_from([*SYMBOLS, "DOGE-USDT", "", "'; DROP TABLE events"]),
    side=st.sampled_from(Side),
    quantity=amounts,
    order_type=st.sampled_from(OrderType),
    limit_price=st.none() | st.decimals(Decimal(80), Decimal(120), places=3) | amounts,
    reduce_only=st.booleans(),
    good_for_rounds=st.integers(-(2**70), 2**70),
)
held = st.decimals(Decimal(-300), Decimal(300), places=3)
house = st.builds(
    lambda value, fraction, leverage, gross, net: HOUSE.model_copy(
        update={
            "max_order_value": value,
            "max_order_fraction": fraction,
            "max_leverage": leverage,
            "max_gross_exposure": gross,
            "max_net_exposure": net,
        }
    ),
    *[st.decimals(Decimal(low), Decimal(high), places=2) for low, high in [(10, 10**5), *[("0.1", 5)] * 4]],
)


@st.composite
def states(draw) -> GateState:
    """A desk with positions, resting orders, a price for most instruments, and limits that may already be broken."""
    prices = {symbol: draw(st.floats(50, 200).map(lambda price: round(price, 2))) for symbol in SYMBOLS}
    positions = {}
    for symbol in SYMBOLS:
        quantity = draw(st.one_of(st.just(Decimal(0)), held))
        if symbol == SPOT:
            quantity = abs(quantity)
        if quantity:
            positions[symbol] = Position(instrument=symbol, quantity=quantity, cost=quantity * 100)
    cash = draw(st.decimals(Decimal(-1000), Decimal(50_000), places=8))
    marks = {symbol: Decimal(repr(prices[symbol])) for symbol in positions}
    mark = mark_account(DeskAccount(desk="a", quote="USDT", cash=cash, positions=positions), marks, TRADED)
    account = AccountView(
        desk="a",
        as_of_ms=0,
        quote="USDT",
        cash=cash,
        positions=positions,
        marks=marks,
        equity=mark.equity,
        peak_equity=max(mark.equity, Decimal(10_000)),
        gross=mark.gross,
        net=mark.net,
        reduce_only=draw(st.booleans()),
    )
    state = GateState(
        account=account,
        instruments=TRADED,
        quotes={
            symbol: Quote(instrument=symbol, price=price, ts_ms=0, as_of_ms=0)
            for symbol, price in prices.items()
            if symbol in positions or draw(st.integers(0, 5))
        },
        step_ms=60_000,
        taker_fee=Decimal("0.00045"),
        limits=draw(house),
        halted=draw(st.integers(0, 9)) == 0,
        halt_reason="a test",
    )
    for symbol in SYMBOLS:
        for side in Side:
            quantity = draw(st.one_of(st.just(Decimal(0)), st.decimals(0, 50, places=3)))
            most = max(Decimal(0), state.held(symbol)) if symbol == SPOT and side is Side.SELL else quantity
            if min(quantity, most) and symbol in state.quotes:
                state.count_working(side, symbol, min(quantity, most), None)
    return state


def reach(state: GateState, symbol: str) -> tuple[Decimal, Decimal]:
    quantity = state.held(symbol)
    return (
        quantity - state.working_sells.get(symbol, Decimal(0)),
        quantity + state.working_buys.get(symbol, Decimal(0)),
    )


def worst(state: GateState) -> dict[str, Decimal]:
    """Leverage by instrument and gross and net value, each if the working orders fill in the way that is worst."""
    gross = longest = shortest = Decimal(0)
    values: dict[str, Decimal] = {}
    for symbol in SYMBOLS:
        price = state.price(symbol)
        if price is None:
            continue
        low, high = (quantity * price for quantity in reach(state, symbol))
        values[symbol] = max(abs(low), abs(high))
        gross += values[symbol]
        longest += high
        shortest += low
    return values | {"gross": gross, "long": longest, "short": -shortest}


@settings(max_examples=200, deadline=None)
@given(state=states(), wanted=st.lists(intents, max_size=5))
def test_nothing_that_is_let_through_breaks_a_limit(state, wanted):
    gate, limits, equity = Gate(), state.limits, max(Decimal(0), state.account.equity)
    before_reach = {symbol: reach(state, symbol) for symbol in SYMBOLS}
    for intent in wanted:
        before, cash_before = worst(state), state.account.cash - state.cash_committed
        sides_before = {symbol: reach(state, symbol) for symbol in SYMBOLS}
        orders = state.orders_this_round
        (verdict,) = gate.rule([intent], state)
        if verdict.ruling is Ruling.REFUSED:
            assert (state.orders_this_round, worst(state)) == (orders, before)
            assert verdict.rule
            assert verdict.message
            assert verdict.quantity_after == 0
            continue
        quantity, symbol = verdict.quantity_after, intent.instrument
        assert 0 < quantity <= intent.quantity
        assert quantity % TRADED[symbol].lot == 0
        assert (verdict.ruling is Ruling.RESIZED) == (quantity < intent.quantity)
        assert bool(verdict.rule) == (verdict.ruling is Ruling.RESIZED)
        assert not state.halted
        assert state.orders_this_round == orders + 1 <= limits.max_orders_per_round
        low, high = sides_before[symbol]
        could_close = max(Decimal(0), -high if intent.side is Side.BUY else low)
        opens = quantity - min(quantity, could_close)
        if intent.reduce_only or state.account.reduce_only:
            assert opens == 0
        if symbol == SPOT:
            assert reach(state, SPOT)[0] >= 0
            if intent.side is Side.BUY:
                price = max(state.price(symbol), intent.limit_price or Decimal(0))
                assert quantity * price * (1 + state.taker_fee) <= cash_before
        if not opens:
            continue
        price, after = state.price(symbol), worst(state)
        assert opens * price <= min(limits.max_order_value, limits.max_order_fraction * equity)
        mine = reach(state, symbol)[1] if intent.side is Side.BUY else -reach(state, symbol)[0]
        assert mine * price <= min(limits.max_leverage, TRADED[symbol].max_leverage) * equity
        assert after["gross"] <= limits.max_gross_exposure * equity
        assert after["long" if intent.side is Side.BUY else "short"] <= limits.max_net_exposure * equity
        if intent.order_type is OrderType.LIMIT:
            assert abs(intent.limit_price / price - 1) <= limits.price_collar
    assert all(before_reach[symbol][0] >= reach(state, symbol)[0] for symbol in SYMBOLS)


@settings(max_examples=60, deadline=None)
@given(state=states(), wanted=st.lists(intents, max_size=5))
def test_the_same_question_gets_the_same_answer(state, wanted):
    def fresh() -> GateState:
        return replace(
            state,
            working_buys=dict(state.working_buys),
            working_sells=dict(state.working_sells),
        )

    def told() -> list[str]:
        return [repr(verdict) for verdict in Gate().rule(wanted, fresh())]

    assert told() == told()


@settings(max_examples=100, deadline=None)
@given(state=states(), share=st.floats(0.05, 1))
def test_there_is_always_a_way_out(state, share):
    state.working_buys.clear()
    state.working_sells.clear()
    state.halted = False
    for symbol, position in state.account.positions.items():
        side = Side.SELL if position.quantity > 0 else Side.BUY
        for quantity in (
            abs(position.quantity),
            TRADED[symbol].floor_quantity(abs(position.quantity) * Decimal(share)),
        ):
            if quantity != abs(position.quantity) and quantity * state.price(symbol) < 5:
                continue
            intent = TradeIntent(instrument=symbol, side=side, quantity=quantity)
            (verdict,) = Gate().rule([intent], state)
            assert verdict.ruling is Ruling.ALLOWED, verdict
            state.working_buys.clear()
            state.working_sells.clear()


@pytest.mark.parametrize(("quantity", "price"), list(product(["1e15", "9.99e15", "123456789.123456789"], [1e-9, 1e9])))
def test_sizes_that_no_market_has_are_ruled_on_like_any_other(quantity, price):
    engine = engine_on(random_tape(1, bars=5, symbols=(PERP,), missing=0, holes=False), limits=HOUSE)
    engine.tape.close[:] = price
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    wanted = TradeIntent(instrument=PERP, side=Side.BUY, quantity=Decimal(quantity))
    (verdict,) = engine.submit(decision("alpha", 0, [wanted]))
    assert verdict.quantity_after * Decimal(repr(price)) <= 30_000


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_ruling_of_a_season_is_in_its_journal(seed):
    limits = HOUSE.model_copy(update={"max_order_fraction": Decimal("0.5"), "max_orders_per_round": 2})
    engine = play(engine_on(random_tape(seed, bars=40), costs=USUAL, limits=limits), seed=seed)
    events = engine._journal.events
    ruled = {event.payload["intent_id"]: event.payload for event in events if event.kind is EventKind.RULED}
    intended = [event.payload["intent_id"] for event in events if event.kind is EventKind.INTENDED]
    assert list(ruled) == intended
    sent = {
        event.payload["intent_id"]: event.payload["quantity"]
        for event in events
        if event.kind is EventKind.ORDERED and event.payload["origin"] == "desk"
    }
    passed = {name: row["quantity_after"] for name, row in ruled.items() if row["ruling"] != "refused"}
    assert sent == passed
    for row in ruled.values():
        assert (row["ruling"] == "allowed") == (row["rule"] == "")
        if row["ruling"] != "allowed":
            assert row["limit"] is not None
            assert row["value"] is not None
            assert row["unit"]
