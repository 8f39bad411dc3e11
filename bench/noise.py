"""How often each detector of skill finds something where there is nothing: five hundred simulations of noise each."""

from collections.abc import Callable, Iterator

import numpy as np

from bench.figure import Figure
from trading.stats import (
    FloatArray,
    backtest_overfitting,
    clustered_difference,
    mcnemar,
    model_confidence_set,
    paired_difference,
    places,
    resampled,
    superior_to,
)

RUNS = 500
_DESKS = 4
_LENGTH = 150


def measure() -> Iterator[Figure]:
    """The rate of false findings of each, in percent, beside the stated one."""
    for name, wanted, finds in _DETECTORS:
        found = sum(finds(np.random.default_rng(seed)) for seed in range(RUNS))
        yield Figure(name=name, value=100.0 * found / RUNS, unit="%", target=wanted, note=f"{RUNS} simulations")


def _rows(rng: np.random.Generator) -> FloatArray:
    """Heavy-tailed returns with something in common and no edge."""
    return rng.standard_t(4, size=(_DESKS, _LENGTH)) + rng.standard_t(4, size=_LENGTH)


def _total(values: FloatArray) -> FloatArray:
    return np.asarray(values.sum(axis=-1))


def _ranks(rng: np.random.Generator) -> bool:
    rows = _rows(rng)
    return any(place.rank != 1 for place in places(_total(rows), resampled(rows, _total, rng=rng)))


def _pair(rng: np.random.Generator) -> bool:
    first, second = _rows(rng)[:2]
    found = paired_difference(first, second, _total, rng=rng)
    return found is not None and found.p_value <= 0.05


def _cases(rng: np.random.Generator) -> bool:
    days = np.repeat(np.arange(15), 6)
    first = rng.normal(size=90) + rng.normal(size=15)[days]
    found = clustered_difference(first, rng.normal(size=90), days.tolist())
    return found is not None and found.p_value <= 0.05


def _superior(rng: np.random.Generator) -> bool:
    rows = _rows(rng)
    found = superior_to(rows[0], rows[1:], resamples=300, block_length=2.0, seed=int(rng.integers(2**31)))
    return found is not None and bool(found.better)


def _outside(rng: np.random.Generator) -> bool:
    found = model_confidence_set(_rows(rng), resamples=300, block_length=2.0, seed=int(rng.integers(2**31)))
    return found is not None and 0 not in found.members


def _proportions(rng: np.random.Generator) -> bool:
    return mcnemar(rng.random(60) < 0.6, rng.random(60) < 0.6).p_value <= 0.05


def _overfits(rng: np.random.Generator) -> bool:
    found = backtest_overfitting(rng.normal(size=(20, 500)), blocks=8)
    return found is not None and found.probability < 0.5


_DETECTORS: tuple[tuple[str, str, Callable[[np.random.Generator], bool]], ...] = (
    ("ranks of four equals that are not all 1", "<= 5", _ranks),
    ("paired bootstrap of two equals", "about 5", _pair),
    ("clustered difference of two equal variants", "about 5", _cases),
    ("stepwise superiority over a benchmark", "<= 5", _superior),
    ("model confidence set without a given equal", "<= 5", _outside),
    ("McNemar of two equal rates", "<= 5", _proportions),
    ("best of 20 without skill that stays above the median", "about 50", _overfits),
)
