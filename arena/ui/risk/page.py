"""A risk report or a simulation as one HTML file that needs nothing else: no server, no network, both themes."""

from collections.abc import Mapping
from typing import Any

from arena.ui.components.markup import Html, element
from arena.ui.document import html_document, market_chip
from arena.ui.figures import number, percent
from arena.ui.risk.drawings import fan_chart
from arena.ui.risk.panels import report_panels
from arena.ui.risk.parts import facts, loss, panel, table

_STYLES = ("shell", "panels", "tables", "risk")


def report_page(document: Mapping[str, Any]) -> str:
    """The page of a risk report's document."""
    return _page(f"Risk report of {document['of']}", document, report_panels(document))


def simulation_page(document: Mapping[str, Any]) -> str:
    """The page of a simulation's document: the fan, and the distributions of wealth and drawdown."""
    days = document["horizon_s"] / 86_400
    chart = element("div", fan_chart(document["fan"], days), class_="tf-rk-body")
    falls = document["drawdown"]
    strip = facts(
        (
            ("VaR 99 %", loss(document["var"]["0.99"]), f"CVaR {loss(document['cvar']['0.99'])}"),
            ("Median", percent(document["terminal"]["0.5"] - 1), f"mean {percent(document['mean'] - 1)}"),
            ("Ends below today", loss(document["loss_probability"]), "share of paths"),
            ("Deepest fall, 5 in 100", loss(falls["0.95"]), f"median {loss(falls['0.5'])}"),
            ("Ruined", loss(document["ruin_probability"]), f"of {document['paths']:,} paths"),
        )
    )  # fmt: skip
    heads = (("", None), *((f"{float(level) * 100:g}\N{NO-BREAK SPACE}%", "tf-num") for level in document["terminal"]))
    rows = [
        (
            element("td", label),
            *(element("td", number(value, 3), class_="tf-num") for value in document[key].values()),
        )
        for label, key in (("Wealth at the end, today is 1", "terminal"), ("Deepest fall on the way", "drawdown"))
    ]
    model = f"model {document['model']}, scenario {document['scenario']}, seed {document['seed']}"
    say = (
        f"Simulated: {document['paths']:,} drawn paths of today's positions over {days:g} days, fitted to "
        f"{document['past_steps']:,} past steps. Bands hold 98, 90 and 50 of 100 paths; the line is the median."
    )
    body = element(
        "div",
        strip,
        panel("What may become of it", model, chart, element("p", say, class_="tf-rk-say")),
        panel("Distributions", "quantiles over the paths", table("Quantiles", heads, rows)),
        class_="tf tf-risk",
    )
    return _page(f"Simulation of {document['of']}", document, body)


def _page(title: str, document: Mapping[str, Any], body: Html) -> str:
    top = (
        market_chip([document["source"]]),
        element("span", f"{document['as_of'][:16].replace('T', ' ')} UTC"),
        element("span", f"equity {number(float(document['equity']))}"),
    )
    return html_document(title, top, body, styles=_STYLES)
