"""Funding on a tape that grows: history is not owed, what is told late falls due where the tape goes on."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.markets import PERP, MemoryJournal, decision, engine_on, flat, market, tape_of
from trading.domain import Event, EventKind
from trading.domain.market import Bar
from trading.marketdata.growing import GrowingTape, funding_event, grown_event

MINUTE = 60_000


def told(*rates, since=0, until=MINUTE, symbol=PERP):
    return funding_event(symbol, rates, since, until)


def tape(*events):
    grown = GrowingTape.empty([PERP], MINUTE, source="paper")
    for event in events:
        grown.apply(event)
    return grown


def rates(grown):
    found = grown.funding[PERP]
    return list(zip(found.ts_ms.tolist(), found.rate.tolist(), strict=True))


def test_what_is_told_first_is_history_and_what_is_told_twice_is_told_once():
    grown = tape(told((-200, 0.1), (-100, 0.2)), told((-100, 0.2), (70_000, 0.3), since=MINUTE, until=2 * MINUTE))
    assert rates(grown) == [(-200, 0.1), (-100, 0.2), (70_000, 0.3)]


def test_what_is_told_late_falls_due_where_the_tape_goes_on():
    grown = tape(told((-100, 0.2)), told((30_000, 0.3), since=MINUTE, until=2 * MINUTE))
    assert rates(grown)[-1] == (MINUTE, 0.3)
    before = grown.sha256
    grown.apply(told((150_000, 0.1), since=2 * MINUTE, until=3 * MINUTE))
    assert grown.sha256 != before


@pytest.mark.parametrize(
    "payload",
    [
        {"instrument": "DOGE-USDT", "since_ms": 0, "rates": [[1, 0.1]]},
        {"instrument": PERP, "since_ms": "now", "rates": [[1, 0.1]]},
        {"instrument": PERP, "since_ms": 0, "rates": [[1]]},
        {"instrument": PERP, "since_ms": 0, "rates": None},
    ],
)
def test_rubbish_is_refused(payload):
    with pytest.raises((TypeError, ValueError)):
        tape(Event(ts_ms=0, kind=EventKind.FUNDING_TOLD, payload=payload))


def grew(start, bar):
    at = start + bar * MINUTE
    row = Bar(open_ms=at, open=100.0, high=100.0, low=100.0, close=100.0, volume=1.0)
    return grown_event(at + MINUTE, {PERP: [row]}, MINUTE)


def test_a_position_pays_what_its_exchange_settled():
    journal = MemoryJournal()
    whole = tape_of({PERP: flat(100, 8)})
    start = int(whole.open_ms[0])
    run = engine_on(tape(grew(start, -1)), journal=journal)
    run.setup = replace(run.setup, every_ms=MINUTE, start_ms=start + MINUTE, end_ms=start + 7 * MINUTE)
    events = {
        0: [told((start - 5, 0.5), since=start, until=start + MINUTE)],
        3: [told((start + 3 * MINUTE, 0.001), since=start + 3 * MINUTE, until=start + 4 * MINUTE)],
        5: [told((start + 4 * MINUTE, 0.002), since=start + 5 * MINUTE, until=start + 6 * MINUTE)],
    }
    run.open_season()
    for index in range(6):
        run.record(grew(start, index))
        for event in events.get(index, []):
            run.record(event)
        run.open_round(index, run.setup.round_ms(index))
        run.submit(decision("alpha", index, [market("buy", "2")] if index == 0 else []))
        run.close_round()
    paid = [
        (e.ts_ms - start, e.payload["rate"], e.payload["paid"]) for e in journal.events if e.kind is EventKind.FUNDED
    ]
    assert paid == [(3 * MINUTE, "0.001", "0.2"), (5 * MINUTE, "0.002", "0.4")]
    assert run.account("alpha").cash == Decimal(10_000) - Decimal("0.6")
