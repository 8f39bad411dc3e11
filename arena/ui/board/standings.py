"""The table of the leaderboard: one row a desk, groups of columns, and every return with its interval on one scale."""

from collections.abc import Callable, Mapping

from arena.ui.components.interval import Scale
from arena.ui.components.marks import desk_style, swatch
from arena.ui.components.markup import Html, element
from arena.ui.figures import UNKNOWN, dollars, excludes_zero, number, percent, rank, span
from evals.leaderboard import Board, Entry

GROUPS = (
    ("Desk", ("Rank", "Name")),
    ("Money", ("Return", "95\N{NO-BREAK SPACE}% interval", "Max drop", "CVaR 95", "Fees, bp")),
    ("Skill", ("Sharpe", "Luck pct.", "Deflated", "Brier skill", "ECE")),
    ("Behaviour", ("Turnover/day", "Exposure", "Beta", "No answer", "Failover", "Retried")),
    ("Evals", ("Grounded", "Tools", "Consistent", "Resists", "Leaks")),
    ("Cost", ("Per decision", "ms")),
    ("Sample", ("Decisions", "Seasons", "Days")),
)
_WORDS = frozenset({"Rank", "Name", GROUPS[1][1][1]})
_ROOM = 0.04


def slots(board: Board) -> Mapping[str, int]:
    """The colour slot of each desk: by name, so that it is the same whatever the order."""
    return {name: number for number, name in enumerate(sorted(entry.desk for entry in board.entries))}


def standings(board: Board, link: Callable[[str], str] = lambda name: f"#desk-{name}") -> Html:
    """The table in a region that scrolls sideways; rank and name stay in sight. ``link`` is where a name leads."""
    scale, colours, places = _scale(board), slots(board), last_places(board)
    groups = element(
        "tr",
        *(element("th", title, colspan=len(columns), scope="colgroup", class_="tf-group") for title, columns in GROUPS),
    )
    heads = element(
        "tr", *(_head(column, first=place == 0) for _, columns in GROUPS for place, column in enumerate(columns))
    )
    rows = [_row(entry, scale, colours[entry.desk], places.get(entry.desk), link) for entry in board.entries]
    table = element("table", element("thead", groups, heads), element("tbody", *rows), class_="tf-table tf-standings")
    return element("div", table, class_="tf tf-scroll", tabindex="0", role="region", aria_label="All desks")


def last_places(board: Board) -> Mapping[str, int]:
    """The last place that each ranked desk may have: one for every desk that it is not significantly better than."""
    ranked = [entry.desk for entry in board.entries if entry.rank is not None]
    beaten = dict.fromkeys(ranked, 0)
    for pair in board.pairs:
        if pair.p_value <= 0.05 and pair.difference:
            beaten[pair.first if pair.difference > 0 else pair.second] += 1
    return {name: len(ranked) - wins for name, wins in beaten.items()}


def _row(entry: Entry, scale: Scale, slot: int, last: int | None, link: Callable[[str], str]) -> Html:
    groups = (
        _who(entry, slot, last, link),
        _money(entry, scale, slot),
        _skill(entry),
        _behaviour(entry),
        _evals(entry),
    )
    cost = (_cell(dollars(entry.usd_per_decision, 4), first=True), _cell(number(entry.latency_ms_p50, 0)))
    sample = (_cell(f"{entry.decisions:,}", first=True), _cell(str(entry.seasons)), _cell(number(entry.days, 0)))
    return element("tr", *(cell for group in (*groups, cost, sample) for cell in group))


def _who(entry: Entry, slot: int, last: int | None, link: Callable[[str], str]) -> tuple[Html, ...]:
    place = "unranked" if entry.rank is None else rank(entry.rank, max(entry.rank, last or entry.rank))
    models = sorted(set(entry.models.values()))
    words = "rule-based, no LLM" if entry.kind == "rule-based" else ", ".join(models)
    return (
        element("td", place, class_="tf-group tf-lb-rank", title=entry.unranked),
        element(
            "td",
            swatch(slot, entry.kind),
            element("b", element("a", entry.desk, href=link(entry.desk))),
            element("span", words, class_="tf-model"),
            class_="tf-name",
        ),
    )


def _money(entry: Entry, scale: Scale, slot: int) -> tuple[Html, ...]:
    sure = excludes_zero(entry.return_ci95)
    sign = ("tf-gain" if entry.return_ > 0 else "tf-loss") if sure else None
    return (
        _cell(percent(entry.return_), first=True, more=sign),
        element("td", bar(entry, scale, slot), class_="tf-bar-cell"),
        _cell(percent(None if entry.max_drawdown is None else -entry.max_drawdown)),
        _cell(percent(None if entry.cvar95 is None else -entry.cvar95)),
        _cell(number(entry.fees_bps_of_capital, 0)),
    )


def _skill(entry: Entry) -> tuple[Html, ...]:
    luck = None if entry.luck_percentile is None else 100 * entry.luck_percentile
    sharpe = UNKNOWN if entry.sharpe_ci95 is None else f"{entry.sharpe_ci95[0]:.1f} to {entry.sharpe_ci95[1]:.1f}"
    return (
        _cell(number(entry.sharpe, 2, signed=True), first=True, title=f"95 %: {sharpe}"),
        _cell(number(luck, 0)),
        _cell(percent(entry.deflated_sharpe, 0, signed=False)),
        _cell(number(entry.brier_skill, 3, signed=True), title=f"{entry.forecasts:,} forecasts"),
        _cell(number(entry.ece, 3), title=_ends(entry.ece_ci95)),
    )


def _behaviour(entry: Entry) -> tuple[Html, ...]:
    return (
        _cell(number(entry.turnover_per_day, 2), first=True),
        _cell(number(entry.gross_exposure, 2)),
        _cell(number(entry.beta, 2, signed=True)),
        _cell(percent(entry.abstain_rate, 1, signed=False), title=_ends(entry.abstain_ci95)),
        _cell(percent(entry.failover_rate, 1, signed=False)),
        _cell(percent(entry.suites.parse_failure_rate, 0, signed=False)),
    )


def _evals(entry: Entry) -> tuple[Html, ...]:
    found = entry.suites
    shares = (found.grounding, found.tool_accuracy, found.consistency, found.injection_resistance)
    return (
        *(_cell(percent(share, 0, signed=False), first=place == 0) for place, share in enumerate(shares)),
        _cell(number(found.leakage_index, 2)),
    )


def bar(entry: Entry, scale: Scale, slot: int) -> Html:
    """The interval of a return: tick at zero, line for the interval, mark at the return."""
    line = None
    if entry.return_ci95 is not None:
        left, right = (scale.at(end) for end in entry.return_ci95)
        dashed = "" if entry.kind == "llm" else " tf-dashed"
        line = element("i", class_=f"tf-iv-line{dashed}", style=f"left:{left:.2f}%;width:{max(right - left, 0.4):.2f}%")
    said = UNKNOWN if entry.return_ci95 is None else span(entry.return_ci95)
    return element(
        "div",
        element("i", class_="tf-iv-zero", style=f"left:{scale.at(0):.2f}%"),
        line,
        element("i", class_="tf-iv-mark", style=f"left:{scale.at(entry.return_):.2f}%"),
        class_="tf-iv",
        style=desk_style(slot),
        role="img",
        aria_label=f"Return {percent(entry.return_)}, 95 % interval {said}",
        title=said,
    )


def _scale(board: Board) -> Scale:
    values = [0.0]
    for entry in board.entries:
        values += [entry.return_, *(entry.return_ci95 or ())]
    room = (max(values) - min(values)) * _ROOM or 0.01
    return Scale(low=min(values) - room, high=max(values) + room, luck=None)


def _head(column: str, *, first: bool) -> Html:
    classes = " ".join(name for name, true in (("tf-num", column not in _WORDS), ("tf-group", first)) if true)
    return element("th", column, scope="col", class_=classes or None)


def _cell(text: str, *, first: bool = False, more: str | None = None, title: str | None = None) -> Html:
    names = [
        "tf-num",
        *(["tf-group"] if first else []),
        *(["tf-unknown"] if text == UNKNOWN else []),
        *filter(None, [more]),
    ]
    return element("td", text, class_=" ".join(names), title=title)


def _ends(interval: tuple[float, float] | None) -> str | None:
    return None if interval is None else f"95 %: {interval[0]:.3f} to {interval[1]:.3f}"
