import numpy as np
import pytest

from trading.stats import strengths


def duels(true: np.ndarray, count: int, seed: int) -> list[tuple[int, int, float]]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        first, second = rng.choice(len(true), 2, replace=False)
        chance = 1.0 / (1.0 + np.exp(true[second] - true[first]))
        found.append((int(first), int(second), float(rng.random() < chance)))
    return found


def test_planted_strengths_are_recovered() -> None:
    true = np.array([0.8, 0.1, -0.2, -0.7])
    found = strengths(duels(true, 6000, 1), contestants=4, resamples=20, rng=np.random.default_rng(1))
    np.testing.assert_allclose([one.log_odds for one in found], true - true.mean(), atol=0.12)


def test_two_contestants_have_a_closed_form() -> None:
    found = strengths([(0, 1, 1.0)] * 75 + [(1, 0, 1.0)] * 25, contestants=2, rng=np.random.default_rng(1))
    assert found[0].log_odds - found[1].log_odds == pytest.approx(np.log(75.25 / 25.25), abs=1e-6)
    assert found[0].elo - 1000.0 == pytest.approx(1000.0 - found[1].elo)


def test_intervals_hold_equals_at_their_rate() -> None:
    wrong = 0
    for seed in range(40):
        found = strengths(duels(np.zeros(3), 90, seed), contestants=3, resamples=100, rng=np.random.default_rng(seed))
        assert found[0].ci95
        wrong += not found[0].ci95[0] <= 0.0 <= found[0].ci95[1]
    assert wrong <= 7


def test_ties_and_one_that_never_lost_stay_finite() -> None:
    found = strengths([(0, 1, 0.5)] * 5 + [(2, 0, 1.0)] * 3, contestants=4, rng=np.random.default_rng(1))
    assert all(np.isfinite(one.log_odds) for one in found)
    assert found[2].log_odds == max(one.log_odds for one in found)
    assert [one.duels for one in found] == [8, 5, 3, 0]
    assert {one.ci95 for one in found} == {None}


@pytest.mark.parametrize("duel", [(0, 0, 1.0), (0, 5, 1.0), (0, 1, 2.0)])
def test_duels_that_cannot_be(duel: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="not between two"):
        strengths([duel], contestants=3, rng=np.random.default_rng(1))
