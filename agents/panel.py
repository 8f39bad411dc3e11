"""A role backed by several models: all of them take the whole turn at the same time, and their answers become one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from agents.consensus import Rule, Voice, combine, contradictions
from agents.llm import Complete
from agents.schemas import Answer
from agents.turn import CallLog, RoleAgent, run_role
from tools.context import ToolContext
from trading.domain import Dissent
from trading.domain.errors import ModelFailure, ToolFailure

TIME_SHARE = 0.5
"""Of the time that is left for the decision: a member that hangs must leave some to the roles that come after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelAnswer:
    """The answer of a panel, and every member that said otherwise or nothing."""

    answer: Answer
    dissent: tuple[Dissent, ...]


async def run_panel(
    members: Sequence[RoleAgent],
    slots: Mapping[str, object],
    *,
    rule: Rule,
    context: ToolContext,
    complete: Complete,
    deadline: float,
    log: CallLog,
) -> PanelAnswer:
    """The combined answer of ``members``. ``log`` gets the calls of all of them, in the order of the members.

    Raises ModelFailure when no more than half of them gave a valid answer within their share of the time.
    """
    now = monotonic()
    until = now + TIME_SHARE * (deadline - now)
    logs = [CallLog() for _ in members]

    async def ask(member: RoleAgent, own: CallLog) -> Voice | ModelFailure | ToolFailure:
        try:
            answer = await run_role(member, slots, context=context, complete=complete, deadline=until, log=own)
        except (ModelFailure, ToolFailure) as failure:
            return failure
        return Voice(model=member.model, answer=answer)

    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(member, own)) for member, own in zip(members, logs, strict=True)]
    except ExceptionGroup as errors:
        # What is not a failure of a model ends the turn as it would without a panel.
        raise errors.exceptions[0] from None
    finally:
        for own in logs:
            log.model_calls.extend(own.model_calls)
            log.tool_calls.extend(own.tool_calls)
    return _concluded(members, [task.result() for task in asked], rule)


def _concluded(
    members: Sequence[RoleAgent], replies: Sequence[Voice | ModelFailure | ToolFailure], rule: Rule
) -> PanelAnswer:
    role = members[0].spec.role
    voices = [reply for reply in replies if isinstance(reply, Voice)]
    if 2 * len(voices) <= len(members):
        reasons = [
            f"{member.model}: {_reason(reply)}"
            for member, reply in zip(members, replies, strict=True)
            if not isinstance(reply, Voice)
        ]
        raise ModelFailure(
            f"{len(voices)} of {len(members)} members of the panel answered, more than half are needed; "
            + "; ".join(reasons),
            reason="no_quorum",
        )
    answer = combine(voices, rule=rule, members=len(members))
    dissent = []
    for member, reply in zip(members, replies, strict=True):
        if not isinstance(reply, Voice):
            said = f"abstained: {_reason(reply)}"
            dissent.append(Dissent(role=role, model=member.model, said=said, combined=""))
        elif apart := contradictions(reply, answer):
            dissent.append(Dissent(role=role, model=member.model, said=apart[0], combined=apart[1]))
    return PanelAnswer(answer=answer, dissent=tuple(dissent))


def _reason(failure: ModelFailure | ToolFailure) -> str:
    return failure.reason if isinstance(failure, ModelFailure) else "tool_failure"
