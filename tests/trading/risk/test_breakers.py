"""Breakers as a fold: what trips, what is remembered, what a resume forgets."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import HOUSE
from trading.domain import Event, EventKind
from trading.risk import Breakers

LIMITS = HOUSE.model_copy(update={"daily_loss": Decimal(1)})


def marked(**equity: str) -> Event:
    desks = {desk: {"equity": value} for desk, value in equity.items()}
    return Event(ts_ms=0, kind=EventKind.MARKED, payload={"desks": desks})


def tripped(scope: str, state: str) -> Event:
    rule = "arena_drawdown" if state == "halted" else "desk_drawdown"
    payload = {"scope": scope, "state": state, "rule": rule, "limit": "0.1", "value": "0.2"}
    return Event(ts_ms=0, kind=EventKind.BREAKER_TRIPPED, payload=payload)


def after(*events: Event) -> Breakers:
    breakers = Breakers(LIMITS)
    for event in events:
        breakers.apply(event)
    return breakers


def scopes(breakers: Breakers) -> list[tuple[str, str]]:
    return [(trip.scope, trip.state) for trip in breakers.due()]


def test_before_the_first_mark_nothing_is_due():
    assert after().due() == []
    assert not after().halted


def test_the_peak_is_the_highest_mark_so_far():
    breakers = after(marked(a="100"), marked(a="200"), marked(a="181"))
    assert breakers.due() == []
    breakers.apply(marked(a="180"))
    assert scopes(breakers) == [("a", "reduce_only")]
    assert breakers.peak("a") == 200
    assert breakers.due()[0].value == Decimal("0.1")


def test_a_trip_is_due_until_it_is_written_and_never_again():
    breakers = after(marked(a="100", b="100"), marked(a="60", b="100"))
    assert scopes(breakers) == scopes(breakers) == [("a", "reduce_only"), ("arena", "halted")]
    breakers.apply(tripped("a", "reduce_only"))
    breakers.apply(tripped("arena", "halted"))
    assert breakers.due() == []
    assert breakers.reduce_only("a")
    assert not breakers.reduce_only("b")
    assert breakers.halted
    breakers.apply(marked(a="100", b="100"))
    assert breakers.reduce_only("a"), "a recovery does not rearm; a person does"
    assert breakers.halted


def test_a_resume_forgets_the_old_peaks():
    breakers = after(marked(a="100"), marked(a="50"), tripped("a", "reduce_only"), tripped("arena", "halted"))
    breakers.apply(Event(ts_ms=0, kind=EventKind.RESUMED, payload={"by": "person"}))
    assert not breakers.halted
    assert not breakers.reduce_only("a")
    assert breakers.peak("a") == 50
    assert breakers.due() == []
    breakers.apply(marked(a="45"))
    assert scopes(breakers) == [("a", "reduce_only")]


def test_a_person_halts_with_a_reason():
    breakers = after(Event(ts_ms=0, kind=EventKind.HALTED, payload={"scope": "everything", "reason": "storm"}))
    assert breakers.halt_reason == "storm"


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_a_desk_is_due_exactly_when_it_ever_lost_a_tenth(path):
    breakers = Breakers(LIMITS)
    peak, fell = 0, False
    for equity in path:
        breakers.apply(marked(a=str(equity)))
        peak = max(peak, equity)
        fell = (peak - equity) * 10 >= peak
        assert (("a", "reduce_only") in scopes(breakers)) is fell
        assert (("arena", "halted") in scopes(breakers)) is ((peak - equity) * 100 >= peak * 15)


DAY_MS = 86_400_000
DAILY = HOUSE.model_copy(update={"desk_drawdown": Decimal(1), "arena_drawdown": Decimal(1), "max_loss_streak": 3})


def at(ts_ms: int, equity: str, **mark: str) -> Event:
    return Event(ts_ms=ts_ms, kind=EventKind.MARKED, payload={"desks": {"a": {"equity": equity, **mark}}})


def fold(*events: Event, limits=DAILY) -> Breakers:
    breakers = Breakers(limits)
    for event in events:
        breakers.apply(event)
    return breakers


def take(breakers: Breakers) -> list[str]:
    """Write down what is due, as an engine does, and name it."""
    trips = breakers.due()
    for trip in trips:
        breakers.apply(Event(ts_ms=0, kind=EventKind.BREAKER_TRIPPED, payload=trip.payload()))
    return [trip.rule for trip in trips]


def clear(breakers: Breakers) -> list[tuple[str, str]]:
    found = breakers.clearances()
    for each in found:
        payload = {"over": each.over.value, "scope": each.scope, "rule": each.rule, "state": each.state}
        breakers.apply(Event(ts_ms=0, kind=EventKind.BREAKER_CLEARED, payload=payload))
    return [(each.rule, each.state) for each in found]


def filled(number: int, side: str, price: str, fee: str = "0") -> Event:
    payload = {"fill_id": f"f{number}", "order_id": f"o{number}", "desk": "a", "instrument": "BTC-USDT-PERP"}
    payload |= {"side": side, "price": price, "quantity": "1", "fee": fee, "liquidity": "taker", "ts_ms": 0}
    return Event(ts_ms=number, kind=EventKind.FILLED, payload=payload)


def ordered(number: int, side: str, origin: str = "desk") -> Event:
    payload = {"order_id": f"o{number}", "desk": "a", "instrument": "BTC-USDT-PERP", "side": side, "origin": origin}
    return Event(ts_ms=number, kind=EventKind.ORDERED, payload=payload)


def resumed(**more: str) -> Event:
    return Event(ts_ms=0, kind=EventKind.RESUMED, payload={"by": "person", **more})


def noted(**facts: float | None) -> Event:
    plain = {"instrument": "BTC-USDT-PERP", "volatility_rank": None, "anomaly": None}
    payload = {**plain, "sequence_gap": False, "feed_lost": False, **facts}
    return Event(ts_ms=0, kind=EventKind.CONDITION_NOTED, payload=payload)


@pytest.mark.parametrize(("equity", "trips"), [("95.01", []), ("95.00", ["daily_loss"]), ("94.99", ["daily_loss"])])
def test_a_day_may_lose_a_twentieth_to_the_tick(equity, trips):
    assert take(fold(at(5, "100"), at(6, equity))) == trips


def test_a_day_starts_from_the_last_mark_of_the_day_before():
    assert take(fold(at(5, "90"), at(DAY_MS - 1, "100"), at(DAY_MS + 1, "95"))) == ["daily_loss"]
    assert take(fold(at(5, "110"), at(DAY_MS - 1, "96"), at(DAY_MS + 1, "92"))) == []


def test_a_lost_day_is_over_with_the_day_and_not_with_a_recovery():
    breakers = fold(at(5, "100"), at(6, "95"))
    assert take(breakers) == ["daily_loss"]
    breakers.apply(at(DAY_MS - 1, "100"))
    assert clear(breakers) == []
    assert breakers.reduce_only("a")
    breakers.apply(at(DAY_MS, "100"))
    assert clear(breakers) == [("daily_loss", "normal")]
    assert not breakers.reduce_only("a")


def test_a_streak_of_losses_pauses_a_desk_for_a_day():
    losses = [filled(n, "buy" if n % 2 else "sell", "100" if n % 2 else "99") for n in range(1, 7)]
    breakers = fold(at(5, "100"), *losses[:4])
    assert take(breakers) == []
    breakers = fold(at(5, "100"), *losses)
    assert take(breakers) == ["max_loss_streak"]
    breakers.apply(at(5 + DAY_MS - 1, "100"))
    assert clear(breakers) == []
    breakers.apply(at(5 + DAY_MS, "100"))
    assert clear(breakers) == [("max_loss_streak", "normal")]
    assert take(breakers) == [], "the streak is counted anew"


def test_a_win_ends_a_streak_and_a_fee_can_make_a_loss():
    win = [filled(7, "buy", "100"), filled(8, "sell", "100.5")]
    losses = [filled(n, "buy" if n % 2 else "sell", "100" if n % 2 else "99") for n in range(1, 5)]
    assert take(fold(at(5, "100"), *losses, *win)) == []
    dear = [filled(7, "buy", "100"), filled(8, "sell", "100.5", fee="0.51")]
    assert take(fold(at(5, "100"), *losses, *dear)) == ["max_loss_streak"]


def test_the_same_order_again_and_again_halts_the_desk_until_a_person_looks():
    limits = DAILY.model_copy(update={"max_repeats": 3})
    orders = [ordered(n, "buy") for n in range(3)]
    assert take(fold(at(5, "100"), *orders[:2], limits=limits)) == []
    assert take(fold(at(5, "100"), orders[0], ordered(9, "sell"), *orders[1:], limits=limits)) == []
    assert take(fold(at(5, "100"), *orders[:2], ordered(9, "buy", "liquidation"), limits=limits)) == []
    breakers = fold(at(5, "100"), *orders, limits=limits)
    assert take(breakers) == ["max_repeats"]
    assert breakers.desk_halt("a") is not None
    assert not breakers.halted, "the other desks go on"
    breakers.apply(at(5 + 3 * DAY_MS, "100"))
    assert clear(breakers) == [], "a new day does not forget it"
    breakers.apply(resumed(desk="b"))
    assert breakers.desk_halt("a") is not None
    breakers.apply(resumed(desk="a"))
    assert breakers.desk_halt("a") is None
    assert take(breakers) == []


def test_a_resume_of_one_desk_leaves_the_arena_and_the_others():
    breakers = fold(at(5, "100"), tripped("a", "reduce_only"), tripped("b", "reduce_only"), tripped("arena", "halted"))
    breakers.apply(resumed(desk="a"))
    assert (breakers.reduce_only("a"), breakers.reduce_only("b"), breakers.halted) == (False, True, True)


@pytest.mark.parametrize(
    ("facts", "rule"), [({"volatility_rank": 1.0}, "max_volatility"), ({"anomaly": 0.951}, "max_anomaly")]
)
def test_a_strange_market_may_only_be_reduced_while_it_lasts(facts, rule):
    breakers = fold(at(5, "100"), noted(**facts))
    assert take(breakers) == [rule]
    assert list(breakers.barred_instruments()) == ["BTC-USDT-PERP"]
    assert not breakers.reduce_only("a")
    breakers.apply(noted())
    assert clear(breakers) == [], "not being looked at is not being well"
    breakers.apply(noted(volatility_rank=0.5, anomaly=0.1))
    assert clear(breakers) == [(rule, "normal")]
    assert breakers.barred_instruments() == {}


def test_a_strange_market_at_its_limit_is_no_trip():
    assert take(fold(at(5, "100"), noted(volatility_rank=0.999, anomaly=0.95))) == []


def test_a_limit_broken_after_the_trade_is_cut_back_and_set_back_when_it_holds():
    assert take(fold(at(5, "100", gross="375", net="0"))) == [], "up to a quarter above it the market may carry it"
    breakers = fold(at(5, "100", gross="376", net="0"))
    assert take(breakers) == ["post_trade"]
    (breach,) = breakers.breaches()
    assert (breach.limit, breach.value) == (3, Decimal("3.76"))
    breakers.apply(at(6, "100", gross="301", net="0"))
    assert clear(breakers) == []
    breakers.apply(at(7, "100", gross="300", net="0"))
    assert clear(breakers) == [("post_trade", "normal")]
    assert breakers.breaches() == []


def test_exposure_without_equity_is_a_breach():
    assert take(fold(at(5, "100"), at(6, "-1", gross="1", net="1"), limits=LIMITS))[-2:] == [
        "post_trade",
        "arena_drawdown",
    ]


def test_two_breakers_on_a_desk_are_set_back_one_by_one():
    breakers = fold(at(5, "100"), at(6, "90"), limits=HOUSE)
    assert take(breakers) == ["desk_drawdown", "daily_loss"]
    breakers.apply(at(DAY_MS, "95"))
    assert clear(breakers) == [("daily_loss", "reduce_only")]
    assert breakers.reduce_only("a")
