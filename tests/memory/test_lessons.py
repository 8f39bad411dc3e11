"""Lessons: a planted effect is confirmed on later data, chance is not, and what stops holding retires."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from memory.lessons import RATE, cell_length, distil, last_cell, one_sided_p
from memory.shelf import Shelf
from tests.memory.conftest import DAY_MS, HOUR_MS, START_MS, by_chance


def shelf_of(episodes):
    shelf = Shelf()
    for episode in episodes:
        shelf.add(episode)
    return shelf


def season(rng, days=120, effect=0.0, until=None):
    """Episodes every two hours; where ``trend_24`` is high the market moves by ``effect`` more."""
    episodes = by_chance(days * 12, rng, every_h=2.0, kind="realised", action="enter", side=1)
    # Moves of neighbours overlap by a day and are correlated as overlapping returns are.
    steps = 0.02 / np.sqrt(12) * rng.standard_normal(len(episodes) + 12)
    moves = np.convolve(steps, np.ones(12), mode="valid")[: len(episodes)]
    found = []
    for number, (one, move) in enumerate(zip(episodes, moves.tolist(), strict=True)):
        planted = effect if one.state[1] > 1.0 and (until is None or number < until) else 0.0
        found.append(replace(one, move=move + planted, net_return=move + planted))
    return found


@pytest.mark.slow
def test_on_noise_no_more_than_one_in_twenty_seasons_confirms_anything():
    rng = np.random.default_rng(17)
    seasons, tried, confirmed, wrong = 40, 0, 0, 0
    for _ in range(seasons):
        episodes = season(rng, days=150)
        rules = distil([shelf_of(episodes)], START_MS + 400 * DAY_MS, horizon_ms=DAY_MS)
        counts = rules.counts()
        tried += sum(counts.values())
        confirmed += counts["confirmed"] + counts["retired"]
        wrong += counts["confirmed"] + counts["retired"] > 0
    assert tried > 5 * seasons
    assert confirmed <= RATE * tried
    assert wrong <= 0.05 * seasons + 2 * np.sqrt(0.05 * 0.95 * seasons), f"{wrong} of {seasons} seasons"


def test_a_planted_effect_is_confirmed_and_named():
    found = 0
    for seed in range(6):
        episodes = season(np.random.default_rng(seed), effect=0.03)
        rules = distil([shelf_of(episodes)], START_MS + 125 * DAY_MS, horizon_ms=DAY_MS)
        lessons = {lesson.lesson_id: lesson for lesson in rules.standing()}
        lesson = lessons.get("l-market-trend_24-high")
        if lesson is not None:
            found += 1
            assert lesson.side == 1
            assert lesson.effect == pytest.approx(0.03, abs=0.015)
            assert lesson.p_value <= lesson.level < RATE
            assert lesson.proposed_ms < lesson.confirmed_ms
            assert lesson.evidence_for > lesson.evidence_against
    assert found >= 5, f"confirmed in {found} of 6"


def test_a_lesson_that_is_not_seen_for_long_is_retired():
    shelf = shelf_of(season(np.random.default_rng(1), effect=0.05))
    soon = distil([shelf], START_MS + 125 * DAY_MS, horizon_ms=DAY_MS)
    late = distil([shelf], START_MS + 400 * DAY_MS, horizon_ms=DAY_MS)
    assert "l-market-trend_24-high" in {lesson.lesson_id for lesson in soon.standing()}
    assert late.standing() == []
    assert {lesson.lesson_id: lesson.reason for lesson in late.all()}["l-market-trend_24-high"].startswith("not seen")


def test_a_lesson_that_stops_holding_retires_with_its_record():
    episodes = season(np.random.default_rng(1), days=200, effect=0.05, until=80 * 12)
    episodes = [
        replace(one, move=one.move - 0.03 * (one.state[1] > 1.0)) if n >= 80 * 12 else one
        for n, one in enumerate(episodes)
    ]
    shelf = shelf_of(episodes)
    then = distil([shelf], START_MS + 80 * DAY_MS, horizon_ms=DAY_MS)
    assert "l-market-trend_24-high" in {lesson.lesson_id for lesson in then.standing()}
    later = distil([shelf], START_MS + 400 * DAY_MS, horizon_ms=DAY_MS)
    record = {lesson.lesson_id: lesson for lesson in later.all()}["l-market-trend_24-high"]
    assert record.status == "retired"
    assert record.retired_ms > record.confirmed_ms
    assert "no longer held" in record.reason


def test_what_is_confirmed_at_an_instant_does_not_depend_on_what_comes_after():
    episodes = season(np.random.default_rng(2), days=120, effect=0.03)
    shelf = shelf_of(episodes)
    for day in (30, 55, 80):
        as_of_ms = START_MS + day * DAY_MS + 5 * HOUR_MS
        # As it was known then: what was decided later is gone, what closed later is not known.
        known = [
            one
            if one.moved_ms < as_of_ms
            else replace(one, moved_ms=2**62, move=None, closed_ms=2**62, net_return=None)
            for one in episodes
            if one.decided_ms < as_of_ms
        ]
        assert (
            distil([shelf], as_of_ms, horizon_ms=DAY_MS).all()
            == distil([shelf_of(known)], as_of_ms, horizon_ms=DAY_MS).all()
        )


def test_cells_do_not_share_hours():
    assert cell_length(DAY_MS) == 2 * DAY_MS
    assert last_cell(4 * DAY_MS, DAY_MS) == 0
    assert last_cell(4 * DAY_MS + 1, DAY_MS) == 1


def test_student_against_scipy():
    sample = np.random.default_rng(4).standard_normal(8) + 0.3
    assert one_sided_p(sample) == pytest.approx(ttest_1samp(sample, 0.0, alternative="greater").pvalue)
    assert one_sided_p(np.ones(8)) == 1.0


def test_nothing_to_learn_from():
    assert distil([], START_MS, horizon_ms=DAY_MS).all() == []
    assert distil([Shelf()], START_MS, horizon_ms=DAY_MS).standing() == []
