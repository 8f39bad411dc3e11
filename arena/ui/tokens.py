"""The colours, sizes and slots of the design as values. Styles, charts and tests all read them from here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Shade(NamedTuple):
    """One colour in both themes, as ``#RRGGBB``."""

    light: str
    dark: str


PALETTE: Mapping[str, Shade] = MappingProxyType(
    {
        "page": Shade("#F3F5F6", "#0D1116"),
        "panel": Shade("#FFFFFF", "#141920"),
        "sunken": Shade("#F8F9FA", "#10151B"),
        "raised": Shade("#EDF0F2", "#1E252E"),
        "line": Shade("#DCE1E5", "#28313B"),
        "line-strong": Shade("#7D8994", "#66727F"),
        "ink": Shade("#12181E", "#E8ECF0"),
        "ink-2": Shade("#46525E", "#B0BAC4"),
        "ink-3": Shade("#5F6B77", "#8D99A5"),
        "focus": Shade("#1F5FD0", "#8AB4FF"),
        "gain": Shade("#0B6E78", "#45C7CF"),
        "loss": Shade("#B23A0E", "#FF9467"),
        "gain-soft": Shade("#DCEEF0", "#12343A"),
        "loss-soft": Shade("#FBE6DC", "#43241A"),
        "warn": Shade("#7A5600", "#E8BE55"),
        "warn-soft": Shade("#FBF1D3", "#352B10"),
        "halt": Shade("#B3261E", "#FF8A80"),
        "halt-fill": Shade("#B0231B", "#C4342B"),
        "halt-soft": Shade("#FBE4E2", "#421A18"),
        "ok": Shade("#2F6B3A", "#86C792"),
        "luck": Shade("#C9D0D6", "#3A444F"),
        "luck-inner": Shade("#AEB7BF", "#4D5965"),
        "d1": Shade("#2041A8", "#4A81D1"),
        "d2": Shade("#B38834", "#D39E46"),
        "d3": Shade("#1B9A90", "#2EC3B0"),
        "d4": Shade("#A03A66", "#B96C8C"),
        "d5": Shade("#9C77DC", "#B594F8"),
        "d6": Shade("#1C73A2", "#73D9FE"),
        "d7": Shade("#6C7104", "#B4D982"),
        "d8": Shade("#7E3019", "#D85C46"),
        "div-n3": Shade("#B5541E", "#CD6B3D"),
        "div-n2": Shade("#DB8F66", "#8F4E33"),
        "div-n1": Shade("#F2CDB9", "#55362A"),
        "div-0": Shade("#F1F3F4", "#242B33"),
        "div-p1": Shade("#BFDDE1", "#22454D"),
        "div-p2": Shade("#6FB0B8", "#2E6F79"),
        "div-p3": Shade("#1C7680", "#3C9BA6"),
    }
)

PHONE_MAX_PX = 760
RAIL_PX = 372
LUCK_ALPHA_OUTER = 0.42
LUCK_ALPHA_INNER = 0.55

_DESK_COLOURS = 8
_REUSED_COLOURS = 4


def light(token: str) -> str:
    """The light value of a token: what charts are built with, so that every figure is valid by itself."""
    return PALETTE[token].light


def light_rgba(token: str, alpha: float) -> str:
    """The light value of a token as ``rgba(r,g,b,alpha)``."""
    digits = PALETTE[token].light.removeprefix("#")
    red, green, blue = (int(digits[i : i + 2], 16) for i in (0, 2, 4))
    return f"rgba({red},{green},{blue},{alpha:g})"


def desk_token(slot: int) -> str:
    """The colour token of a desk slot (0 to n): eight colours, then four of them again, then ``ink-3`` for the rest."""
    if slot < _DESK_COLOURS:
        return f"d{slot + 1}"
    if slot < _DESK_COLOURS + _REUSED_COLOURS:
        return f"d{slot - _DESK_COLOURS + 1}"
    return "ink-3"


def line_dash(slot: int, kind: str) -> str:
    """Plotly's dash of a desk: the line's style says the kind, and slots that reuse a colour have one of their own."""
    if _DESK_COLOURS <= slot < _DESK_COLOURS + _REUSED_COLOURS:
        return "longdashdot"
    return {"llm": "solid", "person": "12px,3px,3px,3px"}.get(kind, "7px,3px")


def css_variables() -> str:
    """The palette as custom properties: light on ``:root``, dark on ``.dark``."""
    light_rules = "".join(f"--tf-{name}:{shade.light};" for name, shade in PALETTE.items())
    dark_rules = "".join(f"--tf-{name}:{shade.dark};" for name, shade in PALETTE.items())
    return f":root{{{light_rules}}}\n.dark{{{dark_rules}}}\n"


def dark_twins() -> dict[str, str]:
    """Dark value by light value, both lower case: what the browser swaps in a figure in the dark theme."""
    return {shade.light.lower(): shade.dark.lower() for shade in PALETTE.values()}
