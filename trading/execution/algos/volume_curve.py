"""How the volume of a day is spread over its hours, from history."""

import numpy as np

from trading.marketdata.tape import FloatArray, IntArray

DAY_MS = 86_400_000


def volume_curve(open_ms: IntArray, volume: FloatArray, *, bucket_ms: int) -> FloatArray:
    """The mean share of a day's volume in each bucket of the UTC day; shape (DAY_MS // bucket_ms,), sum 1.

    Bars open at ``open_ms``; NaN volumes are left out. Buckets that were never seen get the mean share.
    """
    if DAY_MS % bucket_ms:
        raise ValueError(f"buckets of {bucket_ms} ms do not divide a day")
    count = DAY_MS // bucket_ms
    known = np.isfinite(volume) & (volume >= 0)
    buckets = (open_ms[known] % DAY_MS) // bucket_ms
    sums = np.bincount(buckets, weights=volume[known], minlength=count)
    seen = np.bincount(buckets, minlength=count)
    mean = np.divide(sums, seen, out=np.full(count, np.nan), where=seen > 0)
    if not np.nansum(mean) > 0:
        return np.full(count, 1.0 / count)
    mean = np.where(np.isnan(mean), np.nanmean(mean), mean)
    shares: FloatArray = mean / mean.sum()
    return shares


def volume_by(curve: FloatArray, start_ms: int, end_ms: int, now_ms: int) -> float:
    """The share of the window's usual volume that falls before ``now_ms``; within a bucket volume is even."""
    whole = share_between(curve, start_ms, end_ms)
    if not whole > 0:
        return min(1.0, max(0.0, (now_ms - start_ms) / (end_ms - start_ms)))
    return min(1.0, share_between(curve, start_ms, max(start_ms, now_ms)) / whole)


def share_between(curve: FloatArray, start_ms: int, end_ms: int) -> float:
    """The share of a day's usual volume from ``start_ms`` to before ``end_ms``; above 1 over more than a day."""
    bucket_ms = DAY_MS // len(curve)
    total, at = 0.0, start_ms
    while at < end_ms:
        until = min(end_ms, at - at % bucket_ms + bucket_ms)
        total += float(curve[at % DAY_MS // bucket_ms]) * (until - at) / bucket_ms
        at = until
    return total
