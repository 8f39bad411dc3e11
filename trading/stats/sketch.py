"""Percentiles of a stream in bounded memory."""

import math


class QuantileSketch:
    """Quantiles of any number of values within a relative error of 1 %, in at most a few thousand counters.

    Values are counted in buckets whose bounds grow by a constant ratio, after Masson, Rim and Lee (2019), DDSketch: a
    fast and fully-mergeable quantile sketch with relative-error guarantees. Magnitudes below ``1e-6`` count as 0 and
    those above ``1e12`` as that; NaN is not counted.
    """

    ERROR = 0.01
    _GAMMA = (1 + ERROR) / (1 - ERROR)
    _LEAST, _MOST = 1e-6, 1e12

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._offset = math.ceil(math.log(self._LEAST, self._GAMMA))
        self.n = 0
        self.total = 0.0
        self.least = math.inf
        self.most = -math.inf

    def add(self, value: float) -> None:
        """Count a value."""
        if math.isnan(value):
            return
        self.n += 1
        self.total += value
        self.least, self.most = min(self.least, value), max(self.most, value)
        key = self._key(value)
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def mean(self) -> float | None:
        """The mean of all values, exact; None without any."""
        return self.total / self.n if self.n else None

    def quantile(self, share: float) -> float | None:
        """The value below which ``share`` of all lie, within 1 %; None without any."""
        if not self.n:
            return None
        rank = share * (self.n - 1)
        seen = 0
        for key in sorted(self._counts):
            seen += self._counts[key]
            if seen > rank:
                return min(self.most, max(self.least, self._value(key)))
        return self.most

    def _key(self, value: float) -> int:
        size = min(abs(value), self._MOST)
        if size < self._LEAST:
            return 0
        bucket = math.ceil(math.log(size, self._GAMMA)) - self._offset + 1
        return bucket if value > 0 else -bucket

    def _value(self, key: int) -> float:
        if key == 0:
            return 0.0
        size = 2 * self._GAMMA ** (abs(key) - 1 + self._offset) / (self._GAMMA + 1)
        return size if key > 0 else -size
