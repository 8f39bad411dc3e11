"""What happened once, happening again: the positions of today through the worst stretches that candles know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trading.domain.instants import parse_instant, to_ms
from trading.marketdata import Bars, FloatArray, IntArray
from trading.risk.measures import aligned_returns, horizon_returns, returns_of_positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of the past from ``begin_ms`` up to ``end_ms``."""

    name: str
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a window does to positions, in fractions of equity: ``loss`` at its end (negative: a gain).

    ``deepest`` is the greatest loss at the close of any bar on the way, ``results`` gains and losses by position at the
    end, ``liquidated`` whether equity fell to the maintenance margin at any close. ``missing`` are instruments without
    bars in the window: they are taken as not moving.
    """

    window: Window
    loss: float
    deepest: float
    results: Mapping[str, float]
    liquidated: bool
    missing: tuple[str, ...]


def _window(name: str, begin: str, end: str) -> Window:
    return Window(
        name=name, begin_ms=to_ms(parse_instant(f"{begin}T00:00:00Z")), end_ms=to_ms(parse_instant(f"{end}T00:00:00Z"))
    )


NAMED_WINDOWS = (
    _window("March 2020", "2020-03-12", "2020-03-14"),
    _window("19 May 2021", "2021-05-19", "2021-05-20"),
    _window("June 2022", "2022-06-10", "2022-06-19"),
    _window("November 2022", "2022-11-06", "2022-11-10"),
    _window("USDC in March 2023", "2023-03-10", "2023-03-12"),
    _window("5 August 2024", "2024-08-04", "2024-08-06"),
    _window("10 October 2025", "2025-10-10", "2025-10-12"),
)
"""Stretches that the field knows by name, UTC."""


def worst_windows(
    weights: Mapping[str, float], bars: Mapping[str, Bars], *, length_ms: int, count: int
) -> tuple[Window, ...]:
    """The ``count`` stretches of ``length_ms`` in which ``weights`` would have lost most, worst first, apart.

    Fewer where the past is short. A stretch without loss is none. Raises BadArguments where the length is no whole
    number of bars.
    """
    held = {symbol: weight for symbol, weight in weights.items() if weight}
    if not held:
        return ()
    history = {symbol: horizon_returns(bars[symbol], length_ms) for symbol in held}
    starts, _ = aligned_returns(list(held), history)
    total = returns_of_positions(held, history)
    step_ms = bars[next(iter(held))].step_ms
    found: list[Window] = []
    for at in np.argsort(total, kind="stable").tolist():
        if len(found) == count or total[at] >= 0:
            break
        # A return starts at the close of the bar that opens at ``starts``.
        begin = int(starts[at]) + step_ms
        if all(abs(begin - other.begin_ms) >= length_ms for other in found):
            found.append(Window(name=f"worst {len(found) + 1}", begin_ms=begin, end_ms=begin + length_ms))
    return tuple(found)


def replay_window(
    window: Window,
    weights: Mapping[str, float],
    bars: Mapping[str, Bars],
    maintenance: Mapping[str, float] = MappingProxyType({}),
) -> Replayed | None:
    """``weights``, signed values over equity held unchanged, through ``window``; None where no instrument was traded.

    Prices move as a fraction of the last close before the window, or of its first open where none is known. Funding and
    fees are left out.
    """
    paths = {symbol: _moves(bars[symbol], window) for symbol, weight in weights.items() if weight}
    known = {symbol: path for symbol, path in paths.items() if path is not None}
    if not known:
        return None
    instants = np.unique(np.concatenate([at for at, _ in known.values()]))
    filled = {symbol: _at_instants(path, instants) for symbol, path in known.items()}
    equity = 1.0 + np.sum([weights[symbol] * moves for symbol, moves in filled.items()], axis=0)
    used = np.zeros(len(instants))
    for symbol, weight in weights.items():
        if weight and symbol in maintenance:
            used += abs(weight) * maintenance[symbol] * (1.0 + filled.get(symbol, np.zeros(len(instants))))
    results = {symbol: weights[symbol] * float(moves[-1]) for symbol, moves in filled.items()}
    return Replayed(
        window=window,
        loss=0.0 - math.fsum(results.values()),
        deepest=max(0.0, 1.0 - float(equity.min())),
        results=results,
        liquidated=bool(((used > 0) & (equity <= used)).any()),
        missing=tuple(symbol for symbol, path in paths.items() if path is None),
    )


def replay_windows(
    weights: Mapping[str, float],
    bars: Mapping[str, Bars],
    maintenance: Mapping[str, float],
    *,
    length_ms: int,
    count: int = 5,
    named: Sequence[Window] = NAMED_WINDOWS,
) -> tuple[Replayed, ...]:
    """The named windows that the bars reach, in order of time, and then the worst ones of the book itself."""
    wanted = (*named, *worst_windows(weights, bars, length_ms=length_ms, count=count))
    found = (replay_window(window, weights, bars, maintenance) for window in wanted)
    return tuple(one for one in found if one is not None)


def _moves(bars: Bars, window: Window) -> tuple[IntArray, FloatArray] | None:
    """Closing instants inside the window and the moves since its beginning; None without a whole bar at either end."""
    first = int(np.searchsorted(bars.open_ms, window.begin_ms))
    last = int(np.searchsorted(bars.open_ms, window.end_ms - bars.step_ms, side="right"))
    if last <= first or window.begin_ms < int(bars.open_ms[0]) or window.end_ms > int(bars.open_ms[-1]) + bars.step_ms:
        return None
    start = float(bars.close[first - 1]) if first else float(bars.open[first])
    return bars.open_ms[first:last] + bars.step_ms, bars.close[first:last] / start - 1.0


def _at_instants(path: tuple[IntArray, FloatArray], instants: IntArray) -> FloatArray:
    """The last move known at each instant, 0 before the first."""
    at = np.searchsorted(path[0], instants, side="right") - 1
    found: FloatArray = np.where(at >= 0, path[1][np.maximum(at, 0)], 0.0)
    return found
