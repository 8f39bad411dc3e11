"""Looking back: a model says of decisions that have closed what was expected, what happened, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from agents.llm import Complete
from agents.schemas import LookBack, ReflectionReport
from agents.spec import AgentSpec
from agents.turn import CallLog, RoleAgent, run_role
from prompts import load_prompt
from tools.context import ToolContext
from trading.domain.errors import ModelFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A decision that has closed: ``facts`` as measured, in plain JSON values, and the desk's ``note`` from then."""

    facts: Mapping[str, object]
    note: str


@cache
def reflection_spec() -> AgentSpec:
    """Who looks back: it has no tools, for what it may know is given to it."""
    return AgentSpec(
        role="reflection",
        prompt="reflection/default",
        tools=(),
        reads=("notes",),
        answer=ReflectionReport,
        answer_name="reflection_report",
    )


def reflector(model: str, *, seed: int) -> RoleAgent:
    """The agent that looks back with the mind of ``model``."""
    spec = reflection_spec()
    return RoleAgent(spec=spec, prompt=load_prompt(spec.prompt), model=model, seed=seed)


async def look_back(
    agent: RoleAgent,
    closed: Sequence[Closed],
    *,
    context: ToolContext,
    complete: Complete,
    deadline: float,
    log: CallLog,
) -> Mapping[int, LookBack]:
    """What ``agent`` says of each of ``closed``, by its place in the sequence; places it left out are missing.

    ``log`` is filled on the way. Raises ModelFailure when the model could not be reached, refused, or gave no valid
    answer after one repair.
    """
    numbered = list(enumerate(closed, start=1))
    slots = {
        "facts": {
            "desk": context.account.desk,
            "as_of": context.as_of,
            "decisions": [{"number": number, **one.facts} for number, one in numbered],
        },
        "notes": {str(number): one.note for number, one in numbered},
    }
    answer = await run_role(agent, slots, context=context, complete=complete, deadline=deadline, log=log)
    if not isinstance(answer, ReflectionReport):
        raise ModelFailure(f"{agent.model} answered another form", reason="invalid_answer")
    return {one.number - 1: one for one in answer.reflections if one.number <= len(closed)}
