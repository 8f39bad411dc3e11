"""Control charts: small shifts that last, which no single bar would show."""

import numpy as np

from trading.marketdata import FloatArray


def cusum_chart(scores: FloatArray, *, slack: float, limit: float) -> tuple[FloatArray, FloatArray]:
    """The two-sided tabular CUSUM (Page 1954): statistic of the larger side, signed, and where it alarms (1 or 0).

    ``scores`` are standard deviates; ``slack`` is half of the shift it is tuned to and ``limit`` the line. Both sides
    begin anew after an alarm, and at a hole, where the statistic is NaN.
    """
    statistic, alarms = np.full(len(scores), np.nan), np.zeros(len(scores))
    high = low = 0.0
    for row, score in enumerate(scores.tolist()):
        if score != score:
            high = low = 0.0
            continue
        high, low = max(0.0, high + score - slack), max(0.0, low - score - slack)
        statistic[row] = high if high >= low else -low
        if max(high, low) > limit:
            alarms[row] = 1.0
            high = low = 0.0
    return statistic, alarms


def ewma_chart(scores: FloatArray, *, weight: float, limit: float) -> tuple[FloatArray, FloatArray]:
    """The EWMA chart (Roberts 1959): statistic in its steady standard deviations, and where it alarms (1 or 0).

    It begins anew after an alarm, and at a hole, where the statistic is NaN.
    """
    deviation = (weight / (2 - weight)) ** 0.5
    statistic, alarms = np.full(len(scores), np.nan), np.zeros(len(scores))
    level = 0.0
    for row, score in enumerate(scores.tolist()):
        if score != score:
            level = 0.0
            continue
        level += weight * (score - level)
        statistic[row] = level / deviation
        if abs(level) > limit * deviation:
            alarms[row] = 1.0
            level = 0.0
    return statistic, alarms
