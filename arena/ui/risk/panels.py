"""The panels of a risk report, from its document: what can be lost, where it sits, how the measures did, what if."""

from collections.abc import Sequence

from arena.ui.components.markup import Html, element
from arena.ui.figures import number, percent
from arena.ui.risk.drawings import bar, heat_map, tail_row
from arena.ui.risk.judgement import history_panel, season_panel, trail_panel
from arena.ui.risk.parts import METHODS, Document, columns, facts, loss, numeric, panel, table
from arena.ui.risk.what_if import options_panel, proposal_panel, shock_panel, window_panel

_SHOWN = 24


def report_panels(document: Document) -> Html:
    """The whole report."""
    left = [_tails(document), trail_panel(document), history_panel(document)]
    right = [_components(document), _correlation(document), _shape(document)]
    return element(
        "div",
        _facts(document),
        columns(left, right),
        _desks(document),
        season_panel(document),
        columns([shock_panel(document), proposal_panel(document)], [window_panel(document), options_panel(document)]),
        _notes(document),
        class_="tf tf-risk",
    )


def _facts(document: Document) -> Html:
    var, cvar, margin, shape = (document[key] for key in ("var", "cvar", "margin", "concentration"))
    hours = document["horizon_s"] / 3600
    near = [
        f"all prices {word} {percent(margin[key], 0, signed=False)}"
        for word, key in (("fall", "liquidation_if_all_fall"), ("rise", "liquidation_if_all_rise"))
        if margin[key] is not None
    ]
    falls = document["drawdown_30d"]
    return facts(
        (
            (
                f"VaR 99 %, {hours:g} h, filtered",
                loss(var["filtered"]["0.99"]),
                f"historical {loss(var['historical']['0.99'])}",
            ),
            (
                "CVaR 99 %, historical",
                loss(cvar["historical"]["0.99"]),
                f"filtered {loss(cvar['filtered']['0.99'])}",
            ),
            (
                "Gross exposure",
                percent(document["gross"], 0, signed=False),
                f"net {percent(document['net'], 0)} of equity",
            ),
            (
                "Margin used",
                percent(margin["used"], 1, signed=False),
                f"liquidated when {' or '.join(near)}" if near else "no price move liquidates",
            ),
            (
                "Fall in 30 days, 5 in 100",
                loss(falls.get("0.95")),
                f"{number(shape['effective_bets'], 1)} bets, {number(shape['effective_positions'], 1)} positions",
            ),
        )
    )


def _tails(document: Document) -> Html:
    known = [
        value
        for kind in ("var", "cvar")
        for by in document[kind].values()
        for value in by.values()
        if value is not None
    ]
    most = max(known, default=0.0) * 1.03
    rows = []
    for method, var in document["var"].items():
        cvar = document["cvar"][method]
        rows.append(
            (
                element("td", METHODS.get(method, method)),
                element("td", tail_row(var["0.95"], var["0.99"], cvar["0.99"], most), class_="tf-rk-wide"),
                *(numeric(loss(value)) for value in (var["0.95"], var["0.99"], cvar["0.95"], cvar["0.99"])),
            )
        )
    heads = (
        ("Method", None),
        (f"0 to {percent(most, 1, signed=False)}", None),
        *((text, "tf-num") for text in ("VaR 95", "VaR 99", "CVaR 95", "CVaR 99")),
    )
    say = (
        f"Fractions of equity over {document['horizon_s'] / 3600:g} h, from {document['observations']:,} overlapping "
        "past horizons of today's positions. Ring: VaR 95 %. Dot: VaR 99 %. The line ends at CVaR 99 %."
    )
    return panel(
        "What these positions can lose", None, table("VaR and CVaR", heads, rows), element("p", say, class_="tf-rk-say")
    )


def _components(document: Document) -> Html | None:
    rows = document["components"]
    if not rows:
        return None
    most = max(abs(row["component_var"]) for row in rows)
    cells = [
        (
            element("td", row["instrument"]),
            numeric(percent(row["weight"], 1)),
            # A part of the loss points to the left, a hedge to the right.
            element(
                "td", bar(-row["component_var"], most, label=f"part {loss(row['component_var'])}"), class_="tf-rk-wide"
            ),
            numeric(loss(row["component_var"])),
            numeric(number(row["marginal_var"] * 100, 2)),
            numeric(number(document["days_to_close"].get(row["instrument"]), 2)),
        )
        for row in rows[:_SHOWN]
    ]
    heads = (
        ("Position", None), ("Weight", "tf-num"), ("Adds to the loss | hedges", None), ("Part of VaR", "tf-num"),
        ("Marginal, % a unit", "tf-num"), ("Days to close", "tf-num"),
    )  # fmt: skip
    caption = "Euler parts of the normal VaR 99 %, they add up to it"
    return panel("Where the risk sits", caption, table("Component VaR", heads, cells))


def _desks(document: Document) -> Html | None:
    rows = document["desks"]
    if not rows:
        return None
    most = max((abs(row["component_var"] or 0.0) for row in rows), default=0.0)
    cells = [
        (
            element("td", row["desk"]),
            numeric(percent(row["gross"], 1, signed=False)),
            element("td", bar(-(row["component_var"] or 0.0), most, label=row["desk"]), class_="tf-rk-wide"),
            numeric(loss(row["component_var"])),
            element("td", _fatal(row["liquidated_by"]), class_="tf-rk-wrap"),
        )
        for row in rows
    ]
    heads = (
        ("Desk", None), ("Gross", "tf-num"), ("Adds to the loss | hedges", None), ("Part of VaR", "tf-num"),
        ("Shocks that liquidate it", None),
    )  # fmt: skip
    caption = "fractions of the arena's equity, parts of its normal VaR 99 %"
    return panel("Whose risk it is", caption, table("Desks", heads, cells))


def _correlation(document: Document) -> Html | None:
    found = document["correlation"]
    if found is None or len(found["instruments"]) < 2:
        return None
    names = [name.removesuffix("-PERP") for name in found["instruments"][:12]]
    matrix = [row[:12] for row in found["matrix"][:12]]
    bets = number(document["concentration"]["effective_bets"], 1)
    say = (
        f"Ledoit and Wolf took {percent(found['shrinkage'], 1, signed=False)} of it from no correlation at all. Teal "
        f"above zero, orange below. Together these positions are about {bets} bets."
    )
    return panel(
        "Correlation of bars", "shrunk",
        element("div", heat_map(names, matrix), class_="tf-rk-body"), element("p", say, class_="tf-rk-say"),
    )  # fmt: skip


def _shape(document: Document) -> Html:
    shape, falls = document["concentration"], document["drawdown_30d"]
    beta = f"Beta to {document['benchmark']}" if document["benchmark"] else "Beta"
    rows = (
        ("Volatility a year", percent(document["volatility"], 1, signed=False)),
        (beta, number(document["beta"], 2)),
        ("Largest position", f"{percent(shape['largest_share'], 0, signed=False)} {shape['largest'] or ''}"),
        ("Herfindahl index", number(shape["herfindahl"], 3)),
        ("Deepest fall in 30 days, half of the time", loss(falls.get("0.5"))),
        ("… 5 in 100", loss(falls.get("0.95"))),
        ("… 1 in 100", loss(falls.get("0.99"))),
        ("… mean of the worst 5 in 100", loss(document["drawdown_30d_worst_5pct"])),
    )
    pairs = [part for label, value in rows for part in (element("dt", label), element("dd", value))]
    return panel("Shape of the book", "falls by block bootstrap", element("dl", *pairs, class_="tf-rk-list tf-rk-body"))


def _notes(document: Document) -> Html | None:
    if not document["notes"]:
        return None
    return panel("Notes", None, *(element("p", note, class_="tf-rk-say") for note in document["notes"]))


def _fatal(names: Sequence[str]) -> Html:
    if not names:
        return element("span", "none")
    return element("span", ", ".join(names), class_="tf-loss")
