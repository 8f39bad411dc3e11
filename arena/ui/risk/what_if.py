"""What if: shocks, the past again, a proposed trade, and what options answer to."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.ui.components.markup import Html, element
from arena.ui.figures import number, percent
from arena.ui.risk.drawings import bar
from arena.ui.risk.parts import Document, loss, numeric, panel, table


def shock_panel(document: Document) -> Html | None:
    """What hypothetical shocks would do."""
    return _what_if(
        "If it happened now", "hypothetical shocks", document["stress"], "shock",
        (("VaR 99 % after", lambda row: loss(row["var_after"])), ("Cost to leave", lambda row: loss(row["exit_cost"]))),
    )  # fmt: skip


def window_panel(document: Document) -> Html | None:
    """What stretches of the past would do."""
    return _what_if(
        "If it happened again", "today's positions through the past", document["windows"], "window",
        (("From, UTC", lambda row: row["begin"][:10]), ("Deepest", lambda row: loss(row["deepest"]))),
    )  # fmt: skip


def _what_if(
    title: str, caption: str, rows: Sequence[Document], key: str, more: Sequence[tuple[str, Any]]
) -> Html | None:
    if not rows:
        return None
    most = max(abs(row["loss"]) for row in rows)
    cells = [
        (
            element("td", row[key], *_flags(row)),
            element("td", bar(-row["loss"], most, label=f"result {percent(-row['loss'])}"), class_="tf-rk-wide"),
            numeric(percent(-row["loss"] + 0.0, 1)),
            element("td", _worst(row["positions"])),
            *(numeric(read(row)) for _, read in more),
        )
        for row in rows
    ]  # fmt: skip
    heads = (
        ("", None),
        ("Loss | gain", None),
        ("Result", "tf-num"),
        ("Worst position", None),
        *((name, "tf-num") for name, _ in more),
    )
    return panel(title, caption, table(title, heads, cells))


def proposal_panel(document: Document) -> Html | None:
    """A proposed trade, before and after."""
    found = document["proposal"]
    if found is None:
        return None
    before, after = found["before"], found["after"]
    rows = [
        (f"{name} {level} %", loss(before[kind][key]), loss(after[kind][key]))
        for name, kind in (("VaR", "var"), ("CVaR", "cvar"))
        for level, key in (("95", "0.95"), ("99", "0.99"))
    ]
    rows += [
        (label, percent(before[key], 1), percent(after[key], 1))
        for label, key in (("Gross", "gross"), ("Net", "net"), ("Margin used", "margin_used"))
    ]
    cells = [(element("td", label), numeric(was), numeric(becomes)) for label, was, becomes in rows]
    changes = ", ".join(f"{symbol} {quantity}" for symbol, quantity in found["changes"].items())
    heads = (("Historical", None), ("Now", "tf-num"), ("After", "tf-num"))
    return panel("The proposed trade", changes, table("Before and after", heads, cells))


def options_panel(document: Document) -> Html | None:
    """Greeks, option by option and coin by coin."""
    found = document["options"]
    if found is None:
        return None
    named = [(row["option"], row) for row in found["positions"]]
    named += [(f"all on {coin}", row) for coin, row in found["by_coin"].items()]
    keys = ("value", "delta", "gamma_1pct", "vega_1pt", "theta_1d")
    cells = [(element("td", name), *(numeric(number(row[key], 2)) for key in keys)) for name, row in named]
    heads = (
        ("Option", None),
        *((text, "tf-num") for text in ("Value", "Delta", "Gamma 1 %", "Vega 1 pt", "Theta 1 d")),
    )
    return panel("Options", "delta in coins, the rest in the quote currency", table("Greeks", heads, cells))


def _flags(row: Document) -> list[Html]:
    """What must be known of a what-if: that it liquidates, or that not all was traded then."""
    flags = []
    if row["liquidated"]:
        flags.append(element("span", "liquidated", class_="tf-chip tf-chip-halt"))
    if row.get("missing"):
        names = ", ".join(name.removesuffix("-PERP") for name in row["missing"])
        flags.append(element("span", f"without {names}", class_="tf-chip"))
    return flags


def _worst(results: Mapping[str, float]) -> str:
    if not results:
        return ""
    symbol = min(results, key=lambda name: results[name])
    return f"{symbol.removesuffix('-PERP')} {percent(results[symbol], 1)}" if results[symbol] < 0 else ""
