"""The panels of a desk's page: facts, positions with exits, habits, forecasts, make-up, lessons, last decisions."""

from collections.abc import Callable, Sequence

from arena.seasons.portrait import DeskPortrait, RoleRow
from arena.seasons.snapshot import FloorSnapshot, PositionRow
from arena.traces import Entry, TraceArchive
from arena.ui.components.decisions import decision_href
from arena.ui.components.desk_card import model_line, spending
from arena.ui.components.marks import chip, kind_chip, signed_class
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.components.tables import exit_words
from arena.ui.desk.choice import desk_of, portrait_of
from arena.ui.figures import (
    NBSP,
    UNKNOWN,
    count,
    day_clock,
    dollars,
    duration,
    excludes_zero,
    number,
    percent,
    price,
    rank,
    span,
)
from arena.ui.live import Address
from arena.ui.risk.drawings import calibration_chart
from arena.ui.risk.parts import facts, numeric, table
from trading.domain.errors import TradefloorError

SHOWN_DECISIONS = 20
_SCORED_LATER = ("Not known yet", "A desk's habits are measured as soon as the season is scored.")
_CALLS = {"refused": ("refused", "loss"), "resized": ("resized", "warn")}


def desk_head(snapshot: FloorSnapshot, address: Address) -> Html:
    """Who it is, in a line."""
    desk = desk_of(snapshot, address)
    if desk is None:
        asked = address.get("desk", "")[:80]
        told = f"No desk {asked!r} is on the floor." if asked else "Desks appear with the first round."
        return element("div", element("h2", told), class_="tf tf-heading")
    return element(
        "div",
        element("h2", desk.name),
        kind_chip(desk.kind),
        None if desk.status == "active" else chip(desk.status, "warn"),
        element("span", model_line(desk), class_="tf-caption"),
        class_="tf tf-heading",
    )


def desk_facts(snapshot: FloorSnapshot, address: Address) -> Html:
    """Return with its interval, rank, drawdown, skill and cost."""
    desk = desk_of(snapshot, address)
    if desk is None:
        return empty("Nothing to show", "Choose a desk above.")
    luck = None if desk.luck_percentile is None else desk.luck_percentile * 100
    beats = "not known yet" if luck is None else f"beats {number(luck, 0)} of 100 random traders"
    known = "sign known" if excludes_zero(desk.return_ci95) else "sign not known"
    interval = "no interval yet" if desk.return_ci95 is None else f"{span(desk.return_ci95)}, {known}"
    ratio = None if desk.sharpe_ci95 is None else [number(bound, 1, signed=True) for bound in desk.sharpe_ci95]
    return facts(
        (
            ("Return", percent(desk.total_return), interval),
            ("Rank", rank(desk.rank, desk.rank_last), f"of {len(snapshot.desks)}; {beats}"),
            (
                "Sharpe ratio, a year",
                number(desk.sharpe, 2, signed=True),
                "no interval yet" if ratio is None else f"95{NBSP}%: {' to '.join(ratio)}",
            ),
            (
                "Max drawdown",
                percent(-desk.max_drawdown),
                f"equity {dollars(desk.equity, 0)} of {dollars(snapshot.capital, 0)}",
            ),
            ("Decisions", number(desk.decisions, 0), spending(desk)),
        )
    )


def desk_positions(snapshot: FloorSnapshot, address: Address) -> Html:
    """What it holds, and the orders that would take it out."""
    desk = desk_of(snapshot, address)
    if desk is None or not desk.positions:
        return empty("No open position", "All of its equity is cash.")
    heads = (
        ("Instrument", None), ("Side", None), ("Quantity", "tf-num"), ("Value", "tf-num"), ("Average", "tf-num"),
        ("Price", "tf-num"), ("Open result", "tf-num"), ("Exit plan", None),
    )  # fmt: skip
    prices = dict(snapshot.prices)
    rows = [_position(row, prices.get(row.instrument)) for row in desk.positions]
    return element("div", table("Open positions with their exits", heads, rows), class_="tf")


def _position(row: PositionRow, now: float | None) -> tuple[Html, ...]:
    return (
        element("td", row.instrument),
        element("td", "short" if row.value < 0 else "long"),
        numeric(row.quantity.lstrip("-")),
        numeric(dollars(abs(row.value), 0)),
        numeric(price(row.average_price)),
        numeric(price(now)),
        element("td", dollars(row.unrealised, signed=True), class_=signed_class(row.unrealised)),
        element("td", exit_words(row), class_="tf-rk-wrap"),
    )


def fingerprint(snapshot: FloorSnapshot, address: Address) -> Html:
    """Habits beside the range of all desks: where it stands among them, on one line each."""
    desk = desk_of(snapshot, address)
    found = None if desk is None else portrait_of(snapshot, desk)
    if desk is None or found is None:
        return empty(*_SCORED_LATER)
    heads = (("Habit", None), ("Least to most of all desks", None), ("This desk", "tf-num"))
    cells = [
        (
            element("td", name),
            element("td", _place(name, [habit(one) for one in snapshot.portraits], habit(found)), class_="tf-rk-wide"),
            numeric(_known(habit(found), words)),
        )
        for name, habit, words in _HABITS
    ]
    hit = ", ".join(f"{rule} {times}×" for rule, times in found.limits_hit[:4])
    said = (
        f"Limits that changed or refused its intents: {hit}." if hit else "No limit has changed or refused an intent."
    )
    return element(
        "div", table("Habits of the desk", heads, cells), element("p", said, class_="tf-rk-say"), class_="tf tf-risk"
    )


def _place(name: str, values: Sequence[float | None], mine: float | None) -> Html:
    known = [value for value in values if value is not None]
    if mine is None or not known:
        return element("div", class_="tf-wf")
    low, high = min(known), max(known)
    dots = [element("i", class_="tf-dot-other", style=_left(value, low, high)) for value in known]
    own = element("i", class_="tf-dot-own", style=_left(mine, low, high))
    above = sum(value > mine for value in known)
    label = f"{name}: {above} of {len(known) - 1} other desks have more"
    return element("div", *dots, own, class_="tf-range", role="img", aria_label=label)


def _left(value: float, low: float, high: float) -> str:
    return f"left:{(value - low) / (high - low) * 100 if high > low else 50:.1f}%"


def desk_calibration(snapshot: FloorSnapshot, address: Address) -> Html:
    """Whether what it said came true."""
    desk = desk_of(snapshot, address)
    found = None if desk is None else portrait_of(snapshot, desk)
    if desk is None or found is None or not found.calibration:
        return empty("Not known yet", "Twenty forecasts have to come to their end first.")
    row = None if snapshot.forecasts is None else next(
        (one for one in snapshot.forecasts.desks if one.desk == desk.name), None
    )  # fmt: skip
    drawn = calibration_chart([(one.said, one.rose, *one.rose_ci95) for one in found.calibration])
    off = sum(not one.rose_ci95[0] <= one.said <= one.rose_ci95[1] for one in found.calibration)
    said = f"{off} of {len(found.calibration)} bins are off by more than chance explains."
    if row is not None:
        skill = UNKNOWN if row.brier_skill is None else number(row.brier_skill, 3, signed=True)
        inside = percent(row.coverage90, 0, signed=False)
        said += (
            f" {number(row.ended, 0)} ended; Brier skill {skill}; {inside} of outcomes inside its 90{NBSP}% interval."
        )
    return element(
        "div", element("div", drawn, class_="tf-rk-body"), element("p", said, class_="tf-rk-say"), class_="tf tf-risk"
    )


def make_up(snapshot: FloorSnapshot, address: Address) -> Html:
    """Who answers for each role, by which prompt, at what cost; and the limits it trades under."""
    desk = desk_of(snapshot, address)
    found = None if desk is None else portrait_of(snapshot, desk)
    if desk is None or found is None:
        return empty(*_SCORED_LATER)
    heads = (
        ("Role", None), ("Model", None), ("Prompt, SHA-256", None), ("Calls", "tf-num"), ("Failed", "tf-num"),
        ("Tokens in / out", "tf-num"), ("Cost", "tf-num"),
    )  # fmt: skip
    cells = [_role(row, desk.kind) for row in found.roles]
    limits = [part for name, value in snapshot.limits for part in (element("dt", name), element("dd", value))]
    return element(
        "div",
        table("Roles of the desk", heads, cells),
        element("h3", "Limits of every desk and of the arena"),
        element("dl", *limits, class_="tf-limits") if limits else element("p", "Not on record.", class_="tf-rk-say"),
        class_="tf tf-risk",
    )


def _role(row: RoleRow, kind: str) -> tuple[Html, ...]:
    return (
        element("td", row.role),
        element("td", row.model, class_="tf-rk-wrap"),
        element("td", element("span", row.prompt_sha256[:12] or UNKNOWN, class_="tf-mono"), title=row.prompt_sha256),
        numeric(number(row.calls, 0)),
        numeric(number(row.failed, 0)),
        numeric(f"{number(row.tokens_in, 0)} / {number(row.tokens_out, 0)}" if kind == "llm" else "no LLM"),
        numeric(dollars(row.usd) if kind == "llm" else "no LLM"),
    )


def lessons(snapshot: FloorSnapshot, address: Address) -> Html:
    """What it said in looking back."""
    desk = desk_of(snapshot, address)
    found = None if desk is None else portrait_of(snapshot, desk)
    if snapshot.memory_lost is not None:
        return empty("Memory is unavailable", snapshot.memory_lost)
    if found is None or not found.reflections:
        return empty("No memory on record", "A season with a [memory] table lets desks remember and look back.")
    said = [
        element("p", element("b", f"{day_clock(ts_ms)} UTC"), " ", element("span", text, class_="tf-said"))
        for ts_ms, text in found.lessons
    ]
    head = f"Looked back {count(found.reflections, 'time', 'times')}. What to look at next time, in its own words:"
    return element("div", element("p", head), *said, class_="tf tf-readout")


def desk_decisions(archive: TraceArchive, snapshot: FloorSnapshot, address: Address) -> Html:
    """Its newest decisions; each leads to its page."""
    desk = desk_of(snapshot, address)
    if desk is None:
        return empty("No decision", "Choose a desk above.")
    try:
        entries, made = archive.newest(snapshot.run_id, desk.name, SHOWN_DECISIONS)
    except TradefloorError as error:
        return empty("Its decisions are not on record here", str(error))
    if not entries:
        return empty("No decision yet", "Every desk decides once a round.")
    heads = (
        ("UTC", None), ("Decision", None), ("Gate", None), ("In its words", None), ("Confidence", "tf-num"),
        ("Cost", "tf-num"),
    )  # fmt: skip
    rows = [_decision(entry, desk.kind) for entry in entries]
    said = f"The newest {len(entries)} of {made:,}. One decision says nothing about skill."
    return element(
        "div",
        table(f"Decisions of {desk.name}", heads, rows),
        element("p", said, class_="tf-rk-say"),
        class_="tf tf-risk",
    )


def _decision(entry: Entry, kind: str) -> tuple[Html, ...]:
    word, tone = _CALLS.get(entry.ruling, ("passed" if entry.ruling else "", "plain"))
    what = entry.action or {"held": "hold", "abstained": "no answer"}.get(entry.status, entry.status)
    link = element("a", what, href=decision_href(entry.decision_id), class_="tf-link")
    return (
        element("td", day_clock(entry.ts_ms)),
        element("td", link, class_="tf-cut tf-wide"),
        element("td", chip(word, tone) if word else None),
        element("td", entry.words, class_="tf-cut tf-words"),
        numeric(number(entry.confidence)),
        numeric(dollars(entry.usd, 4) if kind == "llm" else "no LLM"),
    )  # fmt: skip


def _known(value: float | None, words: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else words(value)


_HABITS: tuple[tuple[str, Callable[[DeskPortrait], float | None], Callable[[float], str]], ...] = (
    ("Holding time", lambda one: one.holding_h, lambda value: duration(value * 3_600_000)),
    ("Time in the market", lambda one: one.in_market, lambda value: percent(value, 0, signed=False)),
    ("Long part of what it holds", lambda one: one.long_share, lambda value: percent(value, 0, signed=False)),
    ("Gross exposure", lambda one: one.mean_gross, lambda value: f"{number(value, 2)}×"),
    ("Changes a day", lambda one: one.changes_per_day, lambda value: number(value, 1)),
    ("Size of a change", lambda one: one.order_size, lambda value: percent(value, 0, signed=False)),
    ("Stated confidence", lambda one: one.confidence, number),
    ("Thinking, median", lambda one: one.latency_ms_p50, duration),
)
