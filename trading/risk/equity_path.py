"""The marks of every desk as breakers need them: peaks, the day's start, how far limits are used."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.money import ZERO
from trading.risk.limits import Limits

DAY_MS = 86_400_000

ALL = ""
"""Where the sum over all desks is kept: a desk may be called anything but nothing."""

_USES = (
    ("gross", "max_gross_exposure"),
    ("net", "max_net_exposure"),
    ("spot_value", "max_spot_exposure"),
)


class EquityPath:
    """Equity of every desk and of their sum, mark by mark. Marked to market: fees and funding are in it."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._equity: dict[str, Decimal] = {}
        self._peak: dict[str, Decimal] = {}
        self._day_start: dict[str, Decimal] = {}
        self._marks: Mapping[str, Mapping[str, str]] = {}

    def mark(self, ts_ms: int, desks: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the marks of one instant in. A day (UTC) starts from the last mark of the day before."""
        equity = {desk: Decimal(mark["equity"]) for desk, mark in desks.items()}
        equity[ALL] = sum(equity.values(), ZERO)
        new_day = ts_ms // DAY_MS != self.now_ms // DAY_MS
        for scope, value in equity.items():
            self._peak[scope] = max(self._peak.get(scope, value), value)
            if new_day or scope not in self._day_start:
                self._day_start[scope] = self._equity.get(scope, value)
        self._equity, self._marks, self.now_ms = equity, desks, ts_ms

    def desks(self) -> list[str]:
        """Every desk that was marked."""
        return [scope for scope in self._equity if scope != ALL]

    def peak(self, scope: str) -> Decimal:
        """The highest mark since the start or the last resume, 0 before the first."""
        return self._peak.get(scope, ZERO)

    def total(self) -> Decimal:
        """The sum of all equity above zero at the last mark."""
        return sum((max(ZERO, self._equity[desk]) for desk in self.desks()), ZERO)

    def drawdown(self, scope: str) -> Decimal:
        """The fall from the peak as a fraction of it."""
        return self._fall(scope, self._peak)

    def daily_loss(self, scope: str) -> Decimal:
        """The fall since the day's start as a fraction of it; a gain is 0."""
        return max(ZERO, self._fall(scope, self._day_start))

    def next_day_ms(self) -> int:
        """When the next day (UTC) begins."""
        return (self.now_ms // DAY_MS + 1) * DAY_MS

    def worst_use(self, desk: str, limits: Limits) -> tuple[Decimal, Decimal]:
        """The exposure over equity that uses the most of its limit, and that limit. Without equity: endless."""
        mark, equity = self._marks.get(desk, {}), self._equity.get(desk, ZERO)
        uses = []
        for name, limit_name in _USES:
            value, limit = abs(Decimal(mark.get(name, "0"))), getattr(limits, limit_name)
            if value:
                uses.append((value / equity if equity > 0 else Decimal(10**9), limit))
        return max(uses, key=lambda use: use[0] / use[1], default=(ZERO, Decimal(1)))

    def restart(self, desk: str | None) -> None:
        """Measure from here: one desk, or everything."""
        for scope in [desk] if desk else list(self._equity):
            if scope in self._equity:
                self._peak[scope] = self._day_start[scope] = self._equity[scope]

    def _fall(self, scope: str, start: Mapping[str, Decimal]) -> Decimal:
        first = start.get(scope, ZERO)
        return (first - self._equity[scope]) / first if first > 0 and scope in self._equity else ZERO
