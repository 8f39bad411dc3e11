"""Limits sorted by use, and the live changes that were made to them."""

from collections.abc import Sequence
from zlib import crc32

from arena.risk.limit_use import AT, NEAR, LimitUse
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import day_clock, number, percent
from arena.ui.risk.parts import numeric, panel, table
from trading.risk.limit_board import Change

_SHOWN, _CHANGES = 14, 8
_MULTIPLES = frozenset({"max_gross_exposure", "max_net_exposure", "max_leverage"})
_WORDS = {
    "max_gross_exposure": "gross exposure",
    "max_net_exposure": "net exposure",
    "max_leverage": "largest position",
    "desk_drawdown": "drawdown",
    "daily_loss": "loss today",
    "arena_gross_exposure": "gross exposure",
    "arena_net_exposure": "net exposure",
    "arena_instrument_exposure": "exposure",
    "arena_drawdown": "drawdown",
}


def limits_panel(uses: Sequence[LimitUse]) -> Html:
    """The most used limits with their bars; the tick stands at 80 %."""
    if not uses:
        return panel("Limits", "sorted by use", empty("Not known yet", "Limits are measured after the first round."))
    reached = sum(use.share >= AT for use in uses)
    near = sum(NEAR <= use.share < AT for use in uses)
    chips = (
        chip(f"{reached} at limit", "halt") if reached else None,
        chip(f"{near} above 80 %", "warn") if near else None,
    )
    head = element("div", *chips, class_="tf-lim-chips")
    rows = [_row(use) for use in uses[:_SHOWN]]
    more = len(uses) - _SHOWN
    say = element("p", f"{more} more are used less.", class_="tf-rk-say") if more > 0 else None
    return panel(
        "Limits", "sorted by use", head if reached or near else None, element("div", *rows, class_="tf-lim"), say
    )


def changes_panel(changes: Sequence[Change], now_ms: int) -> Html:
    """The newest live changes: who, why, and from when each counts."""
    if not changes:
        words = "No limit was changed while trading. Those of config/limits.toml and of the season count."
        return panel("Changes of limits", None, element("p", words, class_="tf-rk-say"))
    rows = [
        (
            element("td", change.name),
            numeric(f"{change.old} \N{RIGHTWARDS ARROW} {change.value}"),
            element("td", change.kind.value),
            element("td", _counts(change, now_ms)),
            element("td", change.who),
            element("td", change.reason, class_="tf-rk-wrap"),
        )
        for change in list(reversed(changes))[:_CHANGES]
    ]
    heads = (("Limit", None), ("Change", "tf-num"), ("Kind", None), ("Counts", None), ("By", None), ("Why", None))
    return panel("Changes of limits", "newest first, nothing is ever removed", table("Changes of limits", heads, rows))


def _row(use: LimitUse) -> Html:
    tone = "tf-halt" if use.share >= AT else "tf-warn" if use.share >= NEAR else None
    filled = element("i", class_=tone, style=f"width:{min(100.0, 100 * use.share):.1f}%")
    used, limit = _amount(use.rule, use.used), _amount(use.rule, use.limit)
    name = f"{use.who}: {_WORDS.get(use.rule, use.rule)}"
    named = f"tf-lim-{crc32(name.encode()):x}"  # a name is text and stands in no attribute
    meter = element(
        "span",
        element("span", filled, class_="tf-track"),
        element("i", class_="tf-lim-tick"),
        class_="tf-lim-bar",
        role="meter",
        aria_labelledby=named,
        aria_valuemin="0",
        aria_valuemax=f"{use.limit:g}",
        aria_valuenow=f"{min(use.used, use.limit):g}",
        aria_valuetext=f"{used} of {limit}",
    )
    return element(
        "div",
        element("span", name, title=use.rule, id=named),
        meter,
        element("span", element("b", used), f" of {limit}", class_="tf-num"),
    )


def _amount(rule: str, value: float) -> str:
    if rule in _MULTIPLES or rule.endswith("_exposure"):
        return f"{number(value, 2)}×"
    return percent(value, 1, signed=False)


def _counts(change: Change, now_ms: int) -> str:
    if change.from_ms is None:
        return "waits for a second person"
    if change.from_ms > now_ms:
        return f"from {day_clock(change.from_ms)} UTC"
    if change.until_ms is not None:
        return f"until {day_clock(change.until_ms)} UTC" if change.until_ms > now_ms else "is over"
    return f"since {day_clock(change.from_ms)} UTC"
