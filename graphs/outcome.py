"""From the final state of the graph to the Decision that the engine gets."""

from typing import Any

from agents.schemas.executor import Action, IntentAnswer
from agents.schemas.risk import Stance
from graphs.gate import ruled_intent
from graphs.seat import Seat
from graphs.state import DeskState, Json, proposals_before
from graphs.team import DeskTeam
from trading.domain import (
    Approval,
    Decision,
    DecisionStatus,
    Dissent,
    Forecast,
    IntentEdit,
    ModelCall,
    RuledIntent,
    ToolCall,
    TradeIntent,
)

_NOTE_CHARS = 600


def decision_of(state: DeskState, *, team: DeskTeam, seat: Seat, waiting: bool, latency_ms: float) -> Decision:
    """The decision that ``state`` amounts to: acted, held, or abstained with the reason.

    ``waiting`` says that a proposal stands before a person whom nobody asked.
    """
    status, reason, rationale = _ending(state, waiting=waiting)
    executor = state.get("executor")
    rulings = (state.get("rulings") or ()) if status is DecisionStatus.ACTED else ()
    model_calls = tuple(ModelCall(**call) for call in state.get("model_calls", ()))
    return Decision(
        decision_id=seat.decision_id,
        desk=team.name,
        round_index=seat.round_index,
        status=status,
        intents=tuple(_intent(ruling) for ruling in rulings),
        superseded=_superseded(state, status),
        forecasts=_forecasts(state.get("forecaster")),
        confidence=executor["confidence"] if executor else None,
        rationale=rationale,
        abstain_reason=reason,
        prompt_hash=team.prompt_hash,
        path=tuple(state.get("path", ())),
        notes=_notes(state),
        dissent=tuple(Dissent(**one) for one in state.get("dissent", ())),
        model_calls=model_calls,
        tool_calls=tuple(ToolCall(**call) for call in state.get("tool_calls", ())),
        substituted=_substituted(model_calls),
        approvals=tuple(map(_approval, state.get("approvals", ()))),
        latency_ms=latency_ms,
    )


def objected_again(state: DeskState) -> bool:
    """Whether the risk officer objects although the desk has looked again already."""
    risk = state.get("risk")
    return bool(risk and risk["stance"] == Stance.OBJECT and state.get("objection"))


def _ending(state: DeskState, *, waiting: bool) -> tuple[DecisionStatus, str | None, str]:
    failure = state.get("failure")
    if failure:
        return DecisionStatus.ABSTAINED, f"{failure['role']}: {failure['reason']}", ""
    risk, executor = state.get("risk"), state.get("executor")
    if risk and objected_again(state):
        return DecisionStatus.HELD, None, f"The risk officer objected twice: {risk['objection']}"
    if executor is None:
        return DecisionStatus.ABSTAINED, "graph: ended before the executor spoke", ""
    rationale = str(executor["rationale"])
    if executor["action"] == Action.HOLD:
        return DecisionStatus.HELD, None, rationale
    if waiting:
        return DecisionStatus.ABSTAINED, "approval: nobody was there to approve", rationale
    for last in (state.get("approvals") or ())[-1:]:
        if last["by"] is None:
            return DecisionStatus.ABSTAINED, "approval: nobody answered in time", rationale
        if not last["approved"]:
            note = f": {last['note']}" if last["note"] else ""
            return DecisionStatus.HELD, None, f"{rationale} (not approved by {last['by']}{note})"
    return DecisionStatus.ACTED, None, rationale


def _approval(answer: Json) -> Approval:
    return Approval(**{**answer, "edits": tuple(IntentEdit.of(edit) for edit in answer["edits"])})


def _substituted(calls: tuple[ModelCall, ...]) -> tuple[tuple[str, str], ...]:
    """The fallbacks that gave an answer, each once for the role it answered for."""
    answered = [(call.role, call.substitute) for call in calls if call.substitute and call.outcome == "ok"]
    return tuple(dict.fromkeys((role, model) for role, model in answered if model))


def _superseded(state: DeskState, status: DecisionStatus) -> tuple[RuledIntent, ...]:
    """Proposals that were revised or changed, and the last one where a person did not approve it."""
    last = state.get("rulings") or [] if status is not DecisionStatus.ACTED else []
    attempts = enumerate([*proposals_before(state), last])
    return tuple(
        ruled_intent(ruling, _intent(ruling), attempt=attempt) for attempt, rulings in attempts for ruling in rulings
    )


def _intent(ruling: Json) -> TradeIntent:
    return IntentAnswer.model_validate(ruling["intent"], strict=False).intent()


def _forecasts(report: Json | None) -> tuple[Forecast, ...]:
    return tuple(Forecast(**row) for row in report["forecasts"]) if report else ()


def _notes(state: DeskState) -> tuple[tuple[str, str], ...]:
    said: dict[str, Any] = {
        "analyst": (state.get("analyst") or {}).get("summary"),
        "forecaster": (state.get("forecaster") or {}).get("summary"),
        "risk": (state.get("risk") or {}).get("summary"),
        "objection": state.get("objection"),
        "dissent": "; ".join(f"{one['role']} {one['model']} said {one['said']}" for one in state.get("dissent", ())),
        "failure": (state.get("failure") or {}).get("detail"),
    }
    return tuple((role, str(text)[:_NOTE_CHARS]) for role, text in said.items() if text)
