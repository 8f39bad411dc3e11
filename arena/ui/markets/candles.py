"""An instrument as a Plotly figure: candles, volume and indicators, with trades, forecasts, regimes and anomalies."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.markets import MarketReading
from arena.seasons.snapshot import FloorSnapshot, ForecastLine
from arena.ui.components.markup import escape
from arena.ui.figures import NBSP, number, price
from arena.ui.markets.frame import HEIGHT_PX, Row, base_layout, note, rows
from arena.ui.tokens import desk_token, light, light_rgba, line_dash
from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms, duration_text
from trading.features.anomalies import Severity
from trading.features.lines import LEAD_BARS, Lines, lines
from trading.features.regimes import Regime
from trading.marketdata import Bars, FloatArray
from trading.marketdata.resample import resample

TIMEFRAMES = ("1m", "5m", "15m", "1h", "4h", "1d")
COUNTS = {f"{count}{NBSP}bars": count for count in (60, 120, 240)}
BANDS = ("Bollinger", "Plain")
BELOW = {"RSI, MACD": ("rsi", "macd"), "RSI": ("rsi",), "MACD": ("macd",), "None": ()}
REGIME_TOKENS = {
    Regime.BULL: "div-p2",
    Regime.BEAR: "div-n2",
    Regime.RANGING: "div-0",
    Regime.VOLATILE: "warn-soft",
}
_SEVERITY_TOKENS = {Severity.INFO: "ink-3", Severity.WARNING: "warn", Severity.CRITICAL: "halt"}
_FAN_ALPHA = 0.16
_DAY_MS = 86_400_000

Trace = dict[str, Any]


def shown_bars(bars: Bars, timeframe: str) -> Bars:
    """The bars in a timeframe; the market's own where it has none so short, or that is no multiple of them."""
    try:
        return resample(bars, duration_ms(timeframe)).bars
    except RequestError:
        return bars


def candle_figure(
    snapshot: FloorSnapshot, reading: MarketReading, *, timeframe: str, count: str, bands: str, below: str
) -> str:
    """Figure JSON of the last ``count`` bars (a key of COUNTS) in a timeframe, with the panels of ``below``."""
    kept = BELOW.get(below, ())
    wanted = COUNTS.get(count, 120)
    bars = shown_bars(reading.bars, timeframe)
    layout = base_layout(kept, revision=escape(f"{reading.instrument}|{timeframe}|{count}|{below}"))
    if len(bars) < 2:
        layout["annotations"] = [note(f"Too few bars of {timeframe} yet.") | {"x": 0.5, "y": 0.5}]
        return json.dumps({"data": [], "layout": layout})
    drawn = lines(bars.close[-wanted - LEAD_BARS :])
    shown = slice(max(0, len(bars) - wanted), len(bars))
    first_ms = int(bars.open_ms[shown][0])
    fans = [one for one in snapshot.newest_forecasts if one.instrument == reading.instrument]
    fresh = [one for one in fans if one.ts_ms + one.horizon_s * 1000 > reading.as_of_ms]
    data = [
        *(trace for alike in _alike(fresh) for trace in _fan(alike, snapshot, reading.bars)),
        *_candles(bars, shown),
        *(_bollinger(bars, drawn, shown) if bands == BANDS[0] else ()),
        _volume(bars, shown),
        *_below(bars, drawn, shown, kept),
        *_trades(snapshot, reading, first_ms),
        *_anomalies(reading, bars, shown),
    ]
    ends = [one.ts_ms + one.horizon_s * 1000 for one in fresh]
    last_ms = max([int(bars.open_ms[-1]) + 2 * bars.step_ms, *ends])
    layout["xaxis"]["range"] = [first_ms - bars.step_ms, last_ms]
    layout["shapes"] = [*_ribbon(reading, first_ms, rows(kept)[0]), *_guides(kept)]
    layout["annotations"] = _names(kept, bars, drawn)
    layout["xaxis"]["tickformat"] = "%H:%M" if last_ms - first_ms < 2 * _DAY_MS else "%d %b"
    return json.dumps({"data": data, "layout": layout}, separators=(",", ":"))


def _few(values: FloatArray) -> list[float | None]:
    """Seven significant digits: more cannot be seen, and unknown is null."""
    return [None if value != value else float(f"{value:.7g}") for value in values.tolist()]


def _candles(bars: Bars, shown: slice) -> list[Trace]:
    x = bars.open_ms[shown].tolist()
    columns = {name: getattr(bars, name)[shown] for name in ("open", "high", "low", "close")}
    words = [
        f"open {price(o)}, high {price(h)}, low {price(low)}, close {price(c)}"
        for o, h, low, c in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]
    ink = light("ink-2")
    candles = {
        "type": "candlestick", "name": "candles", "x": x, "hoverinfo": "skip", "whiskerwidth": 0,
        "increasing": {"line": {"color": ink, "width": 1}, "fillcolor": light("panel")},
        "decreasing": {"line": {"color": ink, "width": 1}, "fillcolor": ink},
        **{name: _few(column) for name, column in columns.items()},
    }  # fmt: skip
    said = {
        "type": "scatter", "mode": "lines", "name": escape(bars.instrument), "x": x, "y": _few(columns["close"]),
        "line": {"width": 0, "color": ink}, "customdata": words, "hovertemplate": "%{customdata}",
    }  # fmt: skip
    return [candles, said]


def _bollinger(bars: Bars, drawn: Lines, shown: slice) -> list[Trace]:
    x = bars.open_ms[shown].tolist()
    edges = {"upper": drawn.upper, "lower": drawn.lower, "middle": drawn.middle}
    return [
        {
            "type": "scatter", "mode": "lines", "name": name, "x": x, "y": _few(values[-len(x) :]),
            "line": {"color": light("line-strong"), "width": 1, "dash": "dot" if name == "middle" else "solid"},
            "hoverinfo": "skip",
        }
        for name, values in edges.items()
    ]  # fmt: skip


def _volume(bars: Bars, shown: slice) -> Trace:
    return {
        "type": "bar", "name": "volume", "x": bars.open_ms[shown].tolist(), "y": _few(bars.volume[shown]),
        "yaxis": "y2", "marker": {"color": light("luck-inner")},
        "customdata": [number(volume, 1) for volume in bars.volume[shown].tolist()],
        "hovertemplate": "volume %{customdata}<extra></extra>",
    }  # fmt: skip


def _below(bars: Bars, drawn: Lines, shown: slice, kept: Sequence[str]) -> list[Trace]:
    x = bars.open_ms[shown].tolist()

    def line(name: str, values: FloatArray, axis: str, dash: str = "solid") -> Trace:
        return {
            "type": "scatter", "mode": "lines", "name": name, "x": x, "y": _few(values[-len(x) :]), "yaxis": axis,
            "line": {"color": light("ink-2"), "width": 1.2, "dash": dash}, "hoverinfo": "skip",
        }  # fmt: skip

    found: list[Trace] = []
    for number_, name in enumerate(kept):
        axis = f"y{number_ + 3}"
        if name == "rsi":
            found.append(line("RSI", drawn.rsi, axis))
            continue
        bars_of = {"type": "bar", "name": "histogram", "x": x, "y": _few(drawn.histogram[-len(x) :]), "yaxis": axis}
        found.append(bars_of | {"marker": {"color": light("luck-inner")}, "hoverinfo": "skip"})
        found += [line("MACD", drawn.macd, axis), line("signal", drawn.signal, axis, "dot")]
    return found


def _trades(snapshot: FloorSnapshot, reading: MarketReading, first_ms: int) -> list[Trace]:
    """Fills by desk and side: up for a buy, down for a sell, in the desk's colour."""
    found: list[Trace] = []
    names = {desk.slot: desk.name for desk in snapshot.desks}
    fills = [one for one in snapshot.trades if one.instrument == reading.instrument and one.ts_ms >= first_ms]
    for slot in sorted({one.slot for one in fills}):
        own = [one for one in fills if one.slot == slot]
        words = [
            f"{escape(names.get(slot, one.desk))} {one.side} {escape(one.quantity)} at {price(one.price)}"
            for one in own
        ]
        marks = ["triangle-up" if one.side == "buy" else "triangle-down" for one in own]
        found.append(
            {
                "type": "scatter", "mode": "markers", "name": escape(names.get(slot, own[0].desk)),
                "x": [one.ts_ms for one in own], "y": [one.price for one in own], "customdata": words,
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {
                    "symbol": marks, "size": 9, "color": light(desk_token(slot)),
                    "line": {"color": light("panel"), "width": 1},
                },
            }
        )  # fmt: skip
    return found


def _alike(found: Sequence[ForecastLine]) -> list[list[ForecastLine]]:
    """The forecasts, those that say the same together: desks often ask the same forecaster."""
    groups: dict[tuple[float, ...], list[ForecastLine]] = {}
    for one in found:
        groups.setdefault((one.ts_ms, one.horizon_s, one.q05, one.q50, one.q95), []).append(one)
    return list(groups.values())


def _fan(alike: Sequence[ForecastLine], snapshot: FloorSnapshot, bars: Bars) -> list[Trace]:
    """From the price at which it was made to its 5 and 95 % quantiles at its horizon, with the median between."""
    line = alike[0]
    row = int(np.searchsorted(bars.open_ms, line.ts_ms)) - 1
    if row < 0:
        return []
    begin = float(bars.close[row])
    kind = next((desk.kind for desk in snapshot.desks if desk.slot == line.slot), "llm")
    token, dash = (desk_token(line.slot), line_dash(line.slot, kind)) if len(alike) == 1 else ("ink-3", "solid")
    end_ms = line.ts_ms + line.horizon_s * 1000
    low, middle, high = (begin * (1 + q) for q in (line.q05, line.q50, line.q95))
    who = escape(line.desk) if len(alike) == 1 else f"{len(alike)} desks"
    words = f"{who}: {price(low)} to {price(high)}, median {price(middle)}"
    band = {
        "type": "scatter", "mode": "lines", "x": [line.ts_ms, end_ms, end_ms, line.ts_ms],
        "y": [begin, high, low, begin], "fill": "toself", "fillcolor": light_rgba(token, _FAN_ALPHA),
        "line": {"width": 0}, "hoverinfo": "skip",
        "name": "forecast",
    }  # fmt: skip
    median = {
        "type": "scatter", "mode": "lines", "name": "forecast", "x": [line.ts_ms, end_ms], "y": [begin, middle],
        "line": {"color": light(token), "width": 1.5, "dash": dash},
        "customdata": [words, words], "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    return [band, median]


def _anomalies(reading: MarketReading, bars: Bars, shown: slice) -> list[Trace]:
    """A mark over the bar in which each was seen, the gravest of a bar alone."""
    opened, high = bars.open_ms[shown], bars.high[shown]
    lift = float(high.max() - bars.low[shown].min()) * 0.03
    gravest: dict[int, tuple[Severity, str]] = {}
    for one in reading.anomalies:
        row = int(np.searchsorted(opened, one.open_ms, side="right")) - 1
        if row < 0 or one.open_ms >= int(opened[row]) + bars.step_ms:
            continue
        if row not in gravest or one.severity > gravest[row][0]:
            gravest[row] = one.severity, escape(f"{one.severity.label}: {one.what}, {one.kind} ({one.method})")
    if not gravest:
        return []
    at = sorted(gravest)
    return [
        {
            "type": "scatter", "mode": "markers", "name": "anomalies", "x": opened[at].tolist(),
            "y": _few(high[at] + lift), "customdata": [gravest[row][1] for row in at],
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {
                "symbol": "diamond", "size": 7, "color": [light(_SEVERITY_TOKENS[gravest[row][0]]) for row in at],
            },
        }
    ]  # fmt: skip


def _ribbon(reading: MarketReading, first_ms: int, price_row: Row) -> list[Trace]:
    """The regimes as a ribbon under the candles."""
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": max(span.begin_ms, first_ms), "x1": span.end_ms,
            "y0": price_row.bottom - 0.022, "y1": price_row.bottom - 0.006, "line": {"width": 0},
            "fillcolor": light(REGIME_TOKENS[span.regime]), "layer": "below",
        }
        for span in reading.regimes
        if span.end_ms > first_ms
    ]  # fmt: skip


def _guides(kept: Sequence[str]) -> list[Trace]:
    """Thirty and seventy of the RSI, and the zero of the MACD."""
    guides = {"rsi": (30, 70), "macd": (0,)}
    return [
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": f"y{number_ + 3}", "y0": level, "y1": level,
            "line": {"color": light("line-strong"), "width": 1, "dash": "dot" if name == "rsi" else "solid"},
        }
        for number_, name in enumerate(kept)
        for level in guides[name]
    ]  # fmt: skip


def _names(kept: Sequence[str], bars: Bars, drawn: Lines) -> list[Trace]:
    """What each panel shows, and the last values at its end."""
    close = float(bars.close[-1])
    places = rows(kept)
    said = [f"{duration_text(bars.step_ms)} candles", "volume"]
    last = {"rsi": f"RSI 14: {number(float(drawn.rsi[-1]), 0)}", "macd": "MACD 12, 26, 9 with its signal dotted"}
    said += [last[name] for name in kept]
    names = [
        note(text) | {"x": 0.005, "xanchor": "left", "y": place.top, "yanchor": "top"}
        for text, place in zip(said, places, strict=True)
    ]
    end = note(f"<b>{price(close)}</b>") | {"x": 1, "xanchor": "left", "xshift": 6, "yref": "y", "y": close}
    return [*names, end | {"font": {"size": 11, "color": light("ink")}, "name": "end"}]


__all__ = ["BANDS", "BELOW", "COUNTS", "HEIGHT_PX", "TIMEFRAMES", "candle_figure", "shown_bars"]
