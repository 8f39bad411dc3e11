"""When fits are due: by the clock."""

import numpy as np

from trading.features.schedule import fit_periods, fit_stretches


def test_stretches_begin_where_the_clock_completes_a_period() -> None:
    open_ms = 10 * np.array([0, 1, 2, 3, 4, 5, 9, 10], np.int64)
    assert fit_stretches(open_ms, 10, 4) == [(0, 3), (3, 6), (6, 8)]
    assert fit_periods(open_ms, 10, 4).tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert fit_stretches(open_ms[2:], 10, 4) == [(0, 1), (1, 4), (4, 6)]


def test_nothing_has_no_stretch() -> None:
    assert fit_stretches(np.empty(0, np.int64), 10, 4) == []
