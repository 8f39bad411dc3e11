"""The ledger under random orders: nothing appears, nothing vanishes, every sum is exact."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    OTHER_PERP,
    PERP,
    SPOT,
    USUAL,
    WIDE,
    engine_on,
    instrument,
    play,
    random_tape,
)
from trading.domain import Event, EventKind, Fill, Liquidity, Position, Side, money_text
from trading.domain.errors import JournalError
from trading.ledger import Book, Ledger, Posting, mark_account
from trading.ledger.account import DeskAccount, filled_position
from trading.ledger.book import transfer
from trading.ledger.ledger import CAPITAL, FEES, FUNDING, INSURANCE, cash_of

SYMBOLS = (PERP, OTHER_PERP, SPOT)


def opened(*desks: str) -> Ledger:
    """A ledger whose season was opened for some desks."""
    engine = engine_on(random_tape(0, bars=2), desks=desks)
    engine.open_season()
    return engine.ledger


def fill_event(desk: str, symbol: str, side: str, price: Decimal, quantity: Decimal, fee: Decimal) -> Event:
    payload = {
        "fill_id": "f",
        "order_id": "o",
        "desk": desk,
        "instrument": symbol,
        "side": side,
        "price": money_text(price),
        "quantity": money_text(quantity),
        "fee": money_text(fee),
        "liquidity": "taker",
        "ts_ms": 0,
    }
    return Event(ts_ms=0, kind=EventKind.FILLED, payload=payload)


def money(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False, allow_infinity=False)


FILLS = st.tuples(
    st.just("fill"),
    st.sampled_from(SYMBOLS),
    st.sampled_from(["buy", "sell"]),
    money("0.00000000001", "123456.7", 11),
    money("0.00001", "1000000", 5),
    money("0", "100", 8),
)
FUNDINGS = st.tuples(st.just("fund"), money("-1000", "1000", 8))
INSURANCES = st.tuples(st.just("insure"), money("0", "1000", 8))


def apply(ledger: Ledger, desk: str, step: tuple) -> None:
    match step:
        case ("fill", symbol, side, price, quantity, fee):
            ledger.apply(fill_event(desk, symbol, side, price, quantity, fee))
        case ("fund", paid):
            payload = {"desk": desk, "instrument": PERP, "paid": money_text(paid)}
            ledger.apply(Event(ts_ms=0, kind=EventKind.FUNDED, payload=payload))
        case ("insure", amount):
            payload = {"desk": desk, "amount": money_text(amount)}
            ledger.apply(Event(ts_ms=0, kind=EventKind.INSURED, payload=payload))


def exact(value: Decimal) -> Fraction:
    return Fraction(value)


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from("ab"), FILLS | FUNDINGS | INSURANCES), max_size=25),
    odd=st.lists(st.floats(1e-9, 1e7), min_size=3, max_size=3),
)
def test_whatever_happens_the_book_balances_and_the_result_reconciles(steps, odd):
    ledger = opened("a", "b")
    prices = {symbol: Decimal(repr(price)) for symbol, price in zip(SYMBOLS, odd, strict=True)}
    insured = {"a": Fraction(0), "b": Fraction(0)}
    for desk, step in steps:
        apply(ledger, desk, step)
        if step[0] == "insure":
            insured[desk] += exact(step[1])
        assert ledger.book.imbalance() == {}
    for desk, account in ledger.accounts.items():
        mark = mark_account(account, prices, ledger.instruments)
        held = {symbol: exact(position.quantity) for symbol, position in account.positions.items()}
        cost = {symbol: exact(position.cost) for symbol, position in account.positions.items()}
        value = {symbol: held[symbol] * exact(prices[symbol]) for symbol in held}
        perps = [symbol for symbol in held if ledger.instruments[symbol].is_perp]
        assert exact(mark.cash) == exact(account.cash)
        assert exact(mark.spot_value) == sum((value[symbol] for symbol in held if symbol not in perps), Fraction(0))
        assert exact(mark.unrealised) == sum((value[symbol] - cost[symbol] for symbol in perps), Fraction(0))
        assert exact(mark.equity) == exact(mark.cash) + exact(mark.spot_value) + exact(mark.unrealised)
        assert exact(mark.gross) == sum(map(abs, value.values()), Fraction(0))
        assert exact(mark.net) == sum(value.values(), Fraction(0))
        paid_in = exact(account.deposited) + insured[desk]
        result = exact(account.realised) + sum(value.values()) - sum(cost.values())
        assert exact(mark.equity) == paid_in + result - exact(account.fees) - exact(account.funding)
        assert exact(ledger.book.balance(cash_of(desk), "USDT")) == exact(account.cash)
        for symbol in SYMBOLS:
            in_book = ledger.book.balance(f"desk:{desk}:position", symbol)
            assert in_book == account.position(symbol).quantity
    both = ledger.accounts.values()
    assert ledger.book.balance(FEES, "USDT") == sum(account.fees for account in both)
    assert ledger.book.balance(FUNDING, "USDT") == sum(account.funding for account in both)
    assert exact(ledger.book.balance(INSURANCE, "USDT")) == -sum(insured.values())
    assert ledger.book.balance(CAPITAL, "USDT") == -20000


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(FILLS, min_size=1, max_size=15), last=money("0.01", "100000", 2))
def test_closing_everything_leaves_no_residue(steps, last):
    ledger = opened("a")
    for step in steps:
        apply(ledger, "a", step)
    account = ledger.accounts["a"]
    for symbol, position in tuple(account.positions.items()):
        side = "sell" if position.quantity > 0 else "buy"
        apply(ledger, "a", ("fill", symbol, side, last, abs(position.quantity), Decimal(0)))
    assert account.positions == {}
    assert account.cash == account.deposited + account.realised - account.fees
    assert ledger.book.imbalance() == {}
    assert all(ledger.book.balance("desk:a:position", symbol) == 0 for symbol in SYMBOLS)


def fill(side: Side, quantity: str, price: str) -> Fill:
    return Fill(
        fill_id="f",
        order_id="o",
        desk="a",
        instrument=PERP,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(0),
        liquidity=Liquidity.TAKER,
        ts_ms=0,
    )


@pytest.mark.parametrize(
    ("held", "cost", "side", "quantity", "price", "left", "left_cost", "realised"),
    [
        ("0", "0", Side.BUY, "2", "50", "2", "100", "0"),
        ("2", "100", Side.BUY, "1", "65", "3", "165", "0"),
        ("3", "165", Side.SELL, "1", "60", "2", "110", "5"),
        ("3", "165", Side.SELL, "3", "60", "0", "0", "15"),
        ("3", "165", Side.SELL, "5", "60", "-2", "-120", "15"),
        ("-2", "-100", Side.BUY, "1", "40", "-1", "-50", "10"),
        ("-2", "-100", Side.BUY, "3", "60", "1", "60", "-20"),
        # A third of the cost is no decimal: the closed part takes it rounded, the rest keeps what remains.
        ("3", "100", Side.SELL, "1", "40", "2", "66.66666667", "6.66666667"),
    ],
)
def test_positions_by_hand(held, cost, side, quantity, price, left, left_cost, realised):
    before = Position(instrument=PERP, quantity=Decimal(held), cost=Decimal(cost))
    after, result = filled_position(before, fill(side, quantity, price))
    assert (after.quantity, after.cost, result) == (Decimal(left), Decimal(left_cost), Decimal(realised))


def test_equity_is_exact_where_28_digits_are_not_enough():
    held = Position(instrument=PERP, quantity=Decimal("123456789012.34567"), cost=Decimal("1e12"))
    account = DeskAccount(desk="a", quote="USDT", cash=Decimal("999999999999.12345678"), positions={PERP: held})
    mark = mark_account(account, {PERP: Decimal("103.45678901234567")}, {PERP: instrument()})
    value = Fraction("123456789012.34567") * Fraction("103.45678901234567")
    assert exact(mark.equity) == Fraction("999999999999.12345678") + value - 10**12
    assert exact(mark.net) == value


def test_a_turned_position_keeps_the_price_it_turned_at():
    ledger = opened("a")
    apply(ledger, "a", ("fill", PERP, "buy", Decimal(100), Decimal(2), Decimal(1)))
    apply(ledger, "a", ("fill", PERP, "sell", Decimal(110), Decimal(5), Decimal(1)))
    account = ledger.accounts["a"]
    assert account.position(PERP) == Position(instrument=PERP, quantity=Decimal(-3), cost=Decimal(-330))
    assert (account.cash, account.realised, account.fees, account.turnover) == (10018, 20, 2, 750)


def test_a_transaction_that_does_not_balance_is_refused_and_leaves_no_trace():
    book = Book()
    book.post(transfer("a", "b", "USDT", Decimal(5)))
    with pytest.raises(JournalError, match="does not balance"):
        book.post([Posting("a", "USDT", Decimal(1)), Posting("b", "BTC", Decimal(-1))])
    assert book.balances == {("a", "USDT"): -5, ("b", "USDT"): 5}
    assert book.imbalance() == {}


def test_an_event_of_an_unknown_desk_is_a_contradiction():
    with pytest.raises(JournalError, match="'nobody'"):
        apply(opened("a"), "nobody", ("fund", Decimal(1)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_fold_over_a_journal_gives_the_accounts_of_the_live_run(seed):
    engine = play(engine_on(random_tape(seed, bars=60, volatility=0.03), desks=("a", "b"), costs=USUAL), seed=seed)
    ledger = Ledger()
    for event in engine._journal.events:
        ledger.apply(event)
    assert ledger.accounts == engine.ledger.accounts
    assert ledger.book.balances == engine.ledger.book.balances
    assert ledger.book.imbalance() == {}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), capital=st.sampled_from(["10000", "987654321098.76543211"]))
def test_every_mark_of_a_run_adds_up_to_the_last_digit(seed, capital):
    tape = random_tape(seed, bars=40, volatility=0.04)
    limits = WIDE.model_copy(update={"max_order_value": Decimal("1e15")})
    engine = engine_on(tape, desks=("a", "b"), costs=USUAL, capital=capital, limits=limits)
    marks = 0
    for event in play(engine, seed=seed)._journal.events:
        if event.kind is EventKind.MARKED:
            for mark in event.payload["desks"].values():
                parts = (mark["cash"], mark["spot_value"], mark["unrealised"])
                assert Fraction(mark["equity"]) == sum(map(Fraction, parts))
                marks += 1
    assert marks > 60
    assert all(account.cash >= 0 or account.positions for account in engine.ledger.accounts.values())
