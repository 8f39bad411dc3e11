"""Changing a proposal on the page: the fields are opened, and what stands in them is sent in their place."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from arena.access import Role
from arena.seasons.proposals import changed_intents, effects_of
from arena.seasons.reception import Reception
from arena.ui.acts import checked, shown_refusals
from arena.ui.components.edit_form import cannot_be, edit_form, gate_says
from arena.ui.components.markup import Html
from trading.domain.errors import RequestError, TradefloorError
from trading.risk.approvals import ApprovalBoard, Asked
from trading.risk.edits import LegChange

_MOST_CHARS = 20_000
_RUBBISH = "the page sent a change that is none; reload it"


def opening(board: ApprovalBoard) -> Callable[[str, gr.Request], tuple[Html, str]]:
    """The act of opening the fields of the proposal that is shown, with nothing tried yet."""

    def opened(proposal: str, request: gr.Request) -> tuple[Html, str]:
        with shown_refusals():
            checked(request, Role.TRADER)
            asked = _waiting(board, proposal)
            if asked is None:
                raise RequestError("the proposal has just changed; read it, then change it")
            effects = effects_of(asked, None)
            if not any(effects):
                raise RequestError("a proposal that cannot be read cannot be changed; reject it")
            return edit_form(asked, effects), ""

    return opened


def sending(board: ApprovalBoard) -> Callable[[str, str, gr.Request], tuple[str, str]]:
    """The act of sending what the fields hold, in the person's name and with a reason."""

    def send(told: str, reason: str, request: gr.Request) -> tuple[str, str]:
        with shown_refusals():
            caller = checked(request, Role.TRADER)
            proposal, changes = told_changes(told)
            said = " ".join(reason.split())
            if not said:
                raise RequestError("a change needs a reason; the desk is told it")
            asked = board.answer(proposal, approved=True, who=caller.name, reason=said, changes=changes)
        gr.Info(f"{asked.desk}: changed, and sent to the gate", title="Answered", duration=4)
        return "", ""

    return send


def trying(board: ApprovalBoard, reception: Reception | None) -> Callable[[str], Awaitable[Html | str]]:
    """What the gate would say to what is typed, where the desk sits in this house; nothing is sent by it."""

    async def tried(told: str) -> Html | str:
        try:
            proposal, changes = told_changes(told)
            asked = _waiting(board, proposal)
            if asked is None:
                return ""
            wanted = changed_intents(asked, changes)
            verdicts = await reception.ruling(asked.desk, asked.decision_id, wanted) if reception is not None else None
        except TradefloorError as error:
            return cannot_be(str(error))
        return "" if verdicts is None else gate_says(list(zip(wanted, verdicts, strict=True)))

    return tried


def _waiting(board: ApprovalBoard, proposal: str) -> Asked | None:
    return next((one for one in board.waiting() if one.proposal == proposal), None)


def told_changes(text: str) -> tuple[str, list[LegChange]]:
    """The proposal and the changes that the page's fields told. Raises RequestError for what they cannot have told."""
    try:
        told = json.loads(text) if len(text) <= _MOST_CHARS else None
    except ValueError:
        told = None
    if (
        not isinstance(told, dict)
        or not isinstance(told.get("proposal"), str)
        or not isinstance(told.get("legs"), list)
    ):
        raise RequestError(_RUBBISH)
    return told["proposal"], [_change(leg) for leg in told["legs"]]


def _change(told: Any) -> LegChange:
    if not isinstance(told, dict) or not isinstance(told.get("values"), dict):
        raise RequestError(_RUBBISH)
    leg, drop, values = told.get("leg"), told.get("drop"), told["values"]
    if (
        type(leg) is not int
        or type(drop) is not bool
        or not all(v is None or isinstance(v, str) for v in values.values())
    ):
        raise RequestError(_RUBBISH)
    return LegChange(leg=leg, drop=drop, values={} if drop else values)
