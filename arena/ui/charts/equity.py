"""The equity of all desks as a Plotly figure: lines by kind, the luck band behind them, labels at their ends."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from arena.seasons.snapshot import Curve, DeskCard, FloorSnapshot
from arena.ui.charts.drawdown import drawdowns
from arena.ui.components.desk_card import ranked
from arena.ui.components.markup import escape
from arena.ui.figures import NBSP, dollars, number, percent
from arena.ui.tokens import LUCK_ALPHA_INNER, LUCK_ALPHA_OUTER, desk_token, light, light_rgba, line_dash

Unit = Literal["%", "$", "drawdown"]
HEIGHT_PX = 380
RANGES_MS: dict[str, int | None] = {
    f"24{NBSP}h": 86_400_000,
    f"7{NBSP}d": 604_800_000,
    f"30{NBSP}d": 2_592_000_000,
    "All": None,
}

_FONT = "IBM Plex Sans, system-ui, sans-serif"
_LABEL_GAP = 0.047
_DAY_MS = 86_400_000

Series = tuple[list[int], list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line with its tag for the end label."""

    name: str
    tag: str
    colour: str
    width: float
    dash: str
    points: Series


def equity_figure(snapshot: FloorSnapshot, range_name: str, unit: Unit) -> str:
    """Figure JSON of the window ``range_name`` (a key of RANGES_MS): percent of the capital, dollars, or drawdown.

    Lines are drawn worst first, so that the leader lies on top and stands first in the hover box, which Plotly fills
    from the last trace.
    """
    length = RANGES_MS[range_name]
    since = -math.inf if length is None else snapshot.as_of_ms - length
    lines = [*_benchmark(snapshot, since, unit), *_desks(snapshot, since, unit)]
    lines = [line for line in lines if line.points[0]]
    if not any(len(line.points[0]) > 1 for line in lines):
        layout = _layout(range_name) | {"annotations": [_empty_note()]}
        for axis in ("xaxis", "yaxis"):
            layout[axis] |= {"visible": False}
        return json.dumps({"data": [], "layout": layout})
    bands = _bands(snapshot, since, unit)
    low, high = _reach([*(points for points, _alpha in bands), *(line.points for line in lines)])
    base = snapshot.capital if unit == "$" else 0.0
    low, high = min(low, base), max(high, base)
    reach = (high - low) or 1.0
    step = _step(reach)
    digits = max(0, -math.floor(math.log10(step)))
    layout = _layout(range_name)
    layout["yaxis"] |= _ticks(low, high, step, unit) | {"range": [low - reach * 0.06, high + reach * 0.12]}
    layout["xaxis"] |= {"tickformat": _time_format(lines)}
    layout["shapes"], layout["annotations"] = _labels(lines, reach, unit, digits)
    layout["shapes"].append(
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": base, "y1": base, "layer": "above"}
        | {"line": {"color": light("line-strong"), "width": 1}}
    )
    if bands:
        layout["annotations"].append(_luck_note(snapshot, unit))
    data = [trace for pair in _pairs(bands) for trace in pair] + [_trace(line, unit) for line in lines]
    return json.dumps({"data": data, "layout": layout}, separators=(",", ":"))


def spread(targets: Sequence[float], gap: float) -> list[float]:
    """Positions at least ``gap`` apart, in order, with the least total squared distance from ascending ``targets``.

    Pool-adjacent-violators on the targets with the gaps taken out.
    """
    pools: list[tuple[float, int]] = []
    for index, target in enumerate(targets):
        mean, size = target - index * gap, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    level = [mean for mean, size in pools for _ in range(size)]
    return [value + index * gap for index, value in enumerate(level)]


def _convert(snapshot: FloorSnapshot, equity: float, unit: Unit) -> float:
    return round((equity / snapshot.capital - 1) * 100, 3) if unit == "%" else round(equity, 2)


def _window(snapshot: FloorSnapshot, curve: Curve, since: float, unit: Unit) -> Series:
    known = [(ts, equity) for ts, equity in zip(curve.ts_ms, curve.equity, strict=True) if math.isfinite(equity)]
    values = [equity for _, equity in known]
    shown = (
        [round(fall * 100, 3) for fall in drawdowns(values)]
        if unit == "drawdown"
        else [_convert(snapshot, equity, unit) for equity in values]
    )
    kept = [(ts, value) for (ts, _), value in zip(known, shown, strict=True) if ts >= since]
    return [ts for ts, _ in kept], [value for _, value in kept]


def _desks(snapshot: FloorSnapshot, since: float, unit: Unit) -> list[_Line]:
    return [_desk(snapshot, desk, since, unit) for desk in reversed(ranked(snapshot.desks))]


def _desk(snapshot: FloorSnapshot, desk: DeskCard, since: float, unit: Unit) -> _Line:
    return _Line(
        name=desk.name if desk.kind == "llm" else f"{desk.name} ({'by hand' if desk.kind == 'person' else 'rules'})",
        tag=desk.tag,
        colour=light(desk_token(desk.slot)),
        width=2 if desk.kind == "llm" else 1.6,
        dash=line_dash(desk.slot, desk.kind),
        points=_window(snapshot, desk.curve, since, unit),
    )


def _benchmark(snapshot: FloorSnapshot, since: float, unit: Unit) -> list[_Line]:
    if snapshot.benchmark is None:
        return []
    return [
        _Line(
            name=snapshot.benchmark_name,
            tag="HOLD",
            colour=light("ink-3"),
            width=1.5,
            dash="dot",
            points=_window(snapshot, snapshot.benchmark, since, unit),
        )
    ]


def _bands(snapshot: FloorSnapshot, since: float, unit: Unit) -> list[tuple[Series, float]]:
    """The four edges of the luck band in drawing order, each with the alpha of the fill down to the edge before it."""
    luck = snapshot.luck
    if luck is None or unit == "drawdown":
        return []
    edges = (luck.q05, luck.q95, luck.q25, luck.q75)
    curves = [Curve(ts_ms=luck.ts_ms, equity=tuple(snapshot.capital * (1 + value) for value in edge)) for edge in edges]
    windows = [_window(snapshot, curve, since, unit) for curve in curves]
    if not windows[0][0]:
        return []
    return list(zip(windows, (LUCK_ALPHA_OUTER, LUCK_ALPHA_OUTER, LUCK_ALPHA_INNER, LUCK_ALPHA_INNER), strict=True))


def _pairs(bands: list[tuple[Series, float]]) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    for (lower, _), (upper, alpha) in zip(bands[::2], bands[1::2], strict=True):
        edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        filled = {"fill": "tonexty", "fillcolor": light_rgba("luck", alpha)}
        yield edge | {"x": lower[0], "y": lower[1]}, edge | filled | {"x": upper[0], "y": upper[1]}


def _trace(line: _Line, unit: Unit) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(line.name),
        "x": line.points[0],
        "y": line.points[1],
        "line": {"color": line.colour, "width": line.width, "dash": line.dash},
        "customdata": [dollars(y, 0) if unit == "$" else percent(y / 100, 2) for y in line.points[1]],
        "hovertemplate": "%{customdata}",
    }


def _reach(series: Iterable[Series]) -> tuple[float, float]:
    values = [value for _, points in series for value in points]
    return min(values), max(values)


def _step(reach: float) -> float:
    """A round tick step that gives about six ticks."""
    rough = reach / 6
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.99)


def _ticks(low: float, high: float, step: float, unit: Unit) -> dict[str, Any]:
    values = [index * step for index in range(math.floor(low / step), math.ceil(high / step) + 1)]
    digits = max(0, -math.floor(math.log10(step)))
    texts = [dollars(v, digits) if unit == "$" else percent(v / 100, digits) for v in values]
    return {"tickvals": values, "ticktext": texts}


def _time_format(lines: Sequence[_Line]) -> str:
    shown = max(line.points[0][-1] for line in lines) - min(line.points[0][0] for line in lines)
    return "%H:%M" if shown < 2 * _DAY_MS else "%d %b"


def _labels(
    lines: Sequence[_Line], reach: float, unit: Unit, digits: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    ends = sorted((line.points[1][-1], line.tag, line.colour) for line in lines)
    places = spread([value for value, _tag, _colour in ends], reach * _LABEL_GAP)
    connectors: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for (value, tag, colour), place in zip(ends, places, strict=True):
        shown = number(value, 0) if unit == "$" else number(value, digits, signed=True)
        connectors.append(
            {"type": "line", "xref": "paper", "x0": 1, "x1": 1.008, "y0": value, "y1": place, "name": "end"}
            | {"line": {"color": colour, "width": 1.5}}
        )
        texts.append(
            {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 7, "y": place, "yanchor": "middle", "name": "end"}
            | {"text": f"<b>{escape(tag)}</b> {shown}", "showarrow": False, "align": "left"}
            | {"font": {"size": 11, "color": light("ink")}}
        )
    return connectors, texts


def _luck_note(snapshot: FloorSnapshot, unit: Unit) -> dict[str, Any]:
    luck = snapshot.luck
    bounds = ""
    if luck is not None and luck.ts_ms:
        edges = (luck.q05[-1], luck.q95[-1])
        shown = [dollars(snapshot.capital * (1 + e), 0) if unit == "$" else percent(e) for e in edges]
        bounds = f", now {shown[0]} to {shown[1]}"
    text = f"grey: 90{NBSP}% of {snapshot.luck_traders:,} random traders{bounds}; inner 50{NBSP}%"
    return _note(text) | {"x": 0.01, "xanchor": "left", "y": 1, "yanchor": "top", "name": "luck"}


def _empty_note() -> dict[str, Any]:
    return _note("Equity appears here after the first round.") | {"x": 0.5, "y": 0.5}


def _note(text: str) -> dict[str, Any]:
    font = {"size": 11, "color": light("ink-3")}
    return {"xref": "paper", "yref": "paper", "text": text, "showarrow": False, "font": font}


def _layout(range_name: str) -> dict[str, Any]:
    line, strong = light("line"), light("line-strong")
    return {
        "height": HEIGHT_PX,
        "autosize": True,
        "margin": {"l": 8, "r": 74, "t": 10, "b": 24},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 11, "color": light("ink-2")},
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "uirevision": range_name,
        "hoverlabel": {
            "bgcolor": light("panel"),
            "bordercolor": strong,
            "font": {"family": _FONT, "size": 12, "color": light("ink")},
        },
        "xaxis": {
            "type": "date",
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": line,
            "ticks": "outside",
            "tickcolor": line,
            "ticklen": 4,
            "hoverformat": "%d %b %H:%M UTC",
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": strong,
        },
        "yaxis": {"gridcolor": line, "zeroline": False, "automargin": True, "fixedrange": True, "ticks": ""},
    }
