from dataclasses import replace

import numpy as np
import pytest

from trading.marketdata import FundingRates, Tape

HOUR_MS = 3_600_000


def tape(bars=4, **columns):
    cells = {name: np.arange(1.0, bars + 1)[None, :] for name in ("open", "high", "low", "close", "volume")}
    open_ms = HOUR_MS * np.arange(bars)
    return Tape(
        **({"symbols": ("A-USDT",), "step_ms": HOUR_MS, "open_ms": open_ms, "source": "replay"} | cells | columns)
    )


def test_columns_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"'low' has shape \(1, 3\), expected \(1, 4\)"):
        tape(low=np.ones((1, 3)))


@pytest.mark.parametrize("hours", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 0.5, 1, 2]])
def test_bars_out_of_order_or_too_close_are_refused(hours):
    with pytest.raises(ValueError, match="one step apart"):
        tape(open_ms=(HOUR_MS * np.array(hours)).astype(np.int64))


def test_last_row_points_to_the_latest_bar_there_is():
    close = np.array([[np.nan, 1.0, np.nan, 2.0]])
    assert tape(close=close).last_row.tolist() == [[-1, 1, 1, 3]]
    assert tape(close=close).gapless == (False,)
    assert tape().gapless == (True,)


def test_the_digest_changes_with_every_part():
    whole = tape()
    assert whole.sha256 == tape().sha256
    rates = FundingRates(ts_ms=np.array([0]), rate=np.array([0.1]))
    changed = [
        replace(whole, symbols=("B-USDT",)),
        replace(whole, step_ms=HOUR_MS // 2),
        replace(whole, open_ms=whole.open_ms + 1),
        replace(whole, source="simulated"),
        replace(whole, funding={"A-USDT": rates}),
        replace(whole, funding={"A-USDT": replace(rates, rate=np.array([0.2]))}),
        *(replace(whole, **{name: whole.close * (1 + 1e-15)}) for name in ("open", "high", "low", "close", "volume")),
    ]
    assert len({whole.sha256, *(other.sha256 for other in changed)}) == len(changed) + 1
