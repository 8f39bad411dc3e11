"""What panels of risk are made of: headings, strips of facts, tables, figures and chips."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.ui.components.markup import Html, element
from arena.ui.figures import UNKNOWN, number, percent

Document = Mapping[str, Any]
_LIGHTS = {"green": None, "yellow": "tf-chip-warn", "red": "tf-chip-halt"}
METHODS = {
    "historical": "Historical",
    "parametric": "Normal",
    "cornish_fisher": "Cornish-Fisher",
    "filtered": "Filtered historical",
    "monte_carlo": "Monte Carlo, GARCH",
}
"""How methods are called on pages."""


def panel(title: str, caption: str | None, *body: Html | None) -> Html:
    """A panel with its heading."""
    head = element(
        "div", element("h2", title), None if caption is None else element("span", caption), class_="tf-rk-head"
    )
    return element("section", head, *body, class_="tf-rk-panel")


def facts(rows: Sequence[tuple[str, str, str]]) -> Html:
    """A strip of facts: label, figure, and what it is seen against."""
    return element(
        "div",
        *(
            element("div", element("span", label), element("b", figure), element("em", beside), class_="tf-rk-fact")
            for label, figure, beside in rows
        ),
        class_="tf tf-rk-facts",
    )


def table(name: str, heads: Sequence[tuple[str, str | None]], rows: Sequence[Sequence[Html]]) -> Html:
    """A table in a region that scrolls sideways by itself. ``heads`` are texts and their classes."""
    head = element("tr", *(element("th", text, class_=shown, scope="col") for text, shown in heads))
    body = [element("tr", *row) for row in rows]
    whole = element("table", element("thead", head), element("tbody", *body), class_="tf-table")
    return element("div", whole, class_="tf tf-scroll", tabindex="0", role="region", aria_label=name)


def columns(left: Sequence[Html | None], right: Sequence[Html | None]) -> Html | None:
    """Two columns of panels; one where the other has none, nothing where both have none."""
    shown = [[one for one in side if one is not None] for side in (left, right)]
    if not any(shown):
        return None
    return element("div", *(element("div", *side, class_="tf-rk-col") for side in shown if side), class_="tf-rk-cols")


def numeric(text: str) -> Html:
    """A cell of a figure, to the right; paler where it is not known."""
    return element("td", text, class_="tf-num tf-unknown" if text == UNKNOWN else "tf-num")


def loss(value: float | None) -> str:
    """A fraction lost, without a sign."""
    return percent(value, 2, signed=False)


def probability(value: float | None) -> str:
    """A p-value."""
    if value is None:
        return UNKNOWN
    return "< 0.001" if value < 0.001 else number(value, 3)


def light(light: str) -> Html:
    """The traffic light as a chip, by its word."""
    return element("span", light, class_=" ".join(filter(None, ("tf-chip", _LIGHTS[light]))))
