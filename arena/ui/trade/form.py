"""The ticket as a form, and the acts of a person on it: preview, send, cancel, close, withdraw."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import gradio as gr

from arena.access import Role
from arena.tickets import OrderTicket
from arena.tickets.counter import Counter
from arena.tickets.order import order_ticket
from arena.ui.acts import checked, shown_refusals
from arena.ui.components.markup import Html, element
from arena.ui.live import SLOT, script_text
from arena.ui.trade.preview import nothing_typed, preview, unusable
from trading.domain.errors import RequestError, TradefloorError
from trading.domain.intent import OrderType

TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "Take profit": OrderType.TAKE_PROFIT,
}
UNITS = ("Units", "Value")
_QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def ticket_form(counter: Counter) -> None:
    """The form of the desks of ``counter``; what was sent, and what it would come to, stand under it."""
    desk = gr.Dropdown(
        list(counter.desks), value=counter.desks[0], label="Desk", visible=len(counter.desks) > 1, elem_id="tf-t-desk"
    )
    instrument = gr.Dropdown(
        list(counter.instruments), value=counter.instruments[0], label="Instrument", elem_id="tf-t-instrument"
    )
    side = _segments(("Buy", "Sell"), "Side", "tf-t-side")
    kind = _segments(tuple(TYPES), "Type", "tf-t-type")
    with gr.Row(elem_classes="tf-t-row"):
        size = _text("Size", "tf-t-size", "0.01")
        unit = _segments(UNITS, "Size in", "tf-t-unit")
    price = _text("Price", "tf-t-price", "", visible=False)
    with gr.Row(elem_classes="tf-t-row"):
        stop = _text("Stop loss at", "tf-t-stop", "optional")
        target = _text("Take profit at", "tf-t-target", "optional")
    reduce_only = gr.Checkbox(label="Reduce only", container=False, elem_id="tf-t-reduce")
    send = gr.Button(
        "Send for the next round", elem_classes="tf-button tf-main", size="sm", min_width=0, elem_id="tf-t-send"
    )
    said = gr.HTML("", html_template=SLOT, elem_id="tf-t-said", apply_default_css=False, js_on_load=None)
    shown = gr.HTML(
        nothing_typed(), html_template=SLOT, elem_id="tf-t-preview", apply_default_css=False, js_on_load=None
    )
    sent = gr.State(0)
    typed: list[Any] = [instrument, side, kind, size, unit, price, stop, target, reduce_only]

    kind.change(_fitting, [kind], [price, stop, target], **_QUIET)
    gr.on(
        [desk.change, *(field.change for field in typed)],
        _previewing(counter),
        [desk, *typed],
        [shown],
        trigger_mode="always_last",
        **_QUIET,
    )
    send.click(_sending(counter), [sent, desk, *typed], [said, sent], **_QUIET)
    _panel_acts(counter, said)


def _panel_acts(counter: Counter, said: gr.HTML) -> None:
    """What the buttons of the panels do: ``scripts/acts.js`` says which was pressed."""
    pressed = gr.HTML(
        "",
        html_template="<span></span>",
        js_on_load=script_text("acts.js"),
        elem_id="tf-t-acts",
        apply_default_css=False,
    )

    def act(told: str, request: gr.Request) -> str:
        with shown_refusals():
            caller = checked(request, Role.TRADER)
            name, desk, of, key = _told(told)
            if name == "cancel":
                counter.place(desk, who=caller.name, cancels=of, ticket_id=key)
                return _line("The cancel waits for the next round.")
            if name == "close":
                counter.place(desk, who=caller.name, order=order_ticket(instrument=of, close=True), ticket_id=key)
                return _line(f"The close of {of} waits for the next round.")
            counter.withdraw(desk, of)
            return _line("The ticket was withdrawn.")

    pressed.click(act, [pressed], [said], **_QUIET)


def _told(text: object) -> tuple[str, str, str, str]:
    """Act, desk, object and id of a press. Raises RequestError for anything else, which a browser may send."""
    try:
        told = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("act") not in ("cancel", "close", "withdraw"):
        raise RequestError("the page sent an act that is none; reload it")
    parts = [told.get(name) for name in ("act", "desk", "of", "key")]
    if not all(isinstance(part, str) and 0 < len(part) <= 80 for part in parts):
        raise RequestError("the page sent an act with parts missing; reload it")
    return tuple(parts)  # type: ignore[return-value]  # four texts, as just checked


def _sending(counter: Counter) -> Callable[..., tuple[str, int]]:
    def sending(request: gr.Request, sent: int, desk: str, *typed: Any) -> tuple[str, int]:
        with shown_refusals():
            caller = checked(request, Role.TRADER)
            identity = _identity(request.session_hash, sent)
            ticket = counter.place(str(desk), who=caller.name, order=_order(*typed), ticket_id=identity)
            return _line(f"Sent: {ticket.what}. It waits for the next round."), sent + 1

    return sending


def _previewing(counter: Counter) -> Callable[..., str]:
    def previewing(desk: str, *typed: Any) -> str:
        if not str(typed[3] or "").strip():
            return nothing_typed()
        try:
            return preview(counter.preview(str(desk), _order(*typed)))
        except TradefloorError as error:
            return unusable(str(error))

    return previewing


def _order(
    instrument: str, side: str, kind: str, size: str, unit: str, price: str, stop: str, target: str, reduce_only: bool
) -> OrderTicket:
    """The ticket of what was typed; a field that the type does not show counts for nothing."""
    order_type = TYPES.get(str(kind), OrderType.MARKET)
    bracketed = not order_type.waits
    return order_ticket(
        instrument=instrument,
        side=str(side).lower(),
        order_type=order_type.value,
        quantity=_digits(size) if unit == UNITS[0] else None,
        value=_digits(size) if unit != UNITS[0] else None,
        limit_price=_digits(price) if order_type.has_limit else None,
        trigger_price=_digits(price) if order_type.has_trigger else None,
        stop_loss=_digits(stop) if bracketed else None,
        take_profit=_digits(target) if bracketed else None,
        reduce_only=bool(reduce_only),
    )


def _digits(text: object) -> str:
    """A number as people write it, without the commas of thousands."""
    return str(text or "").strip().replace(",", "")


def _fitting(kind: str) -> tuple[Any, Any, Any]:
    """Which prices a type of order asks for."""
    order_type = TYPES.get(kind, OrderType.MARKET)
    label = "Limit price" if order_type.has_limit else "Trigger price"
    bracket = gr.update(visible=not order_type.waits)
    return gr.update(visible=order_type is not OrderType.MARKET, label=label), bracket, bracket


def _identity(session: str | None, sent: int) -> str:
    """The id of a form's next ticket: sent twice by a double click, it is one ticket."""
    if not session:
        return f"t-{uuid4().hex[:16]}"
    return f"t-{hashlib.sha256(f'{session}:{sent}'.encode()).hexdigest()[:16]}"


def _line(text: str) -> Html:
    return element("p", text, class_="tf tf-said-line", role="status")


def _segments(options: tuple[str, ...], label: str, elem_id: str) -> gr.Radio:
    return gr.Radio(
        list(options), value=options[0], label=label, container=False, elem_id=elem_id, elem_classes="tf-segments"
    )


def _text(label: str, elem_id: str, placeholder: str, *, visible: bool = True) -> gr.Textbox:
    return gr.Textbox(
        label=label, placeholder=placeholder, max_lines=1, visible=visible, elem_id=elem_id, max_length=40
    )
