"""The nodes of the desk graph: one for each role, one for the gate, one for a person's approval, one for their changes.

The node runner here is the border at which a failure becomes an abstention with a name.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.brief import round_facts
from agents.consensus import Rule
from agents.llm import Complete
from agents.panel import run_panel
from agents.schemas import ExecutorDecision
from agents.turn import CallLog, run_role
from graphs.gate import amended, rule_on
from graphs.seat import Seat
from graphs.state import DeskState, Json, call_as_json, proposals_before
from graphs.team import DeskTeam
from trading.domain.errors import CassetteMiss, JournalError, ModelFailure, ToolFailure

_LOG = logging.getLogger("tradefloor.graphs")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRun:
    """The live objects of one decision; never checkpointed. ``deadline`` is on the monotonic clock, in seconds."""

    team: DeskTeam
    seat: Seat
    complete: Complete
    deadline: float
    facts: Json = field(repr=False)


class Node(Protocol):
    """A step of the graph: the state in, what it changes out."""

    def __call__(self, state: DeskState, *, runtime: Runtime[DeskRun]) -> Awaitable[Json]:
        """Run the step."""
        ...


Work = Callable[[DeskState, DeskRun, CallLog], Awaitable[Json]]


def facts_of(seat: Seat) -> Json:
    """The facts that every role of the seat is told."""
    view = seat.tools.view
    return round_facts(
        seat.brief,
        seat.tools.instruments,
        season=seat.season,
        round_number=seat.round_index + 1,
        rounds=seat.rounds,
        as_of_ms=view.as_of_ms,
        source=view.source,
    )


def runner(name: str, work: Work) -> Node:
    """``work`` as a node: it does nothing once the round has failed, and turns its own failure into one."""

    async def node(state: DeskState, *, runtime: Runtime[DeskRun]) -> Json:
        if state.get("failure"):
            return {}
        log = CallLog()
        try:
            update = await work(state, runtime.context, log)
        except (GraphBubbleUp, CassetteMiss, JournalError):  # records that are missing or cannot be kept end the run
            raise
        except ModelFailure as failure:
            update = {"failure": {"role": name, "reason": failure.reason, "detail": str(failure)}}
        except ToolFailure as failure:
            update = {"failure": {"role": name, "reason": "tool_failure", "detail": str(failure)}}
        except Exception as error:  # noqa: BLE001  (the named border: a bug of ours must not end the season)
            kind = type(error).__name__
            where = runtime.context.seat.decision_id
            _LOG.error("node %s of %s: %s: %s", name, where, kind, error, exc_info=_LOG.isEnabledFor(logging.DEBUG))
            update = {"failure": {"role": name, "reason": f"internal_error: {kind}", "detail": str(error)[:500]}}
        return {
            **update,
            "path": [name],
            "model_calls": [call_as_json(call) for call in log.model_calls],
            "tool_calls": [call_as_json(call) for call in log.tool_calls],
        }

    node.__name__ = name
    return node


def role_node(role: str) -> Node:
    """The node in which ``role`` speaks and its answer enters the state; it is silent where its team says so."""

    async def work(state: DeskState, run: DeskRun, log: CallLog) -> Json:
        members = run.team.members[role]
        given: Json = {
            "facts": run.facts,
            "record": run.seat.brief.own_record,
            "feedback": list(run.seat.brief.feedback),
            "analyst": state.get("analyst"),
            "forecaster": state.get("forecaster"),
            "risk": state.get("risk"),
            "objection": state.get("objection"),
            "revision": state.get("superseded"),
        }
        slots = {slot: given[slot] for slot in members[0].prompt.slots}
        context = run.seat.tools
        if len(members) == 1:
            answer = await run_role(
                members[0], slots, context=context, complete=run.complete, deadline=run.deadline, log=log
            )
            return {role: answer.model_dump(mode="json")}
        found = await run_panel(
            members,
            slots,
            # Real money moves only where every member of the panel wants the same.
            rule=Rule.UNANIMOUS if context.view.source == "live" else run.team.rule,
            context=context,
            complete=run.complete,
            deadline=run.deadline,
            log=log,
        )
        return {role: found.answer.model_dump(mode="json"), "dissent": [asdict(one) for one in found.dissent]}

    speak = runner(role, work)

    async def node(state: DeskState, *, runtime: Runtime[DeskRun]) -> Json:
        return await speak(state, runtime=runtime) if role in runtime.context.team.speaking else {}

    return node


async def _gate(state: DeskState, run: DeskRun, _: CallLog) -> Json:
    decision = ExecutorDecision.model_validate(state["executor"], strict=False)
    return {"rulings": rule_on(decision.intents, run.seat.tools.preview)}


async def _revise(state: DeskState, _run: DeskRun, _: CallLog) -> Json:
    return {"superseded": state["rulings"], "rulings": None}


async def _object(state: DeskState, _run: DeskRun, _: CallLog) -> Json:
    risk: Any = state["risk"]
    return {"objection": risk["objection"]}


async def _approve(state: DeskState, run: DeskRun, _: CallLog) -> Json:
    executor: Any = state["executor"]
    answer = interrupt({"rulings": state["rulings"], "rationale": executor["rationale"]})
    return {"approvals": [{**answer, "attempt": len(proposals_before(state))}]}


async def _amend(state: DeskState, run: DeskRun, _: CallLog) -> Json:
    before = state["rulings"] or []
    wanted = amended(before, state["approvals"][-1])
    return {"amended": [before], "rulings": rule_on(wanted, run.seat.tools.preview)}


gate_node = runner("gate", _gate)
revise_node = runner("revise", _revise)
object_node = runner("object", _object)
approve_node = runner("approve", _approve)
amend_node = runner("amend", _amend)
