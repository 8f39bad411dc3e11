"""The standings table: one row a desk, every number with its uncertainty."""

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import desk_link, model_line, ranked
from arena.ui.components.interval import Scale, interval_bar, shared_scale
from arena.ui.components.marks import kind_chip, signed_class, swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import NBSP, UNKNOWN, count, dollars, duration, excludes_zero, number, percent, rank, span

_GROUPS = (
    ("Desk", ("Rank", "Name")),
    ("Money", ("Return", "95\N{NO-BREAK SPACE}% interval, grey = luck", "Max drop", "Fees")),
    ("Skill", ("Sharpe", "Luck pct.", "Brier skill")),
    ("Behaviour", ("Decisions", "Acted", "Refused", "No answer", "Turnover")),
    ("Cost", ("Tokens", "Per decision")),
)
_NO_MODEL = "no LLM"
_TEXT_COLUMNS = frozenset({"Rank", "Name", _GROUPS[1][1][1]})


def standings_table(snapshot: FloorSnapshot) -> Html:
    """One row a desk in rank order, with the forest plot of returns inside it."""
    if not snapshot.desks:
        return empty("No standings yet", "Desks are ranked after their first round.")
    scale = shared_scale(snapshot.desks, snapshot.luck)
    groups = element(
        "tr",
        *(
            element("th", title, colspan=str(len(columns)), scope="colgroup", class_="tf-group")
            for title, columns in _GROUPS
        ),
    )
    heads = element(
        "tr", *(_head(column, first=i == 0) for _title, columns in _GROUPS for i, column in enumerate(columns))
    )
    rows = [_row(desk, scale) for desk in ranked(snapshot.desks)]
    table = element("table", element("thead", groups, heads), element("tbody", *rows), class_="tf-table tf-standings")
    return element(
        "div", table, class_="tf tf-scroll", tabindex="0", role="region", aria_label="Standings of all desks"
    )


def sample_line(snapshot: FloorSnapshot) -> str:
    """What the standings rest on: market time, rounds and desks."""
    covered = duration(max(0, snapshot.as_of_ms - snapshot.start_ms))
    rounds, desks = count(snapshot.round_index, "round", "rounds"), count(len(snapshot.desks), "desk", "desks")
    return f"{covered} of market time · {rounds} · {desks}"


def _head(column: str, *, first: bool) -> Html:
    classes = [] if column in _TEXT_COLUMNS else ["tf-num"]
    if first:
        classes.append("tf-group")
    return element("th", column, scope="col", class_=" ".join(classes) or None)


def _row(desk: DeskCard, scale: Scale) -> Html:
    groups = (_who(desk), _money(desk, scale), _skill(desk), _behaviour(desk), _cost(desk))
    return element("tr", *(cell for group in groups for cell in group))


def _who(desk: DeskCard) -> list[Html]:
    name = element(
        "td",
        swatch(desk.slot, desk.kind),
        element("b", desk_link(desk.name)),
        kind_chip(desk.kind, short=True),
        element("span", model_line(desk), class_="tf-model"),
        class_="tf-name",
    )
    return [element("td", element("b", rank(desk.rank, desk.rank_last)), class_="tf-group"), name]


def _money(desk: DeskCard, scale: Scale) -> list[Html]:
    tone = signed_class(desk.total_return, known=excludes_zero(desk.return_ci95))
    return [
        element("td", element("b", percent(desk.total_return)), class_=f"tf-group {tone}"),
        element("td", interval_bar(desk, scale), class_="tf-bar-cell", title=span(desk.return_ci95)),
        _cell(percent(-desk.max_drawdown)),
        _cell(dollars(desk.fees)),
    ]


def _skill(desk: DeskCard) -> list[Html]:
    interval = None
    if desk.sharpe_ci95 is not None:
        interval = f"95{NBSP}%: " + " to ".join(number(bound, signed=True) for bound in desk.sharpe_ci95)
    luck = None if desk.luck_percentile is None else desk.luck_percentile * 100
    return [
        _cell(number(desk.sharpe, signed=True), group=True, title=interval),
        _cell(number(luck, 0)),
        _cell(number(desk.brier_skill, 3, signed=True)),
    ]


def _behaviour(desk: DeskCard) -> list[Html]:
    def share(part: int) -> Html:
        return _cell(percent(part / desk.decisions, 0, signed=False) if desk.decisions else UNKNOWN)

    return [
        _cell(number(desk.decisions, 0), group=True),
        share(desk.acted),
        _cell(number(desk.refused_intents, 0)),
        share(desk.abstained),
        _cell(f"{number(desk.turnover, 1)}×"),
    ]


def _cost(desk: DeskCard) -> list[Html]:
    if desk.kind != "llm":
        return [_cell(_NO_MODEL, group=True), _cell(_NO_MODEL)]
    each = desk.usd / desk.decisions if desk.usd is not None and desk.decisions else None
    return [_cell(dollars(desk.usd), group=True), _cell(dollars(each, 4))]


def _cell(text: str, *, group: bool = False, title: str | None = None) -> Html:
    unknown = " tf-unknown" if text in (UNKNOWN, _NO_MODEL) else ""
    return element("td", text, class_=f"tf-num{' tf-group' if group else ''}{unknown}", title=title)
