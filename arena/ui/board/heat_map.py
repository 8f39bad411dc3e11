"""Every pair of desks: by how much the row outgrew the column, deep colour only where that is beyond chance."""

from arena.ui.components.markup import Html, element
from arena.ui.figures import number
from evals.leaderboard import Board, Pair

SURE, HINT = 0.05, 0.2
"""Holm-adjusted p-values up to which a difference counts, and up to which it is a hint."""

_LEGEND = (
    ("tf-hm-n3", "behind"),
    ("tf-hm-n2", "behind, a hint"),
    ("tf-hm-0", "not separable"),
    ("tf-hm-p2", "ahead, a hint"),
    ("tf-hm-p3", "ahead"),
)


def heat_map(board: Board) -> Html | None:
    """The map of the ranked desks in rank order, None for fewer than two."""
    names = [entry.desk for entry in board.entries if entry.rank is not None]
    if len(names) < 2:
        return None
    pairs = {(pair.first, pair.second): pair for pair in board.pairs}
    heads = element("tr", element("th", ""), *(element("th", _short(name), scope="col", title=name) for name in names))
    rows = [
        element(
            "tr",
            element("th", _short(mine), scope="row", title=mine),
            *(_cell(pairs, mine, other) for other in names),
        )
        for mine in names
    ]
    table = element("table", element("thead", heads), element("tbody", *rows), class_="tf-hm")
    legend = element("p", *(element("span", words, class_=f"tf-hm-key {shade}") for shade, words in _LEGEND))
    region = element("div", table, class_="tf-scroll", tabindex="0", role="region", aria_label="Every pair of desks")
    return element("div", region, legend, class_="tf-rk-body")


def _cell(pairs: dict[tuple[str, str], Pair], mine: str, other: str) -> Html:
    if mine == other:
        return element("td", "", class_="tf-hm-self")
    pair, sign = (pairs[mine, other], 1.0) if (mine, other) in pairs else (pairs[other, mine], -1.0)
    gap = sign * pair.difference
    said = (
        f"{mine} against {other}: {100 * gap:+.1f} points of log growth, p = {pair.p_value:.3f}, {pair.days:.0f} days"
    )
    return element(
        "td", number(100 * gap, 0 if abs(gap) >= 0.1 else 1, signed=True), class_=_shade(gap, pair.p_value), title=said
    )


def _shade(gap: float, p_value: float) -> str:
    strength = "3" if p_value <= SURE else "2" if p_value <= HINT else ""
    return f"tf-hm-{'p' if gap > 0 else 'n'}{strength}" if strength and gap else "tf-hm-0"


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"
