"""The desks that are traded by hand, as panels: what they own, what is open, and what became of their tickets."""

from collections.abc import Sequence
from decimal import Decimal

from arena.tickets.counter import Counter, Stand
from arena.tickets.ticket import Ticket, TicketState
from arena.ui.components.marks import chip, signed_class
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import MINUS, clock, count, dollars, percent, price
from arena.ui.risk.parts import facts, numeric, table
from trading.domain.money import money_text
from trading.domain.order import Order
from trading.domain.position import Position

SHOWN_TICKETS = 40
NOBODY = ("No desk is traded by hand", "A season has one where its file has a desk with `person = true`.")
_WAITING = ("Waiting for the first round", "The desk appears once a round was played.")
_TONES = {
    TicketState.REFUSED: "loss",
    TicketState.OPEN: "outline",
    TicketState.FILLED: "plain",
    TicketState.WAITING: "warn",
    TicketState.TAKEN: "warn",
}
_WORDS = {TicketState.WAITING: "waits for the next round", TicketState.TAKEN: "a round has it"}


def desk_facts(counter: Counter | None) -> Html:
    """Each desk's equity, cash, exposure and fall from its peak."""
    if counter is None or not counter.desks:
        return empty(*NOBODY)
    return element("div", *(_facts(desk, counter.stand(desk)) for desk in counter.desks), class_="tf tf-hand")


def positions(counter: Counter | None) -> Html:
    """Open positions, each with a button that closes it."""
    heads = (
        ("Instrument", None), ("Quantity", "tf-num"), ("Value", "tf-num"), ("Average", "tf-num"), ("Last", "tf-num"),
        ("Open result", "tf-num"), ("", None),
    )  # fmt: skip
    rows = [
        _position(desk, stand, held) for desk, stand in _stands(counter) for held in stand.account.positions.values()
    ]
    if not rows:
        return _nothing(counter, "No open position", "All of the equity is cash.")
    return table("Positions", heads, rows)


def open_orders(counter: Counter | None) -> Html:
    """Orders that rest, each with a button that cancels it."""
    heads = (("Sent, UTC", None), ("Order", None), ("Price", "tf-num"), ("Left", "tf-num"), ("", None))
    rows = [_order(stand, order) for _, stand in _stands(counter) for order in stand.account.open_orders]
    if not rows:
        return _nothing(counter, "No open order", "Limit orders, stops and take-profits rest here until they fill.")
    return table("Open orders", heads, rows)


def tickets(counter: Counter | None) -> Html:
    """The newest tickets with what became of them."""
    heads = (("Placed, UTC", None), ("Ticket", None), ("By", None), ("State", None), ("", None))
    found = [(desk, one) for desk in (counter.desks if counter else ()) for one in _tickets(counter, desk)]
    if not found:
        return _nothing(
            counter, "No ticket yet", "What you send appears here, with what the gate and the venue made of it."
        )
    return table("Tickets, newest first", heads, [_ticket(desk, one) for desk, one in found])


def _tickets(counter: Counter | None, desk: str) -> Sequence[Ticket]:
    return counter.tickets(desk, SHOWN_TICKETS) if counter is not None else ()


def _stands(counter: Counter | None) -> list[tuple[str, Stand]]:
    shown = [(desk, counter.stand(desk)) for desk in counter.desks] if counter is not None else []
    return [(desk, stand) for desk, stand in shown if stand is not None]


def _nothing(counter: Counter | None, title: str, text: str) -> Html:
    if counter is None or not counter.desks:
        return empty(*NOBODY)
    return empty(title, text) if _stands(counter) else empty(*_WAITING)


def _facts(desk: str, stand: Stand | None) -> Html:
    if stand is None:
        return empty(*_WAITING)
    account = stand.account
    equity = float(account.equity)
    share = float(account.gross) / equity if equity > 0 else None
    open_result = float(
        sum((held.unrealised(account.marks[symbol]) for symbol, held in account.positions.items()), Decimal(0))
    )
    limited = "may only reduce" if account.reduce_only else "by hand"
    return facts(
        (
            (f"Equity of {desk}", dollars(equity), limited),
            ("Cash", dollars(float(account.cash)), account.quote),
            ("Open result", dollars(open_result, signed=True), count(len(account.positions), "position", "positions")),
            ("Exposure", percent(share, 0, signed=False), f"net {dollars(float(account.net), 0)}"),
            (
                "Fall from the peak",
                percent(float(account.drawdown), 1, signed=False),
                count(len(account.open_orders), "open order", "open orders"),
            ),
        )
    )


def _position(desk: str, stand: Stand, held: Position) -> tuple[Html, ...]:
    mark = stand.account.marks[held.instrument]
    result = float(held.unrealised(mark))
    return (
        element("td", held.instrument),
        numeric(money_text(held.quantity).replace("-", MINUS)),
        numeric(dollars(float(held.value(mark)), 2)),
        numeric(price(None if held.average_price is None else float(held.average_price))),
        numeric(price(float(mark))),
        element("td", dollars(result, signed=True), class_=signed_class(result)),
        _act("close", desk, held.instrument, "Close…", f"Close {held.instrument}", confirm="Confirm close"),
    )


def _order(stand: Stand, order: Order) -> tuple[Html, ...]:
    kind = order.order_type.value.replace("_", " ")
    guard = " (guards the position)" if order.is_protective else " reduce-only" if order.reduce_only else ""
    asked = order.limit_price or order.trigger_price
    return (
        element("td", clock(order.sent_ms)),
        element("td", f"{order.side} {money_text(order.quantity)} {order.instrument} {kind}{guard}"),
        numeric(price(None if asked is None else float(asked))),
        numeric(money_text(stand.left.get(order.order_id, order.quantity))),
        _act("cancel", order.desk, order.order_id, "Cancel", f"Cancel {kind} of {order.instrument}"),
    )


def _ticket(desk: str, ticket: Ticket) -> tuple[Html, ...]:
    words = ticket.words or _WORDS.get(ticket.state, "")
    waits = ticket.state is TicketState.WAITING
    return (
        element("td", clock(ticket.placed_ms), title=ticket.ticket_id),
        element("td", ticket.what if ticket.order is not None else f"cancel order {ticket.cancels[:10]}"),
        element("td", ticket.who, class_="tf-cut"),
        element(
            "td", chip(ticket.state.value, _TONES.get(ticket.state, "plain")), element("span", words),
            class_="tf-rk-wrap",
        ),
        _act("withdraw", desk, ticket.ticket_id, "Withdraw", f"Withdraw {ticket.what}") if waits else element("td"),
    )  # fmt: skip


def _act(act: str, desk: str, of: str, label: str, name: str, *, confirm: str | None = None) -> Html:
    """A cell with a button; ``scripts/acts.js`` sends what it stands for."""
    button = element(
        "button", label, type="button", class_="tf-button tf-small", data_act=act, data_desk=desk, data_of=of,
        data_key=f"{act}-{of}", data_confirm=confirm, aria_label=None if confirm else name, title=name,
    )  # fmt: skip
    return element("td", button, class_="tf-num")
