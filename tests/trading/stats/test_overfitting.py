import numpy as np
import pytest

from trading.stats import backtest_overfitting


def test_the_best_of_many_without_skill_is_a_coin_toss_afterwards() -> None:
    rng = np.random.default_rng(1)
    found = [backtest_overfitting(rng.normal(size=(20, 500))) for _ in range(60)]
    mean = float(np.mean([one.probability for one in found if one]))
    assert mean == pytest.approx(0.47, abs=0.07)  # Bailey et al.: about 0.47 for 20 null strategies and T = 500


def test_a_real_edge_among_them_survives() -> None:
    rng = np.random.default_rng(2)
    chances = []
    for _ in range(40):
        returns = rng.normal(size=(20, 500))
        returns[7] += 0.2
        found = backtest_overfitting(returns)
        assert found
        chances.append(found.probability)
    assert np.mean(chances) < 0.12


def test_every_half_is_tried_once() -> None:
    found = backtest_overfitting(np.random.default_rng(3).normal(size=(5, 40)), blocks=6)
    assert found
    assert found.logits.shape == (20,)
    assert 0.0 <= found.loss <= 1.0


def test_a_series_that_always_wins_is_never_below_the_median() -> None:
    returns = np.random.default_rng(4).normal(size=(4, 64))
    returns[2] = 5.0 + 0.01 * returns[2]
    found = backtest_overfitting(returns, blocks=8)
    assert found
    assert (found.probability, found.loss) == (0.0, 0.0)


def test_twins_share_their_rank() -> None:
    row = np.random.default_rng(5).normal(size=64)
    found = backtest_overfitting(np.stack([row, row, row]), blocks=8)
    assert found
    assert found.probability == 0.5
    assert not found.logits.any()


def test_series_that_never_move_rank_last() -> None:
    returns = np.zeros((3, 64))
    returns[1] = np.random.default_rng(6).normal(size=64) - 3.0
    found = backtest_overfitting(returns, blocks=8)
    assert found
    assert found.probability == 0.0


@pytest.mark.parametrize("shape", [(1, 100), (3, 31), (0, 100)])
def test_too_little_is_not_estimated(shape: tuple[int, int]) -> None:
    assert backtest_overfitting(np.random.default_rng(7).normal(size=shape)) is None


def test_unknown_returns_are_not_estimated() -> None:
    returns = np.random.default_rng(8).normal(size=(3, 64))
    returns[0, 3] = np.nan
    assert backtest_overfitting(returns) is None


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_blocks_that_cannot_be_halved(blocks: int) -> None:
    with pytest.raises(ValueError, match="even"):
        backtest_overfitting(np.ones((2, 100)), blocks=blocks)
