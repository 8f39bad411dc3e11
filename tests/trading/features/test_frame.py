"""What stands beside the bars: reference, peers and funding, each as it was known at the bar's close."""

import math

import numpy as np
import pytest

from tests.trading.markets import HOUR_MS, OTHER_PERP, PERP, SPOT, START_MS, random_tape, tape_of
from trading.domain.errors import Unavailable
from trading.features.feature import COLUMNS, Input
from trading.features.frame import FeatureFrame, frame_of, reference_of
from trading.features.vector import compute
from trading.marketdata import TapeView

NAN_BAR = (math.nan,) * 4


def closes(*values: float) -> list[tuple[float, float, float, float]]:
    return [(value,) * 4 for value in values]


def test_peers_are_the_other_instruments() -> None:
    tape = tape_of(
        {
            PERP: closes(100, 110, 99),
            OTHER_PERP: closes(50, 55, 44),
            SPOT: [*closes(10, 10), NAN_BAR],
        }
    )
    columns = frame_of(TapeView(tape, START_MS + 3 * HOUR_MS), PERP, bars=10).columns
    rise, fall = math.log(55 / 50), math.log(44 / 55)
    assert columns["peers_return"] == pytest.approx([math.nan, rise / 2, fall], nan_ok=True)
    assert columns["peers_rising"] == pytest.approx([math.nan, 0.5, 0.0], nan_ok=True)
    assert columns["peers_dispersion"] == pytest.approx([math.nan, rise / 2, 0.0], nan_ok=True)


def test_a_return_over_a_missing_bar_is_no_return() -> None:
    tape = tape_of({PERP: closes(100, 110, 99, 98), OTHER_PERP: [*closes(50), NAN_BAR, *closes(44, 45)]})
    columns = frame_of(TapeView(tape, START_MS + 4 * HOUR_MS), PERP, bars=10).columns
    assert np.isnan(columns["peers_return"]).tolist() == [True, True, True, False]


def test_the_reference_is_lined_up_by_time() -> None:
    tape = tape_of({OTHER_PERP: closes(50, 51, 52), PERP: [*closes(100), NAN_BAR, *closes(102)]})
    view = TapeView(tape, START_MS + 3 * HOUR_MS)
    assert frame_of(view, OTHER_PERP, bars=3).columns["reference_close"] == pytest.approx(
        [100, math.nan, 102], nan_ok=True
    )
    assert frame_of(view, PERP, bars=3, reference=OTHER_PERP).columns["reference_close"] == pytest.approx([50, 52])
    assert reference_of(("SOL-USDT", "ETH-USDT")) == "SOL-USDT"


def test_funding_is_the_rate_settled_last_and_not_for_ever() -> None:
    tape = tape_of({PERP: closes(*[100.0] * 40)}, funding={PERP: {2 * HOUR_MS: 1e-4, 3 * HOUR_MS + 1: 2e-4}})
    rates = frame_of(TapeView(tape, START_MS + 40 * HOUR_MS), PERP, bars=40).columns["funding_rate"]
    assert np.isnan(rates[0])
    assert rates[1:4].tolist() == [1e-4, 1e-4, 2e-4]
    assert rates[3:27].tolist() == [2e-4] * 24
    assert np.isnan(rates[27:]).all()


def test_an_earlier_view_has_the_same_rows_and_the_same_vector() -> None:
    tape = random_tape(5, bars=320, missing=0.002, holes=False)
    whole = frame_of(TapeView(tape, START_MS + 320 * HOUR_MS), PERP, bars=1000)
    table = compute(whole)
    for bars in (1, 100, 300):
        early = frame_of(TapeView(tape, START_MS + bars * HOUR_MS), PERP, bars=1000)
        known = len(early)
        assert early.open_ms.tolist() == whole.open_ms[:known].tolist()
        for name, column in early.columns.items():
            np.testing.assert_array_equal(column, whole.columns[name][:known])
        np.testing.assert_allclose(compute(early).values, table.values[:, :known], rtol=1e-9, atol=1e-12)


def test_candles_know_no_book_no_trades_and_no_sentiment() -> None:
    columns = frame_of(TapeView(random_tape(1), START_MS + 50 * HOUR_MS), PERP, bars=20).columns
    for source in (Input.TOP, Input.BOOK, Input.TRADES, Input.SENTIMENT, Input.OPEN_INTEREST):
        assert not set(COLUMNS[source]) & set(columns)
    assert set(COLUMNS[Input.BARS]) < set(columns)


def test_one_instrument_alone_has_no_peers() -> None:
    frame = frame_of(TapeView(tape_of({SPOT: closes(1, 2, 3)}), START_MS + 3 * HOUR_MS), SPOT, bars=5)
    assert "peers_return" not in frame.columns
    assert frame.columns["reference_close"].tolist() == [1, 2, 3]


def test_nothing_known_yet_is_an_empty_frame() -> None:
    view = TapeView(random_tape(1), START_MS)
    assert len(frame_of(view, PERP, bars=10)) == 0
    with pytest.raises(Unavailable, match="not traded"):
        frame_of(view, "DOGE-USDT", bars=10)


@pytest.mark.parametrize(
    ("open_ms", "columns", "says"),
    [
        ([0, HOUR_MS], {"close": [1.0, 2.0], "colour": [1.0, 2.0]}, "no feature reads a column 'colour'"),
        ([0, HOUR_MS], {"close": [1.0]}, "one value for each of the 2 bars"),
        ([HOUR_MS, 0], {"close": [1.0, 2.0]}, "in order"),
        ([0, HOUR_MS // 2], {"close": [1.0, 2.0]}, "at least one step apart"),
    ],
)
def test_a_frame_that_cannot_be_is_refused(open_ms: list[int], columns: dict[str, list[float]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FeatureFrame(
            instrument=SPOT,
            step_ms=HOUR_MS,
            open_ms=np.array(open_ms, np.int64),
            columns={name: np.array(column) for name, column in columns.items()},
        )
