"""A ticket's preview in words: the gate's ruling first, then what it costs and what is risked by it."""

from arena.tickets.preview import Preview
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, day_clock, dollars, percent, price
from trading.domain.intent import OrderType
from trading.domain.money import money_text
from trading.domain.verdict import Ruling

_TONES = {Ruling.ALLOWED: "gain", Ruling.RESIZED: "warn", Ruling.REFUSED: "loss"}


def nothing_typed() -> Html:
    """What stands there before a size was typed."""
    return empty("Preview", "Type a size: the gate's ruling, the cost and the risk of the order appear here.")


def unusable(reason: str) -> Html:
    """A ticket that cannot be one, with the reason."""
    return element("div", chip("not an order", "loss"), element("p", reason), class_="tf tf-preview", role="status")


def preview(found: Preview) -> Html:
    """The preview of a ticket."""
    verdict, intent = found.verdict, found.intent
    lines = [element("p", chip(verdict.ruling.value, _TONES[verdict.ruling]), element("span", _said(found)))]
    if verdict.ruling is not Ruling.REFUSED:
        lines.append(element("dl", *(part for row in _rows(found) for part in row)))
    when = f"By the account and prices of {day_clock(found.as_of_ms)} UTC; the gate rules again at the next round."
    if intent.order_type is not OrderType.MARKET:
        when += " It rests until it is cancelled."
    return element("div", *lines, element("p", when, class_="tf-caption"), class_="tf tf-preview", role="status")


def _said(found: Preview) -> str:
    verdict = found.verdict
    what = f"{found.intent.side} {money_text(verdict.quantity_after)} {found.intent.instrument}"
    match verdict.ruling:
        case Ruling.ALLOWED:
            return f"The gate would let it through: {what}."
        case Ruling.RESIZED:
            return f"Cut from {money_text(verdict.quantity_before)} by {verdict.rule}: {what}. {verdict.message}"
        case Ruling.REFUSED:
            return f"{verdict.rule}: {verdict.message}"


def _rows(found: Preview) -> list[tuple[Html, Html]]:
    stop = "not bounded: it has no stop" if found.at_stop is None else dollars(-float(found.at_stop), signed=True)
    if found.intent.reduce_only:
        stop = "it can only reduce"
    rows = (
        (
            "Fills at or better" if found.intent.order_type is OrderType.LIMIT else "Fills at about",
            price(float(found.price)),
        ),
        ("Value", dollars(float(found.value))),
        ("Fee", dollars(float(found.fee))),
        ("Slippage", dollars(float(found.slippage))),
        ("Worst case at its stop", stop),
        ("Exposure, of equity", _change(found.gross_before, found.gross_after, 0)),
        ("One-day VaR 99", _change(found.var_before, found.var_after, 2)),
    )
    return [(element("dt", term), element("dd", text)) for term, text in rows]


def _change(before: float | None, after: float | None, digits: int) -> str:
    if before is None and after is None:
        return UNKNOWN
    return f"{percent(before, digits, signed=False)} to {percent(after, digits, signed=False)}"
