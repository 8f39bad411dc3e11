"""The frame of the candle chart: its panels one above the other, and the axes as the design has them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from arena.ui.tokens import light

HEIGHT_PX = 600
_FONT = "IBM Plex Sans, system-ui, sans-serif"
_VOLUME = 0.11
_INDICATOR = 0.13
_GAP = 0.04


class Row(NamedTuple):
    """A panel of the chart, as fractions of its height from the bottom."""

    bottom: float
    top: float


def rows(kept: Sequence[str]) -> list[Row]:
    """The panels from the top: price, volume, then those of ``kept``."""
    heights = [_VOLUME, *(_INDICATOR for _ in kept)]
    found: list[Row] = []
    bottom = 0.0
    for height in reversed(heights):
        found.append(Row(bottom, bottom + height))
        bottom += height + _GAP
    return [Row(bottom, 1.0), *reversed(found)]


def base_layout(kept: Sequence[str], *, revision: str) -> dict[str, Any]:
    """The layout without data; a zoom is kept until ``revision`` changes."""
    line, strong = light("line"), light("line-strong")
    layout: dict[str, Any] = {
        "height": HEIGHT_PX,
        "autosize": True,
        "margin": {"l": 8, "r": 70, "t": 10, "b": 24},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 11, "color": light("ink-2")},
        "showlegend": False,
        "bargap": 0.3,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "uirevision": revision,
        "hoverlabel": {
            "bgcolor": light("panel"),
            "bordercolor": strong,
            "font": {"family": _FONT, "size": 12, "color": light("ink")},
        },
        "xaxis": {
            "type": "date", "showgrid": False, "zeroline": False, "showline": True, "linecolor": line,
            "ticks": "outside", "tickcolor": line, "ticklen": 4, "hoverformat": "%d %b %H:%M UTC", "anchor": "free",
            "position": 0, "rangeslider": {"visible": False}, "showspikes": True, "spikemode": "across",
            "spikethickness": 1, "spikedash": "solid", "spikecolor": strong,
        },
    }  # fmt: skip
    for number, place in enumerate(rows(kept)):
        layout["yaxis" if not number else f"yaxis{number + 1}"] = {
            "domain": list(place), "gridcolor": line, "showgrid": number != 1, "zeroline": False, "automargin": True,
            "fixedrange": True, "ticks": "", "nticks": 7 if not number else 3, "side": "left",
            "separatethousands": True,
        }  # fmt: skip
    return layout


def note(text: str) -> dict[str, Any]:
    """A line of text in the chart."""
    font = {"size": 11, "color": light("ink-3")}
    return {"xref": "paper", "yref": "paper", "text": text, "showarrow": False, "font": font}
