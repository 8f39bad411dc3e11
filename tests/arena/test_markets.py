"""Readings of the market: nothing later than the view, measured once a round, the same whatever lies ahead."""

import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from arena.markets import Markets, read_market
from trading.domain.errors import Unavailable
from trading.marketdata import SimulationSpec, simulate
from trading.marketdata.view import TapeView

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP")


@pytest.fixture(scope="module")
def tape():
    return simulate(
        SimulationSpec(symbols=SYMBOLS, start_ms=START_MS, end_ms=START_MS + 1100 * HOUR_MS, step_ms=HOUR_MS, seed=3)
    )


def view_at(tape, bars):
    """The view when so many bars have closed."""
    return TapeView(tape, START_MS + bars * HOUR_MS)


def test_a_reading_ends_at_the_instant_of_its_view(tape):
    found = read_market(view_at(tape, 1000), SYMBOLS[1])
    assert found.as_of_ms == START_MS + 1000 * HOUR_MS
    assert int(found.bars.open_ms[-1]) == found.as_of_ms - HOUR_MS
    assert found.regimes[-1].end_ms == found.as_of_ms
    assert all(one.open_ms < found.as_of_ms for one in found.anomalies)
    assert all(ts <= found.as_of_ms for ts in found.funding.ts_ms)
    assert np.array(found.together.matrix).shape == (2, 2)
    assert found.together.matrix[0][1] == pytest.approx(found.together.matrix[1][0])


def test_the_future_of_the_tape_changes_no_reading(tape):
    cut = 1000
    later = {name: getattr(tape, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in later.values():
        column[:, cut:] *= 3.0
    bent = replace(tape, **later)
    plain, other = (read_market(view_at(each, cut), SYMBOLS[0]) for each in (tape, bent))
    assert plain.regimes == other.regimes
    assert plain.anomalies == other.anomalies
    assert plain.together == other.together
    assert np.array_equal(plain.bars.close, other.bars.close)


def test_regimes_lie_in_order_without_overlap(tape):
    spans = read_market(view_at(tape, 1000), SYMBOLS[0]).regimes
    assert all(before.end_ms <= after.begin_ms for before, after in pairwise(spans))
    assert all(before.regime != after.regime for before, after in pairwise(spans))


def test_a_later_reading_keeps_what_was_found_and_adds_what_came(tape):
    first = read_market(view_at(tape, 900), SYMBOLS[0])
    second = read_market(view_at(tape, 960), SYMBOLS[0], first)
    last_ms = int(first.bars.open_ms[-1])
    assert [one for one in second.anomalies if one.open_ms < last_ms] == [
        one for one in first.anomalies if one.open_ms < last_ms
    ]
    assert len({(one.open_ms, one.what, one.method) for one in second.anomalies}) == len(second.anomalies)


def test_too_little_history_is_not_known_rather_than_guessed(tape):
    found = read_market(view_at(tape, 3), SYMBOLS[0])
    assert (found.regime, found.regimes, found.anomalies) == (None, (), ())
    assert len(found.bars) == 3
    nothing = read_market(view_at(tape, 0), SYMBOLS[0])
    assert (len(nothing.bars), nothing.together) == (0, None)


def test_a_stranger_is_refused_below_and_shown_as_the_first_instrument_on_pages(tape):
    view = view_at(tape, 900)
    with pytest.raises(Unavailable):
        read_market(view, "<script>")
    markets = Markets(lambda: view)
    assert markets.of("<script>").instrument == SYMBOLS[0]
    assert markets.of(None).instrument == SYMBOLS[0]
    assert markets.of(SYMBOLS[1]).instrument == SYMBOLS[1]
    markets.close()


def test_an_instrument_is_measured_once_a_round_for_all_who_ask(tape, monkeypatch):
    measured = []
    real = read_market
    monkeypatch.setattr(
        "arena.markets.read_market",
        lambda view, symbol, before: measured.append(view.as_of_ms) or real(view, symbol, before),
    )
    now = [view_at(tape, 900)]
    markets = Markets(lambda: now[0])
    askers = [threading.Thread(target=markets.of, args=(SYMBOLS[0],)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    markets.of(SYMBOLS[0])
    now[0] = view_at(tape, 901)
    markets.of(SYMBOLS[0])
    markets.close()
    assert measured == [START_MS + 900 * HOUR_MS, START_MS + 901 * HOUR_MS]


def test_a_measurement_that_takes_long_leaves_the_last_reading_on_the_page(tape, monkeypatch):
    monkeypatch.setattr("arena.markets.PATIENCE_S", 0.1)
    go_on, real = threading.Event(), read_market

    def slow(view, symbol, before):
        if before is not None:
            assert go_on.wait(60)
        return real(view, symbol, before)

    monkeypatch.setattr("arena.markets.read_market", slow)
    now = [view_at(tape, 900)]
    markets = Markets(lambda: now[0])
    while markets.of(None) is None:
        time.sleep(0.02)
    now[0] = view_at(tape, 901)
    assert [markets.of(None).as_of_ms for _ in range(3)] == [START_MS + 900 * HOUR_MS] * 3
    go_on.set()
    markets.close()
    assert markets.of(None).as_of_ms == START_MS + 901 * HOUR_MS


def test_another_season_with_an_earlier_clock_is_measured_anew(tape):
    now = [view_at(tape, 960)]
    markets = Markets(lambda: now[0])
    markets.of(None)
    now[0] = view_at(tape, 900)
    assert markets.of(None).as_of_ms == START_MS + 900 * HOUR_MS
    markets.close()


def test_before_the_first_round_there_is_none():
    markets = Markets(lambda: None)
    assert markets.of(SYMBOLS[0]) is None
    markets.close()
