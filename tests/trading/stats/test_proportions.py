import math

import numpy as np
import pytest
from scipy.stats import binomtest

from trading.stats import mcnemar, pass_hat_k, wilson_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (1, 10), (5, 10), (90, 100), (250, 250)])
def test_wilson_agrees_with_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high))


def test_wilson_of_nothing_and_of_nonsense() -> None:
    assert wilson_interval(0, 0) is None
    with pytest.raises(ValueError, match="expected 0 to 3"):
        wilson_interval(4, 3)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (5, 5), (1, 8), (12, 3)])
def test_mcnemar_is_the_exact_sign_test(b: int, c: int) -> None:
    first = np.array([True] * b + [False] * c + [True] * 7 + [False] * 2)
    second = np.array([False] * b + [True] * c + [True] * 7 + [False] * 2)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (b, c)
    assert found.p_value == pytest.approx(binomtest(b, b + c).pvalue if b + c else 1.0)


def test_mcnemar_refuses_other_cases() -> None:
    with pytest.raises(ValueError, match="same cases"):
        mcnemar(np.ones(2, np.bool_), np.ones(3, np.bool_))


def test_pass_hat_k_of_a_worked_case() -> None:
    # 4 tries of which 3 pass: two fresh ones both pass in C(3,2) of C(4,2); a case that always passes gives 1.
    assert pass_hat_k([3, 4], [4, 4], k=2) == pytest.approx((3 / 6 + 1) / 2)
    assert pass_hat_k([3, 4], [4, 4], k=1) == pytest.approx(7 / 8)
    assert pass_hat_k([1], [4], k=2) == 0.0
    assert pass_hat_k([], [], k=3) is None


def test_pass_hat_k_is_unbiased() -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.3, 1.0, size=4000)
    passed = rng.binomial(8, rates)
    assert pass_hat_k(passed.tolist(), [8] * 4000, k=3) == pytest.approx(float(np.mean(rates**3)), abs=0.02)


@pytest.mark.parametrize(
    ("successes", "trials", "k"), [([1], [1], 0), ([1], [1], 2), ([2], [1], 1), ([1, 1], [1], 1), ([-1], [3], 1)]
)
def test_pass_hat_k_of_nonsense(successes: list[int], trials: list[int], k: int) -> None:
    with pytest.raises(ValueError, match=r"expected|needed|cases"):
        pass_hat_k(successes, trials, k=k)


def test_large_counts_stay_exact() -> None:
    found = pass_hat_k([900], [1000], k=100)
    assert found == pytest.approx(math.comb(900, 100) / math.comb(1000, 100))
