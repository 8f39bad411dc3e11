"""The standings: the table of all desks with intervals, and what it can say."""

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.header import market_note
from arena.ui.components.markup import Html, element
from arena.ui.components.readout import readout
from arena.ui.components.standings import sample_line, standings_table
from arena.ui.live import LivePage
from arena.ui.pages import Page


def build(page: LivePage) -> None:
    """The table across the page, the sentences under it."""
    with gr.Column(elem_classes="tf-panel", elem_id="tf-standings-panel"):
        with gr.Row(elem_classes="tf-panel-head"):
            page.html(_head, elem_id="tf-standings-head", waiting="Standings")
        page.html(standings_table, elem_id="tf-standings", waiting="Desks are ranked after their first round.")
    with gr.Row(elem_id="tf-reading"):
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head_row("What this table can say")
            page.html(readout, elem_id="tf-readout", waiting="Waiting for the first round.")
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head_row("How ranks are made")
            gr.HTML(_method(), apply_default_css=False, js_on_load=None)


def _head_row(text: str) -> None:
    title = element("div", element("h2", text), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(title, apply_default_css=False, js_on_load=None)


def _head(snapshot: FloorSnapshot) -> Html:
    return element(
        "div",
        element("h2", "Standings"),
        element("span", sample_line(snapshot), class_="tf-caption"),
        element("span", market_note(snapshot.market), class_="tf-caption tf-market"),
        class_="tf tf-heading",
    )


def _method() -> Html:
    sentences = (
        "A rank is a range: two desks share ranks until a paired comparison of their returns tells them apart.",
        "A return is coloured only where its 95\N{NO-BREAK SPACE}% interval leaves out zero.",
        "Luck pct. is the share of random traders, of the same turnover and exposure, that a desk beats.",
        "Brier skill compares a desk's forecasts with saying 50\N{NO-BREAK SPACE}% each time; above zero is better.",
        "Rule-based desks call no language model. They are baselines.",
    )
    return element("div", *(element("p", sentence) for sentence in sentences), class_="tf tf-readout tf-method")


PAGE = Page(title="Standings", path="standings", order=10, build=build)
