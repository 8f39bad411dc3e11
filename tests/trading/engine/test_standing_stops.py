"""Control 17: a stop stands under every position, follows it, survives a restart, and closes where it is reached."""

from decimal import Decimal

from tests.trading.markets import FREE, PERP, WIDE, MemoryJournal, decision, engine_on, market, tape_of
from trading.domain import EventKind
from trading.risk.stops import StopRules

RULES = StopRules(stop=3.0, trail=3.0, reward=50.0)


def swinging(levels):
    """Bars that swing by 0.5 around each level."""
    return [(level, level + 0.25, level - 0.25, level) for level in levels]


def rising_then_falling():
    return tape_of(
        {PERP: swinging([100.0] * 20 + [100.0 + step for step in range(12)] + [112.0 - 2 * s for s in range(9)])}
    )


def play(engine, first, last, *, buys_at=None):
    for index in range(first, last):
        engine.open_round(index, engine.setup.round_ms(index))
        if index == buys_at:
            engine.submit(decision("alpha", index, [market("buy", "2")]))
        engine.close_round()


def guards(journal):
    return [e.payload for e in journal.events if e.kind is EventKind.ORDERED and e.payload["origin"] == "protection"]


def test_a_stop_stands_follows_and_closes():
    engine = engine_on(rising_then_falling(), limits=WIDE, costs=FREE, start_bar=16, stops=RULES)
    engine.open_season()
    play(engine, 0, engine.setup.rounds, buys_at=1)
    engine.close_season()
    journal = engine._journal
    stops = [Decimal(row["trigger_price"]) for row in guards(journal) if row["order_type"] == "stop"]
    assert len(stops) > 3
    assert stops == sorted(stops)
    bought, sold = [e for e in journal.events if e.kind is EventKind.FILLED][:2]
    assert sold.payload["side"] == "sell"
    assert Decimal(sold.payload["price"]) > Decimal(bought.payload["price"])
    assert not engine.ledger.accounts["alpha"].positions


def test_the_guard_is_there_one_round_after_the_fill_and_off_by_default():
    for rules in (RULES, None):
        engine = engine_on(rising_then_falling(), limits=WIDE, costs=FREE, start_bar=16, stops=rules)
        engine.open_season()
        play(engine, 0, 3, buys_at=1)
        standing = [order for order in engine.orders.of("alpha") if order.is_protective]
        held = engine.ledger.accounts["alpha"].position(PERP).quantity
        assert held == 2
        assert {order.quantity for order in standing} == ({held} if rules else set())


def test_a_restart_does_not_loosen_a_stop():
    whole = engine_on(rising_then_falling(), limits=WIDE, costs=FREE, start_bar=16, stops=RULES)
    whole.open_season()
    play(whole, 0, whole.setup.rounds, buys_at=1)
    for stopped_after in (2, 8, 14):
        first = engine_on(rising_then_falling(), limits=WIDE, costs=FREE, start_bar=16, stops=RULES)
        first.open_season()
        play(first, 0, stopped_after, buys_at=1)
        journal = MemoryJournal()
        second = engine_on(rising_then_falling(), limits=WIDE, costs=FREE, start_bar=16, stops=RULES, journal=journal)
        second.restore(first._journal.events)
        play(second, stopped_after, second.setup.rounds, buys_at=1)
        assert [*first._journal.events, *journal.events] == whole._journal.events


def test_a_position_closed_and_opened_anew_between_two_rounds_begins_with_levels_of_its_own():
    levels = [100.0] * 20 + [100.0 + step for step in range(12)] + [110.0] * 6
    engine = engine_on(tape_of({PERP: swinging(levels)}), limits=WIDE, costs=FREE, start_bar=16, stops=RULES)
    engine.open_season()
    play(engine, 0, 18, buys_at=1)
    trailed = [row["trigger_price"] for row in guards(engine._journal) if row["order_type"] == "stop"][-1]
    engine.open_round(18, engine.setup.round_ms(18))
    engine.submit(decision("alpha", 18, [market("sell", "2"), market("buy", "2")]))
    engine.close_round()
    play(engine, 19, 20)
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 2
    (fresh,) = [order for order in engine.orders.of("alpha") if order.is_protective and order.order_type == "stop"]
    assert fresh.trigger_price < Decimal(trailed)
