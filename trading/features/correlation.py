"""How instruments move together: rolling and shrunk correlations, and whether they have changed."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import RequestError
from trading.features.rolling import correlation as pair_correlation
from trading.marketdata import Bars, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Log returns over one step of instruments at the bars that all of them have, shape (bars, instruments)."""

    instruments: tuple[str, ...]
    open_ms: IntArray
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """A test that two samples have one correlation matrix.

    ``statistic`` is Jennrich's, ``p_chi2`` its p-value for normal returns, ``p_permuted`` the one that also holds for
    heavy tails; ``change`` is the mean correlation after less that before.
    """

    statistic: float
    p_chi2: float
    p_permuted: float
    change: float


def common_returns(bars: Mapping[str, Bars]) -> Returns:
    """Returns of the instruments at the bars that open one step after another in all of them.

    Raises RequestError when there are fewer than two instruments or none such bar.
    """
    if len(bars) < 2:
        raise RequestError(f"a correlation needs two instruments or more; found {', '.join(bars) or 'none'}")
    shared = None
    for each in bars.values():
        shared = each.open_ms if shared is None else np.intersect1d(shared, each.open_ms, assume_unique=True)
    assert shared is not None
    step_ms = next(iter(bars.values())).step_ms
    closes = np.column_stack([each.close[np.searchsorted(each.open_ms, shared)] for each in bars.values()])
    follows = np.diff(shared) == step_ms
    if not follows.any():
        raise RequestError(f"{', '.join(bars)} have no two bars in a row together")
    return Returns(
        instruments=tuple(bars), open_ms=shared[1:][follows], values=np.diff(np.log(closes), axis=0)[follows]
    )


def correlation_matrix(values: FloatArray) -> FloatArray:
    """Pearson correlations of the columns, shape (p, p); NaN for a column that did not move."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: FloatArray = np.clip(np.corrcoef(values, rowvar=False), -1.0, 1.0)
    return found


def shrunk_correlation(values: FloatArray) -> tuple[FloatArray, float]:
    """Correlations of the columns with Ledoit and Wolf's (2004) shrinkage of the standardised returns, and its weight.

    Raises RequestError for fewer than two rows or a column that did not move.
    """
    from sklearn.covariance import ledoit_wolf

    spread = values.std(axis=0) if len(values) > 1 else np.zeros(1)
    if not spread.min() > 0:
        raise RequestError("a correlation needs two returns or more of instruments that moved")
    covariance, weight = ledoit_wolf((values - values.mean(axis=0)) / spread, assume_centered=True)
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale), float(weight)


def rolling_correlation(values: FloatArray, window: int) -> FloatArray:
    """Correlation matrix of the ``window`` rows up to each row, shape (n, p, p); NaN before the first full window."""
    rows, columns = values.shape
    found = np.full((rows, columns, columns), np.nan)
    if rows < window:
        return found
    found[window - 1 :, range(columns), range(columns)] = 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        for one in range(columns):
            for other in range(one):
                pair = pair_correlation(values[:, one], values[:, other], window)
                found[window - 1 :, one, other] = found[window - 1 :, other, one] = pair
    return found


class RollingCorrelation:
    """The correlation matrix of the last ``window`` rows, one row at a time."""

    def __init__(self, window: int) -> None:
        if window < 3:
            raise ValueError("a correlation needs a window of at least 3 returns")
        self._rows: deque[FloatArray] = deque(maxlen=window)

    def push(self, row: FloatArray) -> FloatArray | None:
        """Takes the returns of one bar, shape (p,); None before the window is full."""
        if self._rows and len(row) != len(self._rows[0]):
            raise ValueError(f"{len(row)} returns where there were {len(self._rows[0])} before")
        self._rows.append(np.asarray(row, np.float64))
        return correlation_matrix(np.array(self._rows)) if len(self._rows) == self._rows.maxlen else None


def jennrich(before: FloatArray, after: FloatArray) -> float:
    """Jennrich's (1970) statistic that two samples of shapes (n1, p) and (n2, p) have one correlation matrix.

    Chi-squared with p (p - 1) / 2 degrees of freedom for large normal samples. NaN where the pooled matrix cannot be
    inverted.
    """
    first, second = correlation_matrix(before), correlation_matrix(after)
    n1, n2 = len(before), len(after)
    pooled = (n1 * first + n2 * second) / (n1 + n2)
    if not np.isfinite(pooled).all() or np.linalg.cond(pooled) > 1e10:
        return float("nan")
    inverse = np.linalg.inv(pooled)
    apart = np.sqrt(n1 * n2 / (n1 + n2)) * inverse @ (first - second)
    diagonal = np.diag(apart)
    weights = np.eye(len(pooled)) + pooled * inverse
    return float(0.5 * np.trace(apart @ apart) - diagonal @ np.linalg.solve(weights, diagonal))


def correlation_breakdown(
    before: FloatArray, after: FloatArray, *, rng: np.random.Generator, permutations: int = 499, block: int = 6
) -> Breakdown:
    """Test whether the correlations of ``after`` are other than those of ``before``, each of shape (n, p).

    The permuted p-value deals blocks of ``block`` rows, standardised within their sample so that only correlation can
    differ, to the two samples anew. Raises RequestError for samples that are too short to correlate.
    """
    from scipy.stats import chi2

    columns = before.shape[1]
    if columns < 2 or min(len(before), len(after)) < max(3 * block, 2 * columns):
        raise RequestError(
            f"samples of {len(before)} and {len(after)} returns of {columns} instruments are too short for a test"
        )
    statistic = jennrich(before, after)
    if np.isnan(statistic):
        raise RequestError("the correlations cannot be told apart: an instrument did not move, or two are the same")
    scaled = [(each - each.mean(axis=0)) / each.std(axis=0) for each in (before, after)]
    blocks = [
        np.arange(start, min(start + block, len(each))) for each in scaled for start in range(0, len(each), block)
    ]
    offsets = np.repeat([0, len(before)], [-(-len(each) // block) for each in scaled])
    pool = np.concatenate(scaled)
    placed = [rows + offset for rows, offset in zip(blocks, offsets.tolist(), strict=True)]
    beyond = 0
    for _ in range(permutations):
        order = np.concatenate([placed[at] for at in rng.permutation(len(placed))])
        drawn = jennrich(pool[order[: len(before)]], pool[order[len(before) :]])
        beyond += bool(drawn >= statistic)
    upper = np.triu_indices(columns, 1)
    return Breakdown(
        statistic=statistic,
        p_chi2=float(chi2.sf(statistic, columns * (columns - 1) / 2)),
        p_permuted=(1 + beyond) / (1 + permutations),
        change=float((correlation_matrix(after) - correlation_matrix(before))[upper].mean()),
    )
