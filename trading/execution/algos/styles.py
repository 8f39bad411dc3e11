"""The ways to work a parent. Each says how much should be done by now, and takes or waits accordingly.

Kissell and Glantz (2003), Optimal Trading Strategies, for TWAP, VWAP and share of volume. All are pure: the same
parent, progress and market always give the same wish.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.money import ZERO, decimal_from_float
from trading.execution.algos.parent import MarketState, Parent, Progress, Wish
from trading.execution.algos.volume_curve import volume_by
from trading.marketdata.tape import FloatArray
from trading.stats.impact import square_root_impact


def _due(parent: Parent, progress: Progress, share: float) -> Decimal:
    return max(ZERO, parent.whole_lots(share) - progress.filled - progress.working)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twap:
    """Even in time: ``slices`` parts, each at the start of its stretch of the window."""

    slices: int
    patience_ms: int = 0

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """What the slices so far call for."""
        share = min(self.slices, math.floor(parent.elapsed(market.now_ms) * self.slices) + 1) / self.slices
        due = _due(parent, progress, share)
        return Wish(quantity=due) if due > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vwap:
    """With the usual volume: slices in time, each of the size of the volume that history has in its stretch.

    ``curve`` is of :func:`~trading.execution.algos.volume_curve.volume_curve`.
    """

    slices: int
    curve: FloatArray
    patience_ms: int = 0

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """What the volume up to the end of the present slice calls for."""
        at = min(self.slices, math.floor(parent.elapsed(market.now_ms) * self.slices) + 1)
        until = parent.start_ms + (parent.end_ms - parent.start_ms) * at // self.slices
        share = 1.0 if at == self.slices else volume_by(self.curve, parent.start_ms, parent.end_ms, until)
        due = _due(parent, progress, share)
        return Wish(quantity=due) if due > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOfVolume:
    """A ``participation`` of what the public trades, never ahead of it. It may end unfilled: volume decides."""

    participation: float
    patience_ms: int = 0

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """What the volume so far calls for, own volume not counted as public."""
        allowed = decimal_from_float(round(self.participation * market.traded, 12))
        room = min(parent.quantity, parent.instrument.floor_quantity(allowed)) - progress.filled - progress.working
        return Wish(quantity=room) if room > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Iceberg:
    """Rests at the best price of its own side and shows no more than ``clip`` at a time."""

    clip: Decimal
    patience_ms: int = 5_000

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """The next clip."""
        left = parent.quantity - progress.filled - progress.working
        if left <= 0 or not market.depth.is_two_sided:
            return None
        return Wish(quantity=min(left, self.clip), limit=_own_best(parent, market))


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """Keeps pace with time, but waits where waiting pays: it rests while it is on schedule, and takes when it falls
    behind by ``tolerance`` of the window or when the forecast runs against it by more than the spread. A child takes no
    more than ``depth_share`` of the best levels, nor so much that the square-root law expects it to cost more than the
    spread; these caps fall twice as far behind, and at the end of the window.
    """

    slices: int = 60
    tolerance: float = 0.05
    depth_share: float = 0.5
    levels: int = 5
    patience_ms: int = 3_000

    def wish(self, parent: Parent, progress: Progress, market: MarketState) -> Wish | None:
        """What pace, spread, depth and forecast call for."""
        depth = market.depth
        elapsed = parent.elapsed(market.now_ms)
        share = min(self.slices, math.floor(elapsed * self.slices) + 1) / self.slices
        against = (market.forecast or 0.0) * parent.side.sign
        spread = depth.spread / depth.mid
        if depth.is_two_sided and against > spread:
            share = min(1.0, share + self.tolerance)  # the price is about to run away: ahead of time is cheaper
        due = _due(parent, progress, share)
        if due <= 0 or not depth.is_two_sided:
            return None
        behind = elapsed - float(progress.filled / parent.quantity)
        if behind > 2 * self.tolerance or elapsed > 1 - self.tolerance:
            return Wish(quantity=due)
        if behind > self.tolerance or against > spread:
            return Wish(quantity=max(parent.instrument.lot, min(due, self._cap(parent, market, spread))))
        return Wish(quantity=due, limit=_own_best(parent, market))

    def _cap(self, parent: Parent, market: MarketState, spread: float) -> Decimal:
        _, sizes = market.depth.side(parent.side.sign)
        most = float(sizes[: self.levels].sum()) * self.depth_share
        unit = square_root_impact(1.0, volume=market.volume, volatility=market.volatility)
        if unit > 0:
            most = min(most, max(spread / unit, 0.0) ** 2) if spread > 0 else most
        return parent.instrument.floor_quantity(decimal_from_float(round(most, 12)))


def _own_best(parent: Parent, market: MarketState) -> Decimal:
    prices, _ = market.depth.side(-parent.side.sign)
    best = parent.instrument.limit_price(decimal_from_float(float(prices[0])), parent.side.sign)
    better = min if parent.side.sign > 0 else max
    return better(best, parent.worst_price)
