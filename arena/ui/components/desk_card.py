"""One card a desk: who it is, where it stands, how sure that is, and what it did last."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from arena.seasons.snapshot import DeskCard, FloorSnapshot, PositionRow
from arena.ui.components.interval import Scale, interval_bar, shared_scale
from arena.ui.components.marks import chip, desk_style, kind_chip, signed_class, swatch
from arena.ui.components.markup import Html, element, join
from arena.ui.components.sparkline import sparkline
from arena.ui.figures import UNKNOWN, clock_short, count, dollars, excludes_zero, percent, rank, span

_WORKING = frozenset({"active", "running"})
_NAMED_POSITIONS = 2


def desk_cards(snapshot: FloorSnapshot) -> Html:
    """The cards of all desks in rank order, on one interval scale."""
    scale = shared_scale(snapshot.desks, snapshot.luck)
    cards = [desk_card(desk, scale, snapshot.capital) for desk in ranked(snapshot.desks)]
    return element("section", *cards, class_="tf tf-cards", aria_label="Desks in rank order")


def desk_href(name: str) -> str:
    """The address of a desk's page."""
    return f"/desk?{urlencode({'desk': name})}"


def desk_link(name: str, text: str | None = None) -> Html:
    """A desk's name, or other words for it, as the way to its page."""
    return element("a", text or name, href=desk_href(name), class_="tf-to")


def ranked(desks: Sequence[DeskCard]) -> list[DeskCard]:
    """Desks by rank, the better return first where ranks tie."""
    return sorted(desks, key=lambda desk: (desk.rank, desk.rank_last, -desk.total_return, desk.slot))


def desk_card(desk: DeskCard, scale: Scale, capital: float) -> Html:
    """The card of one desk."""
    known = excludes_zero(desk.return_ci95)
    acted_at = "Last" if desk.last_action_ms is None else clock_short(desk.last_action_ms)
    return element(
        "article",
        element(
            "header",
            swatch(desk.slot, desk.kind),
            element("b", desk_link(desk.name)),
            None if desk.status in _WORKING else chip(desk.status, "warn"),
            element("span", f"rank {rank(desk.rank, desk.rank_last)}", class_="tf-rank"),
        ),
        element("p", kind_chip(desk.kind), element("span", model_line(desk), class_="tf-cut"), class_="tf-maker"),
        element(
            "div",
            element(
                "span", percent(desk.total_return), class_=f"tf-hero {signed_class(desk.total_return, known=known)}"
            ),
            sparkline(desk.curve, capital, dashed=desk.kind != "llm"),
            class_="tf-result",
        ),
        interval_bar(desk, scale),
        _fact("95\N{NO-BREAK SPACE}%", _interval_words(desk), essential=True),
        _fact("Holds", holdings(desk.positions)),
        _fact(acted_at, desk.last_action or "no action yet"),
        _fact("Spent", spending(desk)),
        class_="tf-card",
        style=desk_style(desk.slot),
    )


def model_line(desk: DeskCard) -> str:
    """The models behind a desk, each named once."""
    names = list(dict.fromkeys(model for _role, model in desk.models))
    return " + ".join(names) if names else UNKNOWN


def holdings(positions: Sequence[PositionRow]) -> str:
    """One or two positions by name, side and size; more of them by number, with their gross value."""
    if not positions:
        return "flat"
    if len(positions) > _NAMED_POSITIONS:
        short = sum(position.value < 0 for position in positions)
        gross = sum(abs(position.value) for position in positions)
        sides = [f"{many} {side}" for many, side in ((len(positions) - short, "long"), (short, "short")) if many]
        return f"{', '.join(sides)} · {dollars(gross, 0)} gross"
    largest = sorted(positions, key=lambda position: -abs(position.value))
    return " · ".join(
        f"{_short(p.instrument)} {'short' if p.value < 0 else 'long'} {_brief(p.quantity)}" for p in largest
    )


def spending(desk: DeskCard) -> str:
    """Money spent on tokens and the calls it bought; a rule-based desk calls no LLM."""
    fees = f"{dollars(desk.fees)} fees"
    if desk.kind != "llm":
        return f"no LLM · {fees}"
    return f"{dollars(desk.usd)} on {count(desk.llm_calls, 'call', 'calls')} · {fees}"


def _interval_words(desk: DeskCard) -> str:
    return "not enough data yet" if desk.return_ci95 is None else span(desk.return_ci95)


def _brief(quantity: str) -> str:
    """The size of a quantity to three significant digits."""
    try:
        size = abs(Decimal(quantity))
    except InvalidOperation:
        return quantity
    return f"{size:,.0f}" if size >= 1_000 else f"{size:.3g}"


def _short(instrument: str) -> str:
    return instrument.split("-", maxsplit=1)[0]


def _fact(term: str, text: str, *, essential: bool = False) -> Html:
    shown = "tf-fact" if essential else "tf-fact tf-desktop"
    return element("p", element("span", term), join([element("span", text, class_="tf-cut")]), class_=shown)
