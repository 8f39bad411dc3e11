"""Features that tell too much: honest ones hardly know the direction, so one that does has likely seen the future.

Whether a feature's code looks ahead is told by :func:`trading.features.lookahead.look_ahead`; this looks at the numbers
themselves, which also finds a leak that came with the data.
"""

from collections.abc import Sequence

import numpy as np

from trading.marketdata import FloatArray


def too_good(values: FloatArray, up: FloatArray, names: Sequence[str], *, limit: float = 0.65) -> dict[str, float]:
    """Features that alone tell the direction better than any honest one can, with their area under the ROC curve.

    ``values`` has shape (rows, features), ``up`` (rows,) is 0 or 1. The area is taken on the better side of one half.
    """
    from scipy.stats import rankdata

    found = {}
    for at, name in enumerate(names):
        known = ~np.isnan(values[:, at]) & np.isfinite(up)
        ups = up[known] > 0.5
        count_up, count_down = int(ups.sum()), int((~ups).sum())
        if not count_up or not count_down:
            continue
        ranks = rankdata(values[known, at])
        area = (float(ranks[ups].sum()) - count_up * (count_up + 1) / 2) / (count_up * count_down)
        if max(area, 1.0 - area) > limit:
            found[name] = max(area, 1.0 - area)
    return found
