"""The panel in which a person approves, changes or rejects what a desk proposes."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from arena.access import Role
from arena.seasons.proposals import effects_of
from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services
from arena.ui.acts import checked, shown_refusals
from arena.ui.chat.editing import opening, sending, trying
from arena.ui.chat.talking import AT_ONCE
from arena.ui.components.approval import waiting_panel
from arena.ui.components.markup import Html
from arena.ui.live import LivePage
from trading.domain.errors import RequestError
from trading.risk.approvals import ApprovalBoard, Asked

_ANSWER = "(_, reason) => [window.tfChat.proposal(), reason]"
_OPEN = "() => [window.tfChat.opened()]"
_TYPED = "() => [window.tfChat.edited()]"
_SEND = "(_, reason) => [window.tfChat.edited(), reason]"
_ACT: dict[str, Any] = {"concurrency_limit": AT_ONCE, "show_progress": "hidden", "api_visibility": "private"}
_MAX_REASON_CHARS = 200
_UNSAID = "approved on the page"


def build_approvals(page: LivePage) -> None:
    """What waits, with a line for the reason, a button each way, and fields that open to change it."""
    board = ApprovalBoard(page.services.settings.home)
    page.clocked_html(_waiting(page.services, board), elem_id="tf-waiting")
    with gr.Column(elem_id="tf-answering"):
        proposal = gr.Textbox("", visible="hidden", container=False)
        typed = gr.Button("", visible="hidden", elem_id="tf-edit-typed")
        form = gr.HTML("", elem_id="tf-edit-form", apply_default_css=False, padding=False)
        gate = gr.HTML("", elem_id="tf-edit-gate", apply_default_css=False, padding=False)
        reason = gr.Textbox(
            label="Reason",
            show_label=False,
            placeholder="Reason, needed to change or reject",
            container=False,
            max_length=_MAX_REASON_CHARS,
            elem_id="tf-reason",
            elem_classes="tf-question",
        )
        with gr.Row(elem_classes="tf-answer-row"):
            approve = gr.Button("Approve", elem_classes="tf-button tf-primary", size="sm", min_width=0)
            edit = gr.Button("Edit…", elem_classes="tf-button", size="sm", min_width=0)
            reject = gr.Button("Reject", elem_classes="tf-button", size="sm", min_width=0)
        with gr.Row(elem_classes="tf-answer-row tf-edit-row"):
            send = gr.Button("Send changed", elem_classes="tf-button tf-primary", size="sm", min_width=0)
            cancel = gr.Button("Cancel", elem_classes="tf-button", size="sm", min_width=0, elem_id="tf-edit-cancel")
    for button, approved in ((approve, True), (reject, False)):
        button.click(answering(board, approved=approved), [proposal, reason], reason, js=_ANSWER, **_ACT)
    edit.click(opening(board), proposal, [form, gate], js=_OPEN, **_ACT)
    typed.click(trying(board, page.services.reception), proposal, gate, js=_TYPED, trigger_mode="always_last", **_ACT)
    send.click(sending(board), [proposal, reason], [form, reason], js=_SEND, **_ACT)
    cancel.click(None, None, form, js="() => ''", show_progress="hidden", api_visibility="private")


def answering(board: ApprovalBoard, *, approved: bool) -> Callable[[str, str, gr.Request], str]:
    """The act of a person who may answer: under their name, with a reason, and only while the proposal waits."""

    def answer(proposal: str, reason: str, request: gr.Request) -> str:
        with shown_refusals():
            caller = checked(request, Role.TRADER)
            if not proposal:
                raise RequestError("the proposal has just changed; read it, then answer again")
            said = " ".join(reason.split()) or (_UNSAID if approved else "")
            if not said:
                raise RequestError("a rejection needs a reason; the desk is told it")
            asked = board.answer(proposal, approved=approved, who=caller.name, reason=said)
        gr.Info(f"{asked.desk}: {'approved' if approved else 'rejected'}", title="Answered", duration=4)
        return ""

    return answer


def _waiting(services: Services, board: ApprovalBoard) -> Callable[[FloorSnapshot | None, int], Html]:
    def waiting(snapshot: FloorSnapshot | None, now_ms: int) -> Html:
        found: list[tuple[Asked, Any]] = []
        for asked in board.waiting():
            seat = services.reception.seated(asked.desk) if services.reception is not None else None
            found.append((asked, effects_of(asked, seat)))
        return waiting_panel(found, now_ms, halted=snapshot is not None and snapshot.halt_reason is not None)

    return waiting
