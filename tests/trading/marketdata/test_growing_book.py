"""A book that grows by events: depth at an instant, what is known, who joins a queue when, what it refuses."""

import pytest

from trading.domain import Event, EventKind
from trading.domain.errors import JournalError
from trading.marketdata import growing_book
from trading.marketdata.depth import ASK, BID
from trading.marketdata.growing_book import KEPT_LEVELS, GrowingBook

BTC = "BTC-USDT-PERP"
WHOLE = [99.0, 5.0, 98.0, 10.0], [101.0, 2.0, 102.0, 3.0]


def grew(since=0, until=60, **told):
    payload = {
        "instrument": BTC,
        "since_ms": since,
        "until_ms": until,
        "known": [[since, until]],
        "printed": [[since, until]],
        "levels": [[since, *WHOLE]],
        "trades": [],
        **told,
    }
    return Event(ts_ms=until, kind=EventKind.DEPTH_GREW, payload=payload)


def book(*events):
    grown = GrowingBook(BTC)
    for event in events:
        grown.apply(event)
    return grown


def test_it_stands_as_it_was_sampled():
    found = book(grew(levels=[[-7, *WHOLE], [20, [99.0, 0.0, 98.5, 1.0], []], [40, [], [101.0, 4.0]]]))
    assert found.depth_at(0).bid_prices.tolist() == [99.0, 98.0], "the sample in force at the beginning"
    assert found.depth_at(20).bid_prices.tolist() == [98.5, 98.0]
    assert found.depth_at(39).ask_sizes.tolist() == [2.0, 3.0]
    assert found.depth_at(99).ask_sizes.tolist() == [4.0, 3.0]
    assert not found.depth_at(-1).is_two_sided


def test_what_is_told_again_has_not_changed():
    found = book(grew(), grew(60, 120), grew(180, 240, levels=[[180, [99.0, 5.0], [101.0, 1.0, 102.0, 3.0]]]))
    assert found.size_history(BID, 99.0, 0, 240)[0].tolist() == []
    assert found.size_history(BID, 98.0, 0, 240)[1].tolist() == [0.0]
    assert found.size_history(ASK, 101.0, 0, 240)[0].tolist() == [180]


def test_events_of_others_pass():
    other = grew().payload | {"instrument": "ETH-USDT-PERP"}
    found = book(
        Event(ts_ms=0, kind=EventKind.DEPTH_GREW, payload=other), Event(ts_ms=0, kind=EventKind.FILLED, payload={})
    )
    assert len(found.ts_ms) == 0


def test_taking_needs_the_book_of_its_instant_and_waiting_needs_all_that_follows():
    found = book(grew(known=[[0, 30], [50, 60]], printed=[[10, 60]]), grew(60, 120))
    assert found.reaches(0, 20, 60, waits=False)
    assert not found.reaches(0, 40, 60, waits=False)
    assert not found.reaches(0, 20, 60, waits=True)
    assert found.reaches(0, 50, 60, waits=True)
    assert found.reaches(60, 60, 120, waits=True)
    assert found.covers(55, 115), "events that join are one stretch"
    assert not found.covers(5, 20), "its trades were not heard"


def test_who_cannot_be_seen_joins_where_his_level_is_shown_first():
    deep = [value for step in range(KEPT_LEVELS) for value in (99.0 - step, 1.0)]
    levels = [[0, deep, WHOLE[1]], [30, [40.0, 7.0], []]]
    found = book(grew(levels=levels, known=[[10, 60]]))
    assert found.joined_ms(BID, 98.5, 20) == 20, "between levels that are shown nobody stands"
    assert found.joined_ms(BID, 99.0, 3) == 10, "before that the book was not known"
    assert found.joined_ms(BID, 40.0, 20) == 30, "it lies deeper than what is sampled"
    assert found.joined_ms(BID, 39.0, 20) is None
    assert found.joined_ms(BID, 99.0, 70) is None


def test_the_older_half_is_forgotten(monkeypatch):
    monkeypatch.setattr(growing_book, "MOST_ROWS", 8)
    moving = [grew(60 * n, 60 * n + 60, levels=[[60 * n, [99.0, 1.0 + n], [101.0, 2.0 + n]]]) for n in range(9)]
    found = book(*moving)
    assert len(found.ts_ms) <= 8
    assert found.depth_at(540).bid_sizes.tolist() == [9.0]
    assert not found.covers(0, 30)
    assert found.covers(480, 540)


@pytest.mark.parametrize(
    "told",
    [
        {"since_ms": "yesterday"},
        {"levels": [[0, [99.0], []]]},
        {"levels": [[0, [99.0, -1.0], []]]},
        {"levels": [[0, [0.0, 1.0], []]]},
        {"levels": [[0, [99.0, float("inf")], []]]},
        {"levels": [[50, *WHOLE], [20, [99.0, 1.0], []]]},
        {"levels": [[0]]},
        {"trades": [[5, 100.0]]},
        {"trades": [[5, 100.0, 1.0, 1], [4, 100.0, 1.0, 0]]},
        {"known": [[1]]},
        {"known": None},
        {"until_ms": -5},
    ],
)
def test_rubbish_is_refused(told):
    with pytest.raises(JournalError, match=BTC):
        book(grew(**told))


def test_it_does_not_go_back():
    with pytest.raises(JournalError, match="final up to 60"):
        book(grew(), grew())
