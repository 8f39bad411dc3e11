"""The leaderboard: the table with intervals, every pair of desks, and what the table can say."""

import gradio as gr

from arena.boards import board_office
from arena.ui.components.markup import element
from arena.ui.leaderboard.panels import Panels
from arena.ui.leaderboard.scope import filters
from arena.ui.live import LivePage
from arena.ui.pages import Page

_WAITING = "Waiting for the first round."


def build(page: LivePage) -> None:
    """The filters, the table across the page, pairs beside the sentences under it."""
    panels = Panels(board_office(page.services.settings))
    page.addressed_html(filters, elem_id="tf-lb-filters", waiting="Leaderboard")
    with gr.Column(elem_classes="tf-panel", elem_id="tf-standings-panel"):
        with gr.Row(elem_classes="tf-panel-head"):
            page.addressed_html(panels.head, elem_id="tf-standings-head", waiting="Standings", by_clock=True)
        page.addressed_html(
            panels.table, elem_id="tf-standings", waiting="Desks are ranked after their first round.", by_clock=True
        )
    with gr.Row(elem_id="tf-reading"):
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head("Pairs: the row against the column")
            page.addressed_html(panels.pairs, elem_id="tf-lb-pairs", waiting=_WAITING, by_clock=True)
        with gr.Column(min_width=320):
            with gr.Column(elem_classes="tf-panel"):
                _head("What this table can say")
                page.addressed_html(panels.says, elem_id="tf-readout", waiting=_WAITING, by_clock=True)
            with gr.Column(elem_classes="tf-panel"):
                _head("How ranks are made")
                page.addressed_html(panels.how, elem_id="tf-lb-how", waiting=_WAITING, by_clock=True)


def _head(text: str) -> None:
    title = element("div", element("h2", text), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(title, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Leaderboard", path="leaderboard", order=10, build=build)
