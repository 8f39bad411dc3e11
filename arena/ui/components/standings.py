"""The standings: every number with its uncertainty, and sentences that say what the table can tell and what not."""

from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import model_line, ranked
from arena.ui.components.interval import Scale, interval_bar, shared_scale
from arena.ui.components.marks import kind_chip, signed_class, swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, count, dollars, duration, excludes_zero, number, percent, rank, span

_GROUPS = (
    ("Desk", ("Rank", "Name")),
    ("Money", ("Return", "95\N{NO-BREAK SPACE}% interval, grey = luck", "Max drop", "Fees")),
    ("Skill", ("Sharpe", "Luck pct.", "Brier skill")),
    ("Behaviour", ("Decisions", "Acted", "Refused", "No answer", "Turnover")),
    ("Cost", ("Tokens", "Per decision")),
)
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
    return f"{covered} of market time · {count(snapshot.round_index, 'round', 'rounds')} · {count(len(snapshot.desks), 'desk', 'desks')}"


def readout(snapshot: FloorSnapshot) -> Html:
    """What the table can say, in sentences, with the facts they rest on."""
    facts: list[tuple[str, str]] = []
    if snapshot.benchmark is not None and snapshot.benchmark.equity:
        held = snapshot.benchmark.equity[-1] / snapshot.benchmark.equity[0] - 1
        facts.append((snapshot.benchmark_name, percent(held)))
    if snapshot.luck is not None and snapshot.luck.ts_ms:
        facts.append(("Luck, 5 to 95\N{NO-BREAK SPACE}%", span((snapshot.luck.q05[-1], snapshot.luck.q95[-1]))))
        facts.append(("Random traders behind it", number(snapshot.luck_traders, 0)))
    facts.append(("Desks not separable from the best", _tied_with_best(snapshot)))
    lines = [element("p", sentence) for sentence in sentences(snapshot)]
    listed = [part for term, value in facts for part in (element("dt", term), element("dd", value))]
    return element("div", *lines, element("dl", *listed), class_="tf tf-readout")


def sentences(snapshot: FloorSnapshot) -> list[str]:
    """Plain statements that hold by the intervals and ranks of this snapshot, and no more than they allow."""
    order = ranked(snapshot.desks)
    if not order:
        return ["Nothing has been measured yet."]
    measured = [desk for desk in order if desk.return_ci95 is not None]
    if not measured:
        return ["Too few rounds for an interval: no desk's return can be told from chance yet."]
    gaining = [desk.name for desk in measured if desk.return_ci95 is not None and desk.return_ci95[0] > 0]
    losing = [desk.name for desk in measured if desk.return_ci95 is not None and desk.return_ci95[1] < 0]
    said = [_sided(gaining, "above zero"), _sided(losing, "below zero")]
    if not gaining and not losing:
        said = ["Every interval contains zero: no desk's return can be told from chance yet."]
    elif len(gaining) + len(losing) < len(measured):
        said.append("For the others the sign of the return is not known.")
    return [" ".join(part for part in said if part), _order(order), *_luck(order[0], len(order))]


def _sided(names: list[str], where: str) -> str:
    if not names:
        return ""
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {where} with 95\N{NO-BREAK SPACE}% confidence."


def _order(order: list[DeskCard]) -> str:
    leader = order[0]
    if leader.tied_with:
        return (
            f"{leader.name} leads, but not separably from {_listed(sorted(leader.tied_with))}: more rounds would tell."
        )
    return (
        f"{leader.name} is separably ahead of every other desk." if len(order) > 1 else f"{leader.name} trades alone."
    )


def _luck(leader: DeskCard, desks: int) -> list[str]:
    if leader.luck_percentile is None:
        return []
    beaten = round(leader.luck_percentile * 100)
    chance = 1 - leader.luck_percentile**desks
    return [
        f"{leader.name} beats {beaten} of 100 random traders of the same turnover and exposure. With {desks} desks on the "
        f"board, the best of {desks} random traders does that well about {round(chance * 10)} times in 10."
    ]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tied_with_best(snapshot: FloorSnapshot) -> str:
    if not snapshot.desks:
        return UNKNOWN
    return f"{len(ranked(snapshot.desks)[0].tied_with)} of {len(snapshot.desks) - 1}"


def _head(column: str, *, first: bool) -> Html:
    classes = [] if column in _TEXT_COLUMNS else ["tf-num"]
    if first:
        classes.append("tf-group")
    return element("th", column, scope="col", class_=" ".join(classes) or None)


def _row(desk: DeskCard, scale: Scale) -> Html:
    known = excludes_zero(desk.return_ci95)
    per_decision = None if desk.usd is None or not desk.decisions else desk.usd / desk.decisions
    model = desk.kind == "llm"
    tokens = (dollars(desk.usd), dollars(per_decision, 4)) if model else ("no LLM", "no LLM")
    shares = [
        percent(part / desk.decisions, 0, signed=False) if desk.decisions else UNKNOWN
        for part in (desk.acted, desk.abstained)
    ]
    sharpe = UNKNOWN if desk.sharpe is None else number(desk.sharpe, 2, signed=True)
    sharpe_span = (
        None
        if desk.sharpe_ci95 is None
        else "95\N{NO-BREAK SPACE}%: " + " to ".join(number(x, signed=True) for x in desk.sharpe_ci95)
    )
    luck = UNKNOWN if desk.luck_percentile is None else number(desk.luck_percentile * 100, 0)
    name = element(
        "td",
        swatch(desk.slot, desk.kind),
        element("b", desk.name),
        kind_chip(desk.kind, short=True),
        element("span", model_line(desk), class_="tf-model"),
        class_="tf-name",
    )
    return element(
        "tr",
        element("td", element("b", rank(desk.rank, desk.rank_last)), class_="tf-group"),
        name,
        element(
            "td",
            element("b", percent(desk.total_return)),
            class_=f"tf-group {signed_class(desk.total_return, known=known)}",
        ),
        element("td", interval_bar(desk, scale), class_="tf-bar-cell", title=span(desk.return_ci95)),
        _cell(percent(-desk.max_drawdown)),
        _cell(dollars(desk.fees)),
        _cell(sharpe, group=True, title=sharpe_span),
        _cell(luck),
        _cell(number(desk.brier_skill, 3, signed=True)),
        _cell(number(desk.decisions, 0), group=True),
        _cell(shares[0]),
        _cell(number(desk.refused_intents, 0)),
        _cell(shares[1]),
        _cell(f"{number(desk.turnover, 1)}×"),
        _cell(tokens[0], group=True),
        _cell(tokens[1]),
    )


def _cell(text: str, *, group: bool = False, title: str | None = None) -> Html:
    unknown = " tf-unknown" if text in (UNKNOWN, "no LLM") else ""
    return element("td", text, class_=f"tf-num{' tf-group' if group else ''}{unknown}", title=title)
