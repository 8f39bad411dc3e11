"""The desk graph: explicit routes between the roles, every loop of models taken at most once.

What a person changed goes through the gate, and comes back to a person where the gate says no.
"""

from collections.abc import Sequence
from dataclasses import asdict
from time import monotonic, perf_counter
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot

from agents.llm import Complete, complete
from agents.llm.observe import Attributes, span
from agents.schemas.executor import Action
from agents.schemas.risk import Stance
from graphs.gate import has_news, needs_revision
from graphs.nodes import DeskRun, amend_node, approve_node, facts_of, gate_node, object_node, revise_node, role_node
from graphs.outcome import decision_of, objected_again
from graphs.seat import Proposal, Seat
from graphs.state import DeskState
from graphs.team import DeskTeam
from trading.domain import Decision, money_text

Durability = Literal["exit", "sync"]
_STEPS_AT_MOST = 20


async def after_risk(state: DeskState) -> Sequence[str]:
    """To the executor; on a first objection back to the first two; out when the round failed or risk objects again."""
    if state.get("failure") or objected_again(state):
        return [END]
    risk = state.get("risk")
    return ["object"] if risk and risk["stance"] == Stance.OBJECT else ["executor"]


async def after_executor(state: DeskState) -> str:
    """To the gate with a proposal, out with a hold."""
    executor = state.get("executor")
    trades = not state.get("failure") and executor is not None and executor["action"] == Action.TRADE
    return "gate" if trades else END


async def after_gate(state: DeskState) -> str:
    """Once back to the executor when an intent was not let through as asked; then to a person, where one approves."""
    if state.get("failure"):
        return END
    if needs_revision(state.get("rulings") or ()) and not state.get("superseded"):
        return "revise"
    return "approve" if state.get("needs_approval") else END


async def after_approve(state: DeskState) -> str:
    """Out with a yes or a no; to the gate again with what a person changed."""
    answers = state.get("approvals")
    if state.get("failure") or not answers:
        return END
    return "amend" if answers[-1]["approved"] and answers[-1]["edits"] else END


async def after_amend(state: DeskState) -> str:
    """Out when the gate lets through what was changed; back to a person where it does not."""
    if state.get("failure"):
        return END
    return "approve" if has_news(state.get("rulings") or (), state["amended"][-1]) else END


def build_graph() -> "StateGraph[DeskState, DeskRun, DeskState, DeskState]":
    """The graph of a desk, not yet compiled."""
    graph = StateGraph(DeskState, context_schema=DeskRun)
    for role in ("analyst", "forecaster", "risk", "executor"):
        graph.add_node(role, role_node(role))
    graph.add_node("object", object_node)
    graph.add_node("gate", gate_node)
    graph.add_node("revise", revise_node)
    graph.add_node("approve", approve_node)
    graph.add_node("amend", amend_node)
    for source in (START, "object"):
        graph.add_edge(source, "analyst")
        graph.add_edge(source, "forecaster")
    graph.add_edge(["analyst", "forecaster"], "risk")
    graph.add_conditional_edges("risk", after_risk, ["object", "executor", END])
    graph.add_conditional_edges("executor", after_executor, ["gate", END])
    graph.add_conditional_edges("gate", after_gate, ["revise", "approve", END])
    graph.add_edge("revise", "executor")
    graph.add_conditional_edges("approve", after_approve, ["amend", END])
    graph.add_conditional_edges("amend", after_amend, ["approve", END])
    return graph


class DeskGraph:
    """The compiled graph, shared by all desks.

    ``durability`` is ``"exit"`` where no order can leave (replay, simulation) and ``"sync"`` elsewhere. ``complete``
    answers model requests; the default asks through LiteLLM.
    """

    def __init__(
        self,
        checkpointer: "BaseCheckpointSaver[Any] | None",
        durability: Durability,
        complete: Complete = complete,
    ) -> None:
        self._graph: CompiledStateGraph[DeskState, DeskRun, DeskState, DeskState] = build_graph().compile(
            checkpointer=checkpointer
        )
        self._checkpointer = checkpointer
        self._durability = durability
        self._complete = complete

    async def decide(self, team: DeskTeam, seat: Seat) -> Decision:
        """The desk's decision in this round.

        A thread that was interrupted goes on from its last checkpoint; one that is complete gives its decision
        without a new call. A failing model, tool or node makes an abstention, not an exception.
        """
        about: Attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "desk",
            "gen_ai.conversation.id": seat.decision_id,
            "tradefloor.desk": team.name,
            "tradefloor.round": seat.round_index,
        }
        with span("invoke_workflow desk", about) as whole:
            decision = await self._decide(team, seat)
            whole.note({"tradefloor.status": decision.status.value})
            if decision.abstain_reason is not None:
                whole.fail(decision.abstain_reason)
            return decision

    async def _decide(self, team: DeskTeam, seat: Seat) -> Decision:
        started = perf_counter()
        config: RunnableConfig = {"configurable": {"thread_id": seat.thread_id}, "recursion_limit": _STEPS_AT_MOST}
        run = DeskRun(
            team=team,
            seat=seat,
            complete=self._complete,
            deadline=monotonic() + seat.brief.deadline_s,
            facts=facts_of(seat),
        )
        found = await self._checkpointed(config)
        if found is None:
            state, waiting = await self._go(DeskState(needs_approval=seat.needs_approval), config, run)
        elif found.next and not found.interrupts:
            state, waiting = await self._go(None, config, run)
        else:
            state, waiting = cast(DeskState, found.values), bool(found.interrupts)
        while waiting and seat.approver is not None:
            answer = await seat.approver(_proposal(state, team, seat))
            state, waiting = await self._go(Command(resume=asdict(answer)), config, run)
        took_ms = (perf_counter() - started) * 1000
        return decision_of(state, team=team, seat=seat, waiting=waiting, latency_ms=took_ms)

    async def _checkpointed(self, config: RunnableConfig) -> StateSnapshot | None:
        """Where the thread stands, None when it was never begun."""
        if self._checkpointer is None or await self._checkpointer.aget_tuple(config) is None:
            return None
        return await self._graph.aget_state(config)

    async def _go(
        self, given: "DeskState | Command[Any] | None", config: RunnableConfig, run: DeskRun
    ) -> tuple[DeskState, bool]:
        durability = self._durability if self._checkpointer is not None else None
        state = await self._graph.ainvoke(given, config, context=run, durability=durability)
        return cast(DeskState, state), "__interrupt__" in state


def draw() -> str:
    """The graph as a Mermaid diagram, for the documentation."""
    return build_graph().compile().get_graph().draw_mermaid()


def _proposal(state: DeskState, team: DeskTeam, seat: Seat) -> Proposal:
    executor, rulings = state.get("executor") or {}, state.get("rulings") or ()
    traded = {ruling["intent"]["instrument"] for ruling in rulings}
    return Proposal(
        decision_id=seat.decision_id,
        desk=team.name,
        round_index=seat.round_index,
        rulings=tuple(rulings),
        rationale=str(executor.get("rationale", "")),
        lots={name: money_text(one.lot) for name, one in seat.tools.instruments.items() if name in traded},
        changed=tuple(
            {"by": answer["by"], "proposal": answer["proposal"], **edit}
            for answer in state.get("approvals", ())
            for edit in answer["edits"]
        ),
    )
