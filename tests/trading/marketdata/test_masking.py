import numpy as np
import pytest

from trading.domain.errors import RequestError
from trading.domain.instrument import parse_symbol
from trading.marketdata import SimulationSpec, TapeView, simulate
from trading.marketdata.masking import draw_mask, masked_tape, reordered_tape

HOUR_MS = 3_600_000
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT")
TAPE = simulate(
    SimulationSpec(symbols=SYMBOLS, start_ms=1_740_787_200_000, end_ms=1_743_379_200_000, step_ms=HOUR_MS, seed=4)
)


def test_a_mask_hides_names_dates_and_prices_and_keeps_every_move() -> None:
    mask = draw_mask(SYMBOLS, 7)
    found = masked_tape(TAPE, mask)
    assert not set(found.symbols) & set(SYMBOLS)
    assert [parse_symbol(symbol)[1:] for symbol in found.symbols] == [parse_symbol(symbol)[1:] for symbol in SYMBOLS]
    np.testing.assert_allclose(np.diff(np.log(found.close)), np.diff(np.log(TAPE.close)), atol=1e-12)
    np.testing.assert_allclose(found.high / found.low, TAPE.high / TAPE.low, rtol=1e-12)
    np.testing.assert_allclose(found.close * found.volume, TAPE.close * TAPE.volume, rtol=1e-12)
    shift = int(found.open_ms[0] - TAPE.open_ms[0])
    assert (np.diff(found.open_ms) == HOUR_MS).all()
    assert shift % (7 * 24 * HOUR_MS) == 0
    assert abs(shift) >= 104 * 7 * 24 * HOUR_MS
    for symbol, hidden in mask.names.items():
        rates, moved = TAPE.funding.get(symbol), found.funding.get(hidden)
        assert (rates is None) == (moved is None)
        if rates is not None and moved is not None:
            assert (moved.ts_ms - rates.ts_ms == shift).all()
            assert (moved.rate == rates.rate).all()


def test_the_same_seed_gives_the_same_mask_and_another_seed_another() -> None:
    assert draw_mask(SYMBOLS, 7) == draw_mask(SYMBOLS, 7)
    assert draw_mask(SYMBOLS, 7).names["BTC-USDT-PERP"] == draw_mask(SYMBOLS[:1], 7).names["BTC-USDT-PERP"]
    drawn = [draw_mask(SYMBOLS, seed) for seed in range(200)]
    assert len({mask.names["BTC-USDT-PERP"] for mask in drawn}) > 195
    factors = np.array([mask.scales["BTC-USDT-PERP"] for mask in drawn])
    assert 1 / 20 <= factors.min() <= factors.max() <= 20
    assert np.mean(factors > 1) == pytest.approx(0.5, abs=0.12)


def test_nothing_later_is_seen_through_a_mask() -> None:
    mask = draw_mask(SYMBOLS, 7)
    found, at = masked_tape(TAPE, mask), int(TAPE.open_ms[200])
    plain, hidden = TapeView(TAPE, at), TapeView(found, at + mask.shift_ms)
    for symbol, name in mask.names.items():
        assert len(plain.bars(symbol, 500)) == len(hidden.bars(name, 500)) == 200


def test_reordered_is_the_same_market_in_another_order() -> None:
    found = reordered_tape(TAPE)
    assert found.symbols == SYMBOLS[::-1]
    for symbol in SYMBOLS:
        np.testing.assert_array_equal(found.close[found.index[symbol]], TAPE.close[TAPE.index[symbol]])


def test_rubbish() -> None:
    with pytest.raises(RequestError, match="does not name SOL-USDT"):
        masked_tape(TAPE, draw_mask(SYMBOLS[:2], 1))
    with pytest.raises(RequestError, match="expected BASE-QUOTE"):
        draw_mask(("nonsense",), 1)
