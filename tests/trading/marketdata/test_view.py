from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.errors import Unavailable
from trading.marketdata import FundingRates, SimulationSpec, Tape, TapeView, last_bar, simulate

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
COLUMNS = ("open", "high", "low", "close", "volume")

BARS = 60
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP")
WHOLE = simulate(
    SimulationSpec(
        symbols=SYMBOLS, start_ms=START_MS, end_ms=START_MS + BARS * HOUR_MS, step_ms=HOUR_MS, seed=11
    )
)  # fmt: skip


def with_holes(tape, holes):
    cells = {name: getattr(tape, name).copy() for name in COLUMNS}
    for row, bar in holes:
        for values in cells.values():
            values[row, bar] = np.nan
    return replace(tape, **cells)


def another_future(tape, as_of_ms, draw):
    """The same tape up to ``as_of_ms``; after it other prices, other holes, another length, other funding."""
    known = tape.bars_known_at(as_of_ms)
    length = draw(st.integers(known, known + 20))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    later = START_MS + HOUR_MS * np.arange(known, length)

    def extend(past):
        fresh = random.uniform(1, 1e6, (len(SYMBOLS), length - known))
        fresh[random.random(fresh.shape) < 0.2] = np.nan
        return np.concatenate([past[:, :known], fresh], axis=1)

    funding = {}
    for symbol, rates in tape.funding.items():
        settled = int(np.searchsorted(rates.ts_ms, as_of_ms, side="right"))
        more = as_of_ms + 1 + np.sort(random.integers(0, 10 * HOUR_MS, 5))
        funding[symbol] = FundingRates(
            ts_ms=np.concatenate([rates.ts_ms[:settled], more]),
            rate=np.concatenate([rates.rate[:settled], random.normal(size=5)]),
        )
    return Tape(
        symbols=tape.symbols,
        step_ms=tape.step_ms,
        open_ms=np.concatenate([tape.open_ms[:known], later]),
        source=tape.source,
        funding=funding,
        **{name: extend(getattr(tape, name)) for name in COLUMNS},
    )


def everything(view):
    """All that a view answers, in a form that can be compared."""
    answers = []
    for symbol in view.symbols:
        try:
            answers.append(view.quote(symbol))
        except Unavailable as error:
            answers.append(str(error))
        for count in (0, 1, 7, 10_000):
            bars = view.bars(symbol, count)
            answers.append([bars.open_ms.tolist(), *(getattr(bars, name).tolist() for name in COLUMNS)])
            rates = view.funding(symbol, count)
            answers.append([rates.ts_ms.tolist(), rates.rate.tolist()])
    return answers


@given(data=st.data(), offset_ms=st.integers(-HOUR_MS, (BARS + 1) * HOUR_MS - 1))
@settings(deadline=None)
def test_the_future_of_the_tape_changes_nothing_a_view_answers(data, offset_ms):
    holes = data.draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, BARS - 1)), max_size=20))
    tape = with_holes(WHOLE, holes)
    as_of_ms = START_MS + offset_ms
    other = another_future(tape, as_of_ms, data.draw)
    assert everything(TapeView(tape, as_of_ms)) == everything(TapeView(other, as_of_ms))


@given(offset_ms=st.integers(-HOUR_MS, (BARS + 2) * HOUR_MS))
@settings(deadline=None)
def test_a_bar_is_known_from_its_close_on_and_not_before(offset_ms):
    as_of_ms = START_MS + offset_ms
    bars = TapeView(WHOLE, as_of_ms).bars(SYMBOLS[0], 10_000)
    assert len(bars) == min(BARS, max(0, offset_ms // HOUR_MS))
    assert all(bars.open_ms + HOUR_MS <= as_of_ms)


def test_a_quote_across_a_gap_is_the_last_known_price_and_says_its_age():
    tape = with_holes(WHOLE, [(0, 5), (0, 6)])
    view = TapeView(tape, START_MS + 7 * HOUR_MS)
    stale, fresh = view.quote(SYMBOLS[0]), view.quote(SYMBOLS[1])
    assert stale.price == tape.close[0, 4]
    assert stale.ts_ms == START_MS + 5 * HOUR_MS
    assert stale.age_ms == 2 * HOUR_MS
    assert (fresh.price, fresh.age_ms) == (tape.close[1, 6], 0)
    assert view.bars(SYMBOLS[0], 3).open_ms.tolist() == [START_MS + bar * HOUR_MS for bar in (2, 3, 4)]


def test_without_a_closed_bar_there_is_no_price():
    view = TapeView(with_holes(WHOLE, [(0, 0)]), START_MS + HOUR_MS)
    with pytest.raises(Unavailable, match="has no price yet"):
        view.quote(SYMBOLS[0])
    assert view.quote(SYMBOLS[1]).price == WHOLE.close[1, 0]
    with pytest.raises(Unavailable, match="no closed bar yet"):
        last_bar(view.bars(SYMBOLS[0], 5))
    with pytest.raises(Unavailable, match="has no price yet"):
        TapeView(WHOLE, START_MS + HOUR_MS - 1).quote(SYMBOLS[1])


def test_funding_is_known_from_its_settlement_on():
    settled = START_MS + 8 * HOUR_MS
    assert len(TapeView(WHOLE, settled - 1).funding(SYMBOLS[0], 10).ts_ms) == 0
    assert TapeView(WHOLE, settled).funding(SYMBOLS[0], 10).ts_ms.tolist() == [settled]
    last_two = TapeView(WHOLE, START_MS + BARS * HOUR_MS).funding(SYMBOLS[0], 2)
    assert last_two.ts_ms.tolist() == [START_MS + 48 * HOUR_MS, START_MS + 56 * HOUR_MS]


def test_an_unknown_instrument_is_refused_with_those_that_trade():
    view = TapeView(WHOLE, START_MS + HOUR_MS)
    for ask in (view.quote, lambda symbol: view.bars(symbol, 1), lambda symbol: view.funding(symbol, 1)):
        with pytest.raises(Unavailable, match="BTC-USDT-PERP, ETH-USDT-PERP"):
            ask("DOGE-USDT")


@pytest.mark.parametrize("holes", [[], [(0, 3)]])
def test_nothing_that_a_view_hands_out_leads_back_to_the_tape(holes):
    tape = with_holes(WHOLE, holes)
    before = tape.sha256
    view = TapeView(tape, START_MS + 20 * HOUR_MS)
    bars, rates = view.bars(SYMBOLS[0], 10), view.funding(SYMBOLS[0], 10)
    for array in (bars.open_ms, bars.open, bars.high, bars.low, bars.close, bars.volume, rates.ts_ms, rates.rate):
        assert array.base is None
        array[:] = 0
    assert replace(tape).sha256 == before
