"""Who is spoken to: the heading of a chat with the way to another desk, and beside it how that desk stands."""

from urllib.parse import quote

from arena.seasons.snapshot import DeskCard, FloorSnapshot, PositionRow
from arena.ui.components.desk_card import model_line
from arena.ui.components.marks import kind_chip, signed_class, swatch
from arena.ui.components.markup import Html, element
from arena.ui.figures import clock, count, dollars, excludes_zero, percent, span
from arena.ui.live import Address

ASSISTANT = "Floor assistant"


def spoken_to(snapshot: FloorSnapshot, address: Address) -> DeskCard | None:
    """The desk that the address names; None is the floor's assistant."""
    return next((desk for desk in snapshot.desks if desk.name == address.get("desk")), None)


def chat_heading(snapshot: FloorSnapshot, address: Address, assistant: str | None = None) -> Html:
    """Who answers, by which model, and a list of everybody else. ``assistant`` is the model behind the floor's."""
    desk, unknown = spoken_to(snapshot, address), address.get("desk", "")[:60]
    if desk is None and unknown and not snapshot.desks:
        who = [element("h2", unknown), element("span", "before its first round", class_="tf-caption")]
    elif desk is None:
        by = "rule-based, no LLM" if assistant is None else f"{assistant}, by rule where it fails"
        who = [element("h2", ASSISTANT), element("span", f"{by} · knows every desk", class_="tf-caption")]
    else:
        who = [
            swatch(desk.slot, desk.kind),
            element("h2", desk.name),
            element("span", model_line(desk), class_="tf-caption"),
            kind_chip(desk.kind) or element("span", "its model answers, with calls of its own", class_="tf-caption"),
        ]
    note = f"There is no desk {unknown!r}." if unknown and desk is None and snapshot.desks else None
    return element(
        "div",
        element("div", *who, element("span", note, class_="tf-caption") if note else None, class_="tf-who"),
        _others(snapshot, desk),
        class_="tf tf-talk-head",
    )


def desk_now(snapshot: FloorSnapshot, address: Address) -> Html:
    """The desk's account in a few rows; for the assistant, those of the floor."""
    desk = spoken_to(snapshot, address)
    rows = _floor_rows(snapshot) if desk is None else _desk_rows(desk)
    title = "The floor now" if desk is None else f"{desk.name} now"
    when = element("span", f"{clock(snapshot.as_of_ms)} UTC", class_="tf-caption")
    body = [part for term, value in rows for part in (element("dt", term), value)]
    return element(
        "section",
        element("div", element("h2", title), when, class_="tf-side-head"),
        element("dl", *body, class_="tf-side-facts"),
        class_="tf",
        aria_label=title,
    )


def _others(snapshot: FloorSnapshot, current: DeskCard | None) -> Html:
    links = [element("a", ASSISTANT, href="/chat", aria_current="true" if current is None else None)]
    links += [
        element(
            "a",
            swatch(desk.slot, desk.kind),
            desk.name,
            href=f"/chat?desk={quote(desk.name, safe='')}",
            aria_current="true" if desk is current else None,
        )
        for desk in snapshot.desks
    ]
    return element(
        "details",
        element("summary", "Change desk"),
        element("nav", *links, aria_label="Desks to talk to"),
        class_="tf-change",
        data_key="change-desk",
    )


def _desk_rows(desk: DeskCard) -> list[tuple[str, Html]]:
    known = excludes_zero(desk.return_ci95)
    rows = [
        ("Equity", _value(dollars(desk.equity))),
        ("Season", _value(percent(desk.total_return), signed_class(desk.total_return, known=known))),
        (
            "95\N{NO-BREAK SPACE}% interval",
            _value(span(desk.return_ci95) if desk.return_ci95 else "not enough data yet"),
        ),
        ("Largest fall", _value(percent(-desk.max_drawdown))),
    ]
    rows += [
        (_holding(row), _value(dollars(row.unrealised, signed=True), signed_class(row.unrealised)))
        for row in desk.positions
    ]
    return rows if desk.positions else [*rows, ("Positions", _value("flat"))]


def _holding(row: PositionRow) -> str:
    side = "short" if row.value < 0 else "long"
    return f"{row.instrument.partition('-')[0]} {side} {row.quantity.removeprefix('-')}"


def _floor_rows(snapshot: FloorSnapshot) -> list[tuple[str, Html]]:
    return [
        ("Season", _value(f"{snapshot.season}, {snapshot.status}")),
        ("Market", _value(snapshot.market)),
        ("Round", _value(f"{snapshot.round_index:,} of {snapshot.rounds:,}")),
        ("Desks", _value(count(len(snapshot.desks), "desk", "desks"))),
        ("Breaker", _value(snapshot.breaker)),
    ]


def _value(text: str, tone: str = "tf-num") -> Html:
    return element("dd", text, class_=tone)
