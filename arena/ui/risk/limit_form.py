"""Changing a limit while trading goes on: two steps, a reason, and the rules of the board."""

import gradio as gr

from arena.access import Caller, Role
from arena.risk.limit_use import changeable
from arena.settings import Settings
from arena.ui.acts import checked, shown_refusals
from arena.ui.components.markup import element
from arena.wiring import live_limits
from trading.domain.errors import RequestError
from trading.domain.instants import iso
from trading.risk.limit_board import COOL_DOWN_MS, Kind

RULES = (
    "Tightening counts at once. Loosening back toward the house limit needs the tick and counts after "
    f"{COOL_DOWN_MS // 60_000} minutes; past the house limit only an override goes, which a second person approves: "
    "`tradefloor limits override`."
)


def limit_form(settings: Settings) -> None:
    """The form. What it changes reaches the running season at its next check."""
    house = changeable()
    choices = [(f"{name} (house {value})", name) for name, value in house.items()]
    with gr.Column(elem_classes="tf-form", elem_id="tf-limit-form"):
        with gr.Row():
            name = gr.Dropdown(choices, value=None, label="Limit", scale=2, min_width=180)
            value = gr.Textbox(label="New value", max_length=40, min_width=90)
        reason = gr.Textbox(label="Why: it stands in the record", max_length=200)
        with gr.Row(equal_height=True):
            confirm = gr.Checkbox(False, label="A looser value is meant", min_width=150)
            with gr.Row(elem_classes="tf-two-step", elem_id="tf-limit-steps"):
                change = gr.Button("Confirm change", elem_classes="tf-button tf-confirm", size="sm", min_width=0)
                gr.Button("Cancel", elem_classes="tf-button tf-cancel", size="sm", min_width=0)
                gr.Button("Change limit…", elem_classes="tf-button tf-arm", size="sm", min_width=0)
        gr.HTML(element("p", RULES, class_="tf tf-note tf-flush"), apply_default_css=False, js_on_load=None)

    def act(which: str | None, wanted: str, why: str, loosens: bool, request: gr.Request) -> None:
        with shown_refusals():
            said = changed(settings, which or "", wanted, why, confirm=loosens, caller=checked(request, Role.ADMIN))
        gr.Info(said)

    change.click(act, [name, value, reason, confirm], None, show_progress="hidden", api_visibility="private")


def changed(settings: Settings, name: str, value: str, why: str, *, confirm: bool, caller: Caller) -> str:
    """Set a limit and say in a line from when it counts. Raises RequestError for what the board does not allow."""
    caller.check(Role.ADMIN)
    if not name:
        raise RequestError("choose which limit to change")
    if not why.strip():
        raise RequestError("say why: the reason stands in the record beside your name")
    with live_limits(settings) as board:
        made = board.set(name, value, who=caller.name, reason=why, confirm=confirm)
    when = "counts from now on" if made.kind is Kind.TIGHTEN else f"counts from {iso(made.from_ms or 0)}"
    return f"{made.name}: {made.old} to {made.value}, {when}"
