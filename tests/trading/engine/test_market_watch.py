"""The market watched by the engine: what is strange bars the instrument from opening, until it is over."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.trading.markets import (
    HOUSE,
    OTHER_PERP,
    PERP,
    MemoryJournal,
    decision,
    engine_on,
    limit,
    play,
    random_tape,
    written,
)
from trading.domain import EventKind
from trading.marketdata.tape import Tape
from trading.marketdata.view import TapeView
from trading.risk.market_watch import MarketWatch, volatility_rank

BARS, PLANTED = 700, 690


def calm(seed: int = 5) -> Tape:
    return random_tape(seed, bars=BARS, symbols=(PERP, OTHER_PERP), missing=0, holes=False, volatility=0.002)


def spiked(tape: Tape, row: int = 0, at: int = PLANTED) -> Tape:
    """One bar that nothing explains: a third up and at once back, on a hundred times the volume."""
    columns = {name: getattr(tape, name).copy() for name in ("high", "close", "volume")}
    columns["high"][row, at] *= 1.4
    columns["close"][row, at] *= 1.35
    columns["volume"][row, at] *= 100
    return replace(tape, **columns)


def watched(tape: Tape, journal=None, **more):
    return engine_on(tape, limits=HOUSE, start_bar=PLANTED - 2, watcher=MarketWatch(), journal=journal, **more)


def of_kind(engine, kind):
    return [event for event in engine._journal.events if event.kind is kind]


def test_a_planted_anomaly_bars_its_instrument_and_no_other_until_it_is_over():
    engine = watched(spiked(calm()))
    engine.open_season()
    barred = {}
    for index in range(engine.setup.rounds):
        opened = engine.open_round(index, engine.setup.round_ms(index))
        barred[index] = set(engine.breakers.barred_instruments())
        price = opened.view.quote(PERP).price
        other = opened.view.quote(OTHER_PERP).price
        wanted = [limit("buy", "1", f"{price * 0.99:.2f}"), limit("buy", "1", f"{other * 0.99:.2f}", OTHER_PERP)]
        engine.submit(decision("alpha", index, wanted))
        engine.close_round()
    known = PLANTED + 1 - (PLANTED - 2)  # the round at which the bar has closed
    assert barred[known] == {PERP}
    assert PERP not in barred[known - 1]
    trips = {(event.payload["scope"], event.payload["rule"]) for event in of_kind(engine, EventKind.BREAKER_TRIPPED)}
    assert (PERP, "max_anomaly") in trips
    refused = [event.payload for event in of_kind(engine, EventKind.RULED) if event.payload["ruling"] == "refused"]
    assert PERP in {ruled["instrument"] for ruled in refused}
    assert OTHER_PERP not in {ruled["instrument"] for ruled in refused if ruled["rule"] == "reduce_only"}
    cleared = [event.payload["rule"] for event in of_kind(engine, EventKind.BREAKER_CLEARED)]
    assert "max_anomaly" in cleared, "the next bar was nothing special, and the rule says so"


def test_unwatched_the_same_market_bars_nothing():
    engine = engine_on(spiked(calm()), limits=HOUSE, start_bar=PLANTED - 2)
    play(engine)
    assert not of_kind(engine, EventKind.CONDITION_NOTED)
    assert not engine.breakers.barred_instruments()


def test_only_changes_are_noted_and_a_restart_notes_the_same():
    tape = spiked(calm())
    whole = play(watched(tape))._journal.events
    journal = MemoryJournal()
    play(watched(tape, journal), rounds=4)
    again = watched(tape, journal)
    again.restore(list(journal.events))
    play(again)
    assert written(journal.events) == written(whole)
    notes = [event.payload for event in whole if event.kind is EventKind.CONDITION_NOTED]
    for symbol in (PERP, OTHER_PERP):
        mine = [note for note in notes if note["instrument"] == symbol]
        assert all(before != after for before, after in pairwise(mine))


def test_a_market_that_went_silent_is_lost_and_comes_back():
    tape = calm()
    silent = {name: getattr(tape, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in silent.values():
        column[0, 680:690] = np.nan
    watch, gone = MarketWatch(), replace(tape, **silent)
    lost = [
        next(c.feed_lost for c in watch.conditions(TapeView(gone, int(gone.open_ms[bar]))) if c.instrument == PERP)
        for bar in range(679, 693)
    ]
    assert lost == [False] * 5 + [True] * 7 + [False] * 2


@pytest.mark.parametrize(("factor", "low", "high"), [(1.0, 0.0, 0.999), (20.0, 0.999, 1.0), (0.01, 0.0, 0.001)])
def test_the_rank_says_where_volatility_stands_in_its_past(factor, low, high):
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 0.001, 1500)
    steps[-24:] *= factor
    bars = TapeView(calm(), 10**15).bars(PERP, 700)
    rank = volatility_rank(replace(bars, close=100 * np.exp(np.cumsum(steps))))
    assert rank is not None
    assert low <= rank <= high


def test_a_market_that_never_moved_or_is_new_has_no_rank():
    bars = TapeView(calm(), 10**15).bars(PERP, 700)
    assert volatility_rank(replace(bars, close=np.full(700, 5.0))) is None
    assert volatility_rank(TapeView(calm(), 10**15).bars(PERP, 200)) is None
