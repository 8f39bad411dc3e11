"""Protective levels of a position: stop-loss, trailing stop and take-profit by volatility and regime.

Pure policy: where the levels stand and when they move. The engine keeps the orders; no model has a say in them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from trading.domain import Instrument, Position
from trading.domain.errors import Unavailable
from trading.domain.money import decimal_from_float, round_down, round_up
from trading.features.indicators import WINDOW
from trading.marketdata import Bars, MarketView
from trading.risk.sizing import Adjustment

_SPAN = 14
_TURBULENT, _CALM = 1.5, 0.75
_BY_REGIME = MappingProxyType({"calm": 0.85, "turbulent": 1.3, "volatile": 1.3, "ranging": 0.85})
_HIGHEST_GAIN = 0.95
"""A short's target cannot lie further down than this share of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """Distances in average true ranges (14 bars, Wilder): ``stop`` from the entry, ``trail`` behind the best price.

    ``reward`` is the target in units of the stop's distance, ``trail_from`` the gain in such units from which the stop
    follows. Distances stay between ``nearest`` and ``furthest`` as fractions of the price; ``unknown`` is used where no
    range is known yet. ``by_regime`` multiplies distances; a regime that is not named there multiplies by 1.
    """

    stop: float = 3.0
    trail: float = 3.5
    reward: float = 2.5
    trail_from: float = 1.0
    nearest: float = 0.004
    furthest: float = 0.15
    unknown: float = 0.05
    by_regime: Mapping[str, float] = field(default_factory=lambda: _BY_REGIME)

    def __post_init__(self) -> None:
        numbers = (self.stop, self.trail, self.reward, self.nearest, self.furthest, self.unknown)
        if not all(map(math.isfinite, numbers)) or min(numbers) <= 0 or not 0 <= self.trail_from < math.inf:
            raise ValueError(f"{self}: expected finite distances above 0")
        if not self.nearest <= self.unknown <= self.furthest < 1:
            raise ValueError(
                f"nearest {self.nearest}, unknown {self.unknown}, furthest {self.furthest}: expected them in this "
                "order, below 1"
            )
        if not all(math.isfinite(factor) and factor > 0 for factor in self.by_regime.values()):
            raise ValueError(f"regimes {dict(self.by_regime)}: expected finite factors above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectiveLevels:
    """Where a position is closed: at or beyond ``stop``, or at ``take_profit``. Prices on the instrument's grid.

    ``side`` is 1 for a long, -1 for a short, ``entry`` what it was opened at on average, ``distance`` the first stop's
    distance in price, ``best`` the best price since. ``trailing`` says that the stop has left its first place,
    ``breached`` that the last price is already beyond it: close at once. ``reason`` is for the journal.
    """

    instrument: str
    side: int
    as_of_ms: int
    entry: float
    distance: float
    best: float
    stop: Decimal
    take_profit: Decimal
    trailing: bool
    breached: bool
    regime: str
    reason: str


def protective_levels(
    position: Position,
    view: MarketView,
    instrument: Instrument,
    *,
    previous: ProtectiveLevels | None = None,
    rules: StopRules | None = None,
    regime: str | None = None,
    adjustment: Adjustment | None = None,
) -> ProtectiveLevels | None:
    """The levels of ``position`` at the instant of ``view``; None where nothing is held.

    ``previous`` are the levels of the same position before: the stop then moves only in its favour, the first distance
    and the target stay. A position that was turned round starts anew; one whose average price changed keeps its stop
    and gets its target from the new average. Only closed bars are read; the best price is that of bars since the
    levels before. Raises Unavailable where the instrument has no price yet.

    ``regime`` is a name from elsewhere (see :class:`StopRules`); without one, the true range now against its median
    says calm, normal or turbulent. Chandelier exit: LeBeau; average true range: Wilder (1978).
    """
    entry = position.average_price
    if entry is None:
        return None
    rules, adjusted = rules or StopRules(), adjustment or Adjustment()
    side = 1 if position.quantity > 0 else -1
    bars = view.bars(position.instrument, WINDOW)
    price = view.quote(position.instrument).price
    known_range, named = _true_range(bars)
    regime = regime or named
    kept = previous if previous is not None and previous.side == side else None
    opened = float(entry)
    unit = rules.by_regime.get(regime, 1.0) * adjusted.stop
    distance = kept.distance if kept else _distance(rules.stop * unit, known_range, opened, rules)
    target_distance = rules.reward * distance * adjusted.take_profit
    best = _best(kept, bars, price, opened, side)
    level = opened - side * distance
    trailing = kept.trailing if kept else False
    reason = "first stop" if kept is None else "stop stands"
    gain = side * (best - opened)
    if gain >= rules.trail_from * distance:
        follow = best - side * _distance(rules.trail * unit, known_range, best, rules)
        # A gain of the whole distance is not given back: from there the stop stands at the entry at least.
        nearest = [level, follow, opened] if gain >= distance else [level, follow]
        moved = max(nearest) if side > 0 else min(nearest)
        if moved != level:
            level, trailing, reason = moved, True, "stop follows the best price"
    stop = _on_grid(level, instrument, toward=side)
    if kept is not None and side * (kept.stop - stop) >= 0:
        stop = kept.stop
        reason = "stop stands"
    target = opened + side * target_distance
    if side < 0:
        target = max(target, opened * (1.0 - _HIGHEST_GAIN))
    take_profit = _on_grid(target, instrument, toward=-side)
    if kept is not None and kept.entry == opened:
        take_profit = kept.take_profit
    return ProtectiveLevels(
        instrument=position.instrument,
        side=side,
        as_of_ms=view.as_of_ms,
        entry=opened,
        distance=distance,
        best=best,
        stop=stop,
        take_profit=take_profit,
        trailing=trailing,
        breached=side * (price - float(stop)) <= 0,
        regime=regime,
        reason=reason if known_range is not None else f"{reason}; true range not known yet",
    )


def all_protective_levels(
    positions: Mapping[str, Position],
    view: MarketView,
    instruments: Mapping[str, Instrument],
    previous: Mapping[str, ProtectiveLevels],
    *,
    rules: StopRules | None = None,
    regimes: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, ProtectiveLevels]:
    """Levels of every open position by instrument. One without a price keeps the levels it had, or has none yet."""
    found = {}
    for symbol, position in positions.items():
        before = previous.get(symbol)
        try:
            levels = protective_levels(
                position, view, instruments[symbol], previous=before, rules=rules, regime=regimes.get(symbol)
            )
        except Unavailable:
            levels = replace(before, as_of_ms=view.as_of_ms) if before is not None else None
        if levels is not None:
            found[symbol] = levels
    return found


def _true_range(bars: Bars) -> tuple[float | None, str]:
    """The average true range in price, and what it says of the regime."""
    import talib

    if len(bars) <= _SPAN:
        return None, "normal"
    ranges = talib.ATR(bars.high, bars.low, bars.close, _SPAN)
    now = float(ranges[-1])
    if not math.isfinite(now) or now <= 0:
        return None, "normal"
    share = ranges[_SPAN:] / bars.close[_SPAN:]
    ratio = float(share[-1] / np.median(share))
    return now, "turbulent" if ratio > _TURBULENT else "calm" if ratio < _CALM else "normal"


def _distance(multiple: float, known_range: float | None, price: float, rules: StopRules) -> float:
    if known_range is None:
        return rules.unknown * price
    return min(rules.furthest * price, max(rules.nearest * price, multiple * known_range))


def _best(kept: ProtectiveLevels | None, bars: Bars, price: float, opened: float, side: int) -> float:
    """The best price since the position was opened, by the bars that opened after the levels before."""
    seen = [opened, price]
    if kept is not None:
        since = bars.open_ms >= kept.as_of_ms
        extremes = bars.high[since] if side > 0 else bars.low[since]
        seen += [kept.best, *extremes.tolist()]
    return max(seen) if side > 0 else min(seen)


def _on_grid(level: float, instrument: Instrument, *, toward: int) -> Decimal:
    """``level`` on the tick grid, rounded up (``toward`` 1) or down (-1), one tick above 0 at least."""
    exact = decimal_from_float(max(level, 0.0))
    found = round_up(exact, instrument.tick) if toward > 0 else round_down(exact, instrument.tick)
    return max(found, instrument.tick)
