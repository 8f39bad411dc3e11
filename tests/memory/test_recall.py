"""What is recalled: the nearest by state, apart in time, and nothing that became known at or after the instant."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from memory.lessons import distil
from memory.recall import COMPARABLE, SAMPLE, Shelves, estimate
from memory.shelf import Shelf
from tests.memory.conftest import DAY_MS, HOUR_MS, START_MS, by_chance, make_episode


def shelves_of(episodes, **options):
    shelves = Shelves(horizon_ms=DAY_MS, every_ms=HOUR_MS, **options)
    for episode in episodes:
        shelves.add(episode)
    return shelves


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    as_of_h=st.floats(0, 400),
    delays=st.lists(st.integers(0, 200), min_size=30, max_size=30),
    text=st.sampled_from(["", "note 7", "rising"]),
)
def test_nothing_newer_than_the_instant_is_ever_recalled(seed, as_of_h, delays, text):
    rng = np.random.default_rng(seed)
    episodes = [
        replace(one, state=tuple(0.2 * value for value in one.state), moved_ms=one.decided_ms + delays[n] * HOUR_MS,
                closed_ms=one.decided_ms + delays[-n] * HOUR_MS, kind="realised", action="enter", side=1)
        for n, one in enumerate(by_chance(30, rng, every_h=10.0))
    ]  # fmt: skip
    as_of_ms = START_MS + int(as_of_h * HOUR_MS)
    found = shelves_of(episodes).similar("a", "X", (0.0,) * 11, as_of_ms=as_of_ms, text=text, count=10)
    truth = {one.episode_id: one for one in episodes}
    assert found.considered == sum(one.decided_ms < as_of_ms for one in episodes)
    for hit in found.episodes:
        assert hit.decided_ms < as_of_ms
        assert (hit.outcome is None) == (truth[hit.episode_id].closed_ms >= as_of_ms)
        assert (hit.move is None) == (truth[hit.episode_id].moved_ms >= as_of_ms)

    # What happens later, and that it happens at all, changes nothing that is recalled.
    cut = [one for one in episodes if one.decided_ms < as_of_ms]
    blind = [
        replace(
            one,
            move=one.move if one.moved_ms < as_of_ms else 99.0,
            net_return=one.net_return if one.closed_ms < as_of_ms else -99.0,
        )
        for one in cut
    ]
    assert shelves_of(blind).similar("a", "X", (0.0,) * 11, as_of_ms=as_of_ms, text=text, count=10) == found
    lessons = [
        distil([shelf], as_of_ms, horizon_ms=DAY_MS).all()
        for shelf in (*shelves_of(blind).visible_to("a"), *shelves_of(episodes).visible_to("a"))
    ]
    assert all(one == lessons[0] for one in lessons)


@pytest.mark.slow
def test_a_planted_state_is_among_the_first_five_of_a_hundred_thousand():
    rng = np.random.default_rng(5)
    episodes = by_chance(100_000, rng)
    shelves = shelves_of(episodes)
    as_of_ms = START_MS + 200_000 * HOUR_MS
    asked = rng.integers(0, len(episodes), 200)
    found = 0
    for number in asked:
        state = tuple(np.array(episodes[number].state) + 0.1 * rng.standard_normal(11))
        hits = shelves.similar("a", "X", state, as_of_ms=as_of_ms).episodes
        found += episodes[number].episode_id in [hit.episode_id for hit in hits]
    assert found >= 0.95 * len(asked), f"found {found} of {len(asked)}"


def test_what_is_nearest_is_found_as_by_measuring_every_state():
    rng = np.random.default_rng(11)
    shelf = Shelf()
    episodes = by_chance(3000, rng)
    for episode in episodes:
        shelf.add(episode)
    state = rng.standard_normal(11)
    rows, distance = shelf.nearest(state, 2500, 40)
    exact = np.square(np.array([one.state for one in episodes[:2500]]) - state).mean(axis=1)
    assert rows.tolist() == np.argsort(exact)[:40].tolist()
    np.testing.assert_allclose(distance, np.sort(exact)[:40], atol=1e-5)


def test_hits_lie_a_horizon_apart_and_nothing_comparable_is_an_answer():
    close = [make_episode(number) for number in range(300)]
    shelves = shelves_of(close)
    as_of_ms = START_MS + 400 * HOUR_MS
    found = shelves.similar("a", "X", (0.0,) * 11, as_of_ms=as_of_ms, count=10)
    instants = sorted(hit.decided_ms for hit in found.episodes)
    assert len(instants) == 10
    assert min(np.diff(instants)) >= DAY_MS
    assert found.comparable == 13
    nothing = shelves.similar("a", "X", (3.0,) * 11, as_of_ms=as_of_ms)
    assert (nothing.comparable, nothing.episodes, nothing.move, nothing.own) == (0, (), None, None)
    assert nothing.considered == 300
    unknown = shelves.similar("a", "X", None, as_of_ms=as_of_ms)
    assert unknown.regime is None
    assert unknown.episodes == ()
    assert all(hit.similarity >= COMPARABLE for hit in found.episodes)


def test_memory_is_private_unless_it_is_declared_shared():
    episodes = [make_episode(1), make_episode(60, desk="b")]
    as_of_ms = START_MS + 400 * HOUR_MS
    state = (0.0,) * 11
    assert {hit.desk for hit in shelves_of(episodes).similar("b", "X", state, as_of_ms=as_of_ms).episodes} == {"b"}
    shared = shelves_of(episodes, shared=True).similar("b", "X", state, as_of_ms=as_of_ms)
    assert {hit.desk for hit in shared.episodes} == {"a", "b"}
    assert shelves_of(episodes).similar("c", "X", state, as_of_ms=as_of_ms).considered == 0


def test_words_decide_between_states_that_are_alike():
    episodes = [
        make_episode(0, text="funding squeeze of the shorts"),
        make_episode(100, text="quiet drift before the meeting"),
    ]
    shelves = shelves_of(episodes)
    as_of_ms = START_MS + 400 * HOUR_MS
    for words, first in (("funding squeeze", "d-0"), ("quiet drift", "d-100")):
        hits = shelves.similar("a", "X", (0.0,) * 11, as_of_ms=as_of_ms, text=words).episodes
        assert hits[0].decision_id == first


def test_episodes_that_come_out_of_order_or_twice():
    shelf = Shelf()
    shelf.add(make_episode(5))
    shelf.add(make_episode(5))
    assert len(shelf) == 1
    with pytest.raises(ValueError, match="before the last"):
        shelf.add(make_episode(4))


def test_estimates_have_student_intervals():
    rng = np.random.default_rng(3)
    for size in (3, 8, SAMPLE):
        values = rng.standard_normal(size)
        found = estimate([*values, None])
        low, high = student.interval(0.95, size - 1, values.mean(), values.std(ddof=1) / np.sqrt(size))
        assert found is not None
        assert found.n == size
        assert found.ci95 == pytest.approx((low, high), abs=2e-3)
    assert estimate([None]) is None
    assert estimate([0.1, 0.2]).ci95 is None
