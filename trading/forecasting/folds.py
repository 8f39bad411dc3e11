"""How history is cut into what a model may learn from and what it is judged on, with nothing shared between the two.

A label of row ``t`` is known at row ``t + steps``. Rows whose label reaches into the judged rows are purged, and an
embargo keeps as many again away (Lopez de Prado 2018, ch. 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import RequestError
from trading.marketdata import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Row numbers to learn from and to be judged on, both in order of time."""

    train: IntArray
    test: IntArray


def walk_forward(rows: IntArray, *, first_test: int, folds: int, steps: int) -> list[Fold]:
    """``folds`` folds of equal length from row ``first_test`` on; each learns from everything that was known before it.

    ``rows`` are the usable row numbers, in order. Raises RequestError where a fold would have too little to learn from.
    """
    judged = rows[rows >= first_test]
    if folds < 1 or len(judged) < folds * 50:
        raise RequestError(
            f"{len(judged)} labelled bars to judge {folds} folds on; expected at least 50 a fold: "
            "use more candles or fewer folds"
        )
    found = []
    for test in np.array_split(judged, folds):
        train = before(rows, int(test[0]), steps)
        found.append(Fold(train=train, test=test))
    return found


def before(rows: IntArray, row: int, steps: int) -> IntArray:
    """Those of ``rows`` whose labels are known before ``row``, with an embargo of as many bars again."""
    return rows[rows + 2 * steps < row]


def held_out(train: IntArray, steps: int, share: float = 0.12) -> tuple[IntArray, IntArray]:
    """The earlier part of ``train`` to fit on, and its later ``share`` to stop and calibrate on, purged."""
    later = train[int(len(train) * (1.0 - share)) :]
    return before(train, int(later[0]), steps), later


def combinatorial(rows: IntArray, *, blocks: int = 6, tests: int = 2, steps: int) -> Iterator[Fold]:
    """Combinatorial purged folds: every choice of ``tests`` out of ``blocks`` blocks of time is judged once.

    Here models also learn from what came after the judged blocks: it shows how much a score depends on the path that
    history took, not what could have been earned.
    """
    from skfolio.model_selection import CombinatorialPurgedCV

    splitter = CombinatorialPurgedCV(n_folds=blocks, n_test_folds=tests, purged_size=steps, embargo_size=steps)
    for train, test in splitter.split(rows.reshape(-1, 1)):
        parts = [np.asarray(part, np.int64) for part in test]
        yield Fold(train=rows[np.asarray(train, np.int64)], test=rows[np.sort(np.concatenate(parts))])
