"""Targets by hand and by brute force; nothing reaches over a hole."""

import numpy as np
import pytest

from tests.trading.forecasting.markets import HOUR_MS, frame_from, random_walk
from trading.domain.errors import BadArguments
from trading.features.frame import FeatureFrame
from trading.forecasting.targets import steps_of, targets_of, triple_barrier, uniqueness


def without(frame: FeatureFrame, row: int) -> FeatureFrame:
    keep = np.arange(len(frame)) != row
    return FeatureFrame(
        instrument=frame.instrument,
        step_ms=frame.step_ms,
        open_ms=frame.open_ms[keep],
        columns={name: column[keep] for name, column in frame.columns.items()},
    )


@pytest.mark.parametrize("steps", [1, 4, 24])
def test_targets_are_what_the_next_bars_did(steps: int) -> None:
    frame = random_walk(200, seed=1)
    found = targets_of(frame, steps)
    close, high, low = (frame.columns[name] for name in ("close", "high", "low"))
    for row in (0, 57, 199 - steps):
        ahead = slice(row + 1, row + 1 + steps)
        moves = np.diff(np.log(close[row : row + 1 + steps]))
        assert found.log_return[row] == pytest.approx(np.log(close[row + steps] / close[row]))
        assert found.up[row] == float(close[row + steps] > close[row])
        assert found.realised[row] == pytest.approx(np.sqrt(np.sum(moves**2)))
        assert np.exp(found.log_range[row]) == pytest.approx(np.log(high[ahead].max() / low[ahead].min()))
    assert not found.known[-steps:].any()
    assert found.known[:-steps].all()


def test_a_missing_bar_leaves_no_target_across_it() -> None:
    found = targets_of(without(random_walk(100, seed=3), 50), 4)
    assert not found.known[46:50].any()
    assert found.known[45]
    assert found.known[50]


def test_the_future_beyond_the_horizon_changes_nothing() -> None:
    frame = random_walk(300, seed=4)
    whole, cut = targets_of(frame, 8), targets_of(frame.rows(0, 209), 8)
    np.testing.assert_array_equal(whole.log_return[:201], cut.log_return[:201])
    np.testing.assert_array_equal(whole.realised[:201], cut.realised[:201])


def test_barriers_by_hand() -> None:
    frame = frame_from(np.array([0.0, 0.02, 0.0, -0.05, 0.0, 0.0, 0.0]), inner=2)
    columns = dict(frame.columns)
    for name in ("high", "low"):
        extreme = np.maximum if name == "high" else np.minimum
        columns[name] = extreme(columns["open"], columns["close"])
    frame = FeatureFrame(instrument="X-USDT", step_ms=HOUR_MS, open_ms=frame.open_ms, columns=columns)
    found = triple_barrier(frame, 2, np.full(7, 0.01))
    assert found.label[:5].tolist() == [1.0, -1.0, -1.0, 0.0, 0.0]
    assert found.held[:5].tolist() == [1.0, 2.0, 1.0, 2.0, 2.0]
    assert np.isnan(found.label[5:]).all()


def test_labels_that_do_not_overlap_weigh_one_and_full_overlap_weighs_one_in_h() -> None:
    apart = np.full(40, np.nan)
    apart[[0, 10, 20]] = 5.0
    assert uniqueness(apart)[[0, 10, 20]] == pytest.approx([1.0, 1.0, 1.0])
    dense = uniqueness(np.full(400, 8.0))
    assert dense[100:300] == pytest.approx(np.full(200, 1 / 8))
    assert dense[0] > 1 / 8


@pytest.mark.parametrize("horizon_ms", [HOUR_MS // 4, HOUR_MS + 1000, 90 * 60_000])
def test_a_horizon_that_is_no_whole_number_of_bars_is_refused(horizon_ms: int) -> None:
    with pytest.raises(BadArguments, match="whole number of bars of 1h"):
        steps_of(horizon_ms, HOUR_MS)
    assert steps_of(4 * HOUR_MS, HOUR_MS) == 4
