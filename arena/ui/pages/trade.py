"""Trade: a desk of one's own. The ticket with its preview on the left, what the desk holds and did on the right."""

from collections.abc import Callable

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.tickets.counter import Counter
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.live import LivePage
from arena.ui.pages import Page
from arena.ui.tokens import RAIL_PX
from arena.ui.trade.form import ticket_form
from arena.ui.trade.panels import NOBODY, desk_facts, open_orders, positions, tickets


def build(page: LivePage) -> None:
    """The desk's account over everything, the form beside the tables; one column on a phone."""
    counter = page.services.counter
    page.html(
        _of_round(desk_facts, counter), elem_id="tf-hand-facts", waiting="The desk appears after the first round."
    )
    with gr.Row(elem_id="tf-trade"):
        with gr.Column(scale=0, min_width=RAIL_PX, elem_classes="tf-panel", elem_id="tf-ticket"):
            _head("Ticket", "goes through the same gate as every desk")
            if counter is None or not counter.desks:
                gr.HTML(empty(*NOBODY), apply_default_css=False, js_on_load=None)
            else:
                ticket_form(counter)
        with gr.Column(scale=1, min_width=320, elem_id="tf-hand-tables"):
            for title, caption, draw, name in (
                ("Positions", "at the prices of the last round", positions, "tf-hand-positions"),
                ("Open orders", "they rest until they fill or are cancelled", open_orders, "tf-hand-orders"),
            ):
                with gr.Column(elem_classes="tf-panel"):
                    _head(title, caption)
                    page.html(_of_round(draw, counter), elem_id=name, waiting="Waiting for the first round.")
            with gr.Column(elem_classes="tf-panel"):
                _head("Tickets", "newest first, with what became of them")
                page.clocked_html(lambda snapshot, now_ms: tickets(counter), elem_id="tf-hand-tickets")


def _of_round(draw: Callable[[Counter | None], Html], counter: Counter | None) -> Callable[[FloorSnapshot], Html]:
    """A panel that is drawn anew after each round."""
    return lambda snapshot: draw(counter)


def _head(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Trade", path="trade", order=18, build=build)
