"""The desk page: everything about one desk of the floor, named by ``?desk=`` in the address."""

from collections.abc import Callable
from functools import partial

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.traces import TraceArchive
from arena.ui.charts.equity import HEIGHT_PX, RANGES_MS
from arena.ui.charts.live_plot import live_plot
from arena.ui.components.markup import element
from arena.ui.desk.charts import desk_equity, drawdown_chart, exposure_chart
from arena.ui.desk.choice import desk_links
from arena.ui.desk.panels import (
    desk_calibration,
    desk_decisions,
    desk_facts,
    desk_head,
    desk_positions,
    fingerprint,
    lessons,
    make_up,
)
from arena.ui.live import Address, LivePage
from arena.ui.pages import Page

_WAITING = "Waiting for the first round."


def build(page: LivePage) -> None:
    """The chooser, a strip of facts, equity across, then two columns, and the newest decisions under them."""
    archive = TraceArchive(page.services.home, page.services.transcripts)
    page.addressed_html(desk_links, elem_id="tf-desk-choose", waiting="Desks appear when the season starts.")
    page.addressed_html(desk_facts, elem_id="tf-desk-facts", waiting=_WAITING)
    with gr.Column(elem_classes="tf-panel", elem_id="tf-desk-equity"):
        with gr.Row(elem_classes="tf-panel-head"):
            page.addressed_html(desk_head, elem_id="tf-desk-head", waiting="Desk")
            window = page.choice(list(RANGES_MS), "All", label="Range")
            unit = page.choice(["%", "$", "drawdown"], "%", label="Unit")
        label = "Equity of the desk, with buy and hold and the luck band. The facts above give the same in numbers."
        chart = live_plot(label=label, height_px=HEIGHT_PX, elem_id="tf-desk-chart")
        page.plot(chart, [window, unit], desk_equity, by_address=True)
    with gr.Row(elem_classes="tf-pair-of-panels"):
        _panel(page, "Drawdown", "below its highest equity", drawdown_chart, "tf-desk-drawdown")
        _panel(page, "Exposure", "value of positions over equity", exposure_chart, "tf-desk-exposure")
    _panel(
        page, "Positions and exits", "what it holds, and what would take it out", desk_positions, "tf-desk-positions"
    )
    with gr.Row(elem_classes="tf-pair-of-panels"):
        _panel(page, "Habits", "grey: the other desks", fingerprint, "tf-desk-habits")
        _panel(page, "Calibration", "what it said, how often it rose", desk_calibration, "tf-desk-calibration")
    _panel(page, "Last decisions", "each leads to its trace", partial(desk_decisions, archive), "tf-desk-decisions")
    with gr.Row(elem_classes="tf-pair-of-panels"):
        _panel(page, "Made of", "models, prompts, cost and limits", make_up, "tf-desk-made-of")
        _panel(page, "Memory and lessons", "its own words", lessons, "tf-desk-lessons")


def _panel(
    page: LivePage, title: str, caption: str, render: Callable[[FloorSnapshot, Address], str], elem_id: str
) -> None:
    head = element("div", element("h2", title), element("span", caption, class_="tf-caption"), class_="tf tf-heading")
    with gr.Column(elem_classes="tf-panel", min_width=320):
        with gr.Row(elem_classes="tf-panel-head"):
            gr.HTML(head, apply_default_css=False, js_on_load=None)
        page.addressed_html(render, elem_id=elem_id, waiting=_WAITING)


PAGE = Page(title="Desks", path="desk", order=12, build=build)
