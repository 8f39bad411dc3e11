"""How the market stands, for breakers: it follows from the view, and says when it does not know."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trading.markets import HOUR_MS, PERP, START_MS, random_tape
from trading.domain.errors import Unavailable
from trading.features.alarm import market_alarm, watch_frame
from trading.features.anomalies import Severity, scan
from trading.marketdata import Tape, TapeView

BARS = 1400


@pytest.fixture(scope="module")
def tape() -> Tape:
    return random_tape(2, bars=BARS, missing=0, holes=False)


def test_a_crash_is_an_alarm(tape: Tape) -> None:
    calm = market_alarm(TapeView(tape, START_MS + 1380 * HOUR_MS), PERP)
    assert calm.regime is not None
    assert calm.volatile_probability is not None
    columns = {name: getattr(tape, name).copy() for name in ("open", "high", "low", "close")}
    columns["close"][0, 1379] *= 0.6
    columns["low"][0, 1379] *= 0.6
    for column in columns.values():
        column[0, 1380:] *= 0.6
    crashed = replace(tape, **columns)
    alarm = market_alarm(TapeView(crashed, START_MS + 1380 * HOUR_MS), PERP)
    assert alarm.severity is Severity.CRITICAL
    assert alarm.volatile_probability > calm.volatile_probability
    assert (alarm.instrument, alarm.as_of_ms) == (PERP, START_MS + 1380 * HOUR_MS)
    later = market_alarm(TapeView(crashed, START_MS + 1385 * HOUR_MS), PERP)
    assert later.severity is not Severity.CRITICAL
    assert market_alarm(TapeView(crashed, START_MS + 1385 * HOUR_MS), PERP, bars=8).severity is Severity.CRITICAL


def test_what_is_not_known_is_none(tape: Tape) -> None:
    for bars in (0, 5, 300):
        alarm = market_alarm(TapeView(tape, START_MS + bars * HOUR_MS), PERP)
        assert (alarm.regime, alarm.volatile_probability, alarm.confidence) == (None, None, None)
    with pytest.raises(Unavailable, match="not traded"):
        market_alarm(TapeView(tape, START_MS + HOUR_MS), "DOGE-USDT")


def test_the_newest_bars_are_judged_as_in_the_whole(tape: Tape) -> None:
    frame = watch_frame(TapeView(tape, START_MS + BARS * HOUR_MS), PERP)
    whole, newest = scan(frame), scan(frame, newest=200)
    since = int(frame.open_ms[-200])
    assert newest.anomalies == tuple(each for each in whole.anomalies if each.open_ms >= since)
    assert len(newest.anomalies) >= 3
    for name, scores in whole.scores.items():
        np.testing.assert_array_equal(newest.scores[name][-200:], scores[-200:], err_msg=name)
