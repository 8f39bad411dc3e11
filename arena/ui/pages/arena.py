"""The home page: equity of all desks, a card for each, and beside them what was decided, traded and held."""

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.charts.equity import HEIGHT_PX, RANGES_MS, equity_figure
from arena.ui.charts.live_plot import live_plot
from arena.ui.components.decisions import decision_feed
from arena.ui.components.desk_card import desk_cards
from arena.ui.components.header import market_note
from arena.ui.components.markup import Html, element
from arena.ui.components.tables import position_list, trade_list
from arena.ui.live import LivePage
from arena.ui.pages import Page
from arena.ui.tokens import RAIL_PX


def build(page: LivePage) -> None:
    """The chart and the cards on the left, the rail on the right; one column on a phone."""
    with gr.Row(elem_id="tf-home"):
        with gr.Column(scale=1, min_width=320, elem_id="tf-main"):
            with gr.Column(elem_id="tf-equity", elem_classes="tf-panel"):
                with gr.Row(elem_classes="tf-panel-head"):
                    page.html(_equity_head, elem_id="tf-equity-head", waiting="Equity, all desks")
                    window = page.choice(list(RANGES_MS), "All", label="Range")
                    unit = page.choice(["%", "$", "drawdown"], "%", label="Unit")
                label = (
                    "Equity of all desks, with buy and hold and the luck band. The standings give the same in numbers."
                )
                chart = live_plot(label=label, height_px=HEIGHT_PX, elem_id="tf-equity-chart")
                page.plot(chart, [window, unit], equity_figure)
            page.html(desk_cards, elem_id="tf-desks", waiting="Desks appear when the season starts.")
        with gr.Column(scale=0, min_width=RAIL_PX, elem_id="tf-rail"), gr.Tabs(selected="talk"):
            with gr.Tab("Model talk", id="talk"):
                page.html(
                    decision_feed, elem_id="tf-decisions", waiting="Waiting for the first round.", script="feed.js"
                )
            with gr.Tab("Trades", id="trades"):
                page.html(trade_list, elem_id="tf-trades", waiting="Waiting for the first round.")
            with gr.Tab("Positions", id="positions"):
                page.html(position_list, elem_id="tf-positions", waiting="Waiting for the first round.")


def _equity_head(snapshot: FloorSnapshot) -> Html:
    held = f" · dotted = {snapshot.benchmark_name}" if snapshot.benchmark is not None else ""
    return element(
        "div",
        element("h2", "Equity, all desks"),
        element("span", f"solid = language model · dashed = rule-based{held}", class_="tf-caption"),
        element("span", market_note(snapshot.market), class_="tf-caption tf-market"),
        class_="tf tf-heading",
    )


PAGE = Page(title="Arena", path="", order=0, build=build)
