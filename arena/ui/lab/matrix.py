"""Cases by variants: how each case went under each variant, with filters and the mean of all."""

from collections.abc import Mapping

from arena.lab.findings import Column, Findings
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, count, dollars, number
from arena.ui.lab.verdict import score_text
from arena.ui.pressed import here
from evals.promptlab.matrix import VIEWS, Cell, Row, fails, seen
from evals.scoring import Scorer

_HOVER_CHARS = 240


def matrix_panel(found: Findings, address: Mapping[str, str]) -> Html:
    """The table with its head; ``view`` and ``case`` of the address choose what is listed and which row is open."""
    view = address.get("view", "all") if address.get("view") in VIEWS else "all"
    rows = seen(found.rows, view, scorer=found.scorer)
    where = {key: address[key] for key in ("comparison", "case") if key in address} | {"view": view}
    counts = {name: len(seen(found.rows, name, scorer=found.scorer)) for name in VIEWS}
    links = [
        here(f"{name.capitalize()} {counts[name]}", "lab", {**where, "view": name}, current=name == view)
        for name in VIEWS
    ]
    head = element(
        "div",
        element("h2", "Cases × variants"),
        element("nav", *links, class_="tf-links", aria_label="Which cases"),
        element("span", _caption(found), class_="tf-caption"),
        class_="tf-lab-head",
    )
    body = _table(found, rows, where) if rows else empty("No such case", "No case of this comparison fits the filter.")
    return element("section", head, body, class_="tf tf-panel tf-lab-matrix", aria_label="Cases and variants")


def _caption(found: Findings) -> str:
    spent = [column.usd for column in found.columns]
    paid = "price not known" if None in spent else f"spent {dollars(sum(price or 0.0 for price in spent))}"
    return f"{found.title} · by {found.scorer.name}, {found.scorer.unit} · {paid}"


def _table(found: Findings, rows: list[Row], where: Mapping[str, str]) -> Html:
    heads = [_column_head(column, at) for at, column in enumerate(found.columns)]
    head = element("tr", element("th", "Case", scope="col"), *heads)
    most = max((abs(cell.score) for row in found.rows for cell in row.cells if cell.score is not None), default=1.0)
    lines = [_line(row, found.scorer, most or 1.0, where) for row in rows]
    means = [_mean(column, found) for column in found.columns]
    foot = element("tr", element("th", f"Mean of {len(found.rows)}", scope="row"), *means)
    table = element(
        "table",
        element("thead", head),
        element("tbody", *lines),
        element("tfoot", foot),
        class_="tf-table tf-lab-table",
    )
    return element(
        "div", table, class_="tf-scroll", tabindex="0", role="region", aria_label="Cases by variants", data_scroll="lab"
    )


def _column_head(column: Column, at: int) -> Html:
    prompts = ", ".join(column.prompts.values()) or "production prompts"
    models = ", ".join(column.models)
    return element(
        "th",
        element("b", prompts),
        element("span", models, class_="tf-model"),
        chip("baseline" if at == 0 else "candidate", "plain"),
        chip("rule-based", "rule", title="rule-based, no LLM") if column.is_rule_based else None,
        scope="col",
    )


def _line(row: Row, scorer: Scorer, most: float, where: Mapping[str, str]) -> Html:
    is_open = where.get("case") == row.case_id
    name = here(row.case_id, "lab", {**where, "case": "" if is_open else row.case_id}, current=is_open)
    cells = [_cell(cell, scorer, most) for cell in row.cells]
    return element("tr", element("th", name, scope="row"), *cells, class_="tf-open" if is_open else None)


def _cell(cell: Cell, scorer: Scorer, most: float) -> Html:
    if cell.score is None:
        words = (
            "not tried" if cell.reason == "not tried" else f"{'error' if cell.errors else 'no score'}: {cell.reason}"
        )
        shown = element("span", words, class_="tf-unknown") if cell.reason == "not tried" else chip(words[:60], "warn")
        return element("td", shown, title=cell.reason)
    failed = fails(cell.score, scorer)
    # A loss has no line to fall short of: it neither passes nor fails.
    word = "fail" if failed else "pass" if scorer.rises else ""
    bar = element("i", class_="tf-bad" if failed else None, style=f"width:{100 * abs(cell.score) / most:.1f}%")
    return element(
        "td",
        element(
            "span",
            element("span", word, class_="tf-fail" if failed else "tf-pass"),
            element("b", _score(cell.score, scorer)),
            element("span", bar, class_="tf-track"),
            element("span", _cost(cell), class_="tf-cost"),
            class_="tf-lab-cell",
        ),
        title=_hover(cell),
    )


def _score(value: float, scorer: Scorer) -> str:
    return number(value, 2 if scorer.unit == "share" or abs(value) < 10 else 1, signed=scorer.unit.startswith("bp"))


def _cost(cell: Cell) -> str:
    did = cell.did[0] if cell.did else ""
    if not cell.usd:
        return did.replace("-PERP", "").replace("-USDT", "")
    tokens = None if cell.tokens_in is None or cell.tokens_out is None else cell.tokens_in + cell.tokens_out
    read = UNKNOWN if tokens is None else f"{number(tokens / 1000, 1)}k"
    return f"{read} · {number(cell.usd * 100, 1)} ct"


def _hover(cell: Cell) -> str:
    said = f"{', '.join(cell.did)}. {cell.output}"
    return said if len(said) <= _HOVER_CHARS else f"{said[:_HOVER_CHARS]}…"


def _mean(column: Column, found: Findings) -> Html:
    width = "" if column.half_width is None else f" ± {score_text(column.half_width, found.scorer.unit)}"
    passed = f" · {column.passed}/{len(found.rows)} pass" if found.scorer.rises else ""
    usd = "" if not column.usd else f" · {dollars(column.usd)}"
    errors = f" · {count(column.errors, 'error', 'errors')}" if column.errors else ""
    return element("td", element("b", score_text(column.mean, found.scorer.unit)), f"{width}{passed}{usd}{errors}")
