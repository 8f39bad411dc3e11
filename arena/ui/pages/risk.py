"""Risk: what the floor holds and could lose, desk by desk, and how the desks move together."""

import gradio as gr

from arena.ui.components.markup import element
from arena.ui.components.risk import desk_correlation, risk_by_desk, risk_facts
from arena.ui.live import LivePage
from arena.ui.pages import Page


def build(page: LivePage) -> None:
    """A strip of facts, then the desks beside the map of their correlations."""
    page.html(risk_facts, elem_id="tf-risk-facts", waiting="Risk is measured after the first round.")
    with gr.Row(elem_id="tf-risk-panels"):
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head("Risk by desk", "tails of the results on the curve")
            page.html(risk_by_desk, elem_id="tf-risk-desks", waiting="Waiting for the first round.")
        with gr.Column(elem_classes="tf-panel", min_width=320):
            _head("Correlation of results", "desk by desk, shrunk")
            page.html(desk_correlation, elem_id="tf-risk-correlation", waiting="Waiting for the first round.")


def _head(title: str, caption: str) -> None:
    text = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Row(elem_classes="tf-panel-head"):
        gr.HTML(text, apply_default_css=False, js_on_load=None)


PAGE = Page(title="Risk", path="risk", order=20, build=build)
