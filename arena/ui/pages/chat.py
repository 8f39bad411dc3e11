"""The chat: one desk or several answer questions, and beside them what waits for a person's approval."""

import gradio as gr

from arena.ui.chat.approving import build_approvals
from arena.ui.chat.comparing import build_battle, build_compare
from arena.ui.chat.desk_now import desk_now
from arena.ui.chat.endpoints import declare_endpoints
from arena.ui.chat.sources import sources_panel
from arena.ui.chat.talking import build_talk
from arena.ui.live import LivePage
from arena.ui.pages import Page
from arena.ui.tokens import RAIL_PX


def build(page: LivePage) -> None:
    """Conversations on the left, the rail on the right; on a phone what waits comes first."""
    with gr.Row(elem_id="tf-talk"):
        used = gr.HTML(sources_panel(None), elem_id="tf-used", apply_default_css=False, padding=False, render=False)
        with gr.Column(scale=1, min_width=320, elem_id="tf-talk-main"), gr.Tabs(selected="one"):
            with gr.Tab("One desk", id="one", elem_id="tf-one"):
                build_talk(page, used)
            with gr.Tab("Compare", id="compare", elem_id="tf-compare"):
                build_compare(page)
            with gr.Tab("Blind battle", id="battle", elem_id="tf-battle"):
                build_battle(page)
        with gr.Column(scale=0, min_width=RAIL_PX, elem_id="tf-talk-rail"):
            with gr.Column(elem_id="tf-approvals", elem_classes="tf-panel"):
                build_approvals(page)
            with gr.Column(elem_classes="tf-panel"):
                used.render()  # type: ignore[no-untyped-call]  # Gradio did not annotate it
            with gr.Column(elem_classes="tf-panel"):
                page.addressed_html(desk_now, elem_id="tf-desk-now", waiting="Waiting for the first round.")
    declare_endpoints(page.services)


PAGE = Page(title="Chat", path="chat", order=15, build=build)
"""Talking with desks, and answering them."""
