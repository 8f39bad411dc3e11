"""Texts as features: each counts for a day from when it was known, and none of a later instant is in an earlier bar."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trading.markets import HOUR_MS, PERP, SPOT, START_MS, random_tape
from trading.domain.errors import Unavailable
from trading.features.feature import Group
from trading.features.frame import FeatureFrame, frame_of
from trading.features.registry import FEATURES
from trading.features.stream import FeatureStream
from trading.features.vector import compute
from trading.marketdata import Tape, TapeView, TextScores

BARS = 260
DAY_MS = 24 * HOUR_MS
SENTIMENT = [feature for feature in FEATURES if feature.group is Group.SENTIMENT]


def told(hours: list[float], scores: list[float]) -> Tape:
    """A market of whole hours with texts about the perpetual at hours from its start."""
    known_ms = np.array([START_MS + int(hour * HOUR_MS) for hour in hours], np.int64)
    texts = {PERP: TextScores(known_ms=known_ms, score=np.array(scores))}
    return replace(random_tape(5, bars=BARS, missing=0.0, holes=False), texts=texts)


def daily(seed: int = 3) -> Tape:
    """Some texts at the end of every day."""
    rng = np.random.default_rng(seed)
    hours = sorted(float(24 * day) for day in range(-3, BARS // 24) for _ in range(int(rng.integers(1, 9))))
    return told(hours, rng.choice([-1.0, 0.0, 1.0], len(hours)).tolist())


def whole(tape: Tape, bars: int = BARS) -> FeatureFrame:
    return frame_of(TapeView(tape, START_MS + bars * HOUR_MS), PERP, bars=1000)


def test_a_text_counts_for_a_day_from_the_close_at_which_it_was_known() -> None:
    columns = whole(told([2.0, 2.5, 30.0], [1.0, 0.0, -1.0])).columns
    count, score = columns["sentiment_count"], columns["sentiment_score"]
    assert np.isnan(count[0])
    assert (count[1], score[1]) == (1.0, 1.0), "the bar that closes at the second hour knows the first text"
    assert (count[2], score[2]) == (2.0, 0.5)
    assert (count[24], score[24]) == (2.0, 0.5)
    assert (count[25], score[25]) == (1.0, 0.0), "a day later the first counts no more, the second still does"
    assert np.isnan(count[26:29]).all()
    assert (count[29], score[29]) == (1.0, -1.0)
    assert np.isnan(score[53:]).all(), "a recording that has ended says nothing"


def test_an_instrument_that_nobody_wrote_about_has_no_such_column() -> None:
    view = TapeView(daily(), START_MS + BARS * HOUR_MS)
    assert "sentiment_score" not in frame_of(view, SPOT, bars=10).columns
    with pytest.raises(Unavailable, match="not traded"):
        view.beside("DOGE-USDT", np.zeros(1, np.int64))


def test_every_feature_of_sentiment_has_a_value_once_it_is_warm() -> None:
    table = compute(whole(daily()), SENTIMENT)
    for feature in SENTIMENT:
        assert np.isfinite(table[feature.name][feature.warmup + 1 :]).any(), feature.name


def test_bar_by_bar_gives_what_the_whole_gives() -> None:
    frame = whole(daily())
    stream = FeatureStream(frame.step_ms, SENTIMENT)
    rows = (
        (int(frame.open_ms[row]), {name: float(column[row]) for name, column in frame.columns.items()})
        for row in range(len(frame))
    )
    found = np.stack([stream.push(*row) for row in rows], axis=1)
    np.testing.assert_allclose(found, compute(frame, SENTIMENT).values, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bars", [1, 23, 24, 25, 48, 100, 199])
def test_texts_that_come_later_move_no_bar(bars: int) -> None:
    tape, at_ms = daily(), START_MS + bars * HOUR_MS
    texts = tape.texts[PERP]
    later = texts.known_ms > at_ms
    poisoned = replace(tape, texts={PERP: replace(texts, score=np.where(later, 9.0, texts.score))})
    cut = replace(tape, texts={PERP: TextScores(known_ms=texts.known_ms[~later], score=texts.score[~later])})
    expected = compute(whole(tape), SENTIMENT).values[:, :bars]
    for other in (tape, poisoned, cut):
        np.testing.assert_array_equal(compute(whole(other, bars), SENTIMENT).values, expected)


def test_a_bar_that_has_not_closed_knows_what_the_view_knows() -> None:
    tape = told([2.0, 2.9], [1.0, -1.0])
    view = TapeView(tape, START_MS + 2 * HOUR_MS + HOUR_MS // 2)
    found = view.beside(PERP, np.array([START_MS + 2 * HOUR_MS]))
    assert found["sentiment_count"].tolist() == [1.0]


def test_texts_are_part_of_what_identifies_a_tape() -> None:
    plain = random_tape(5, bars=BARS, missing=0.0, holes=False)
    assert replace(plain, texts={}).sha256 == plain.sha256
    assert len({plain.sha256, daily(3).sha256, daily(4).sha256}) == 3
