"""How a house model plays a role: first the tools the role needs, all at once, then the structured answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from agents.llm.house.conversation import Conversation
from agents.llm.house.executor import decide
from agents.llm.house.reports import analyse, forecast, weigh
from agents.llm.house.spokesman import CALLS, report
from agents.llm.house.strategies import Strategy

Answer = dict[str, Any]

_RECALL = ("recall_similar", '{"count":1}')
"""Asked for where the desk has memory, and by analysts only of strategies that go by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Tool calls (name and JSON arguments), or content."""

    content: str | None = None
    calls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The tools of a role with their arguments, and its answer."""

    calls: tuple[tuple[str, str], ...]
    answer: Callable[[Conversation, Strategy], Answer]


@cache
def scripts() -> Mapping[str, Script]:
    """The script of each role, by the name of the answer it is asked for."""
    return MappingProxyType(
        {
            "analyst_report": Script(calls=(("get_indicators", "{}"), _RECALL), answer=analyse),
            "forecaster_report": Script(calls=(("get_forecast", '{"horizon":"4h"}'),), answer=forecast),
            "risk_report": Script(
                calls=(("get_account", "{}"), ("get_risk", "{}"), ("get_limits", "{}")),
                answer=weigh,
            ),
            "executor_decision": Script(
                calls=(("get_account", "{}"), ("get_positions", "{}"), ("get_quote", "{}"), _RECALL),
                answer=decide,
            ),
        }
    )


def reply_to(conversation: Conversation, strategy: Strategy) -> Reply:
    """The next message of the model that plays ``strategy``. The name of the asked-for schema tells it its role.

    Who asks for no schema is a person, and gets a report.
    """
    script = scripts().get(conversation.answer_name)
    wanted = tuple(call for call in (script.calls if script else CALLS) if call[0] in conversation.offered)
    if conversation.answer_name == "analyst_report" and strategy.recall is None:
        wanted = tuple(call for call in wanted if call != _RECALL)
    settled = conversation.asked or conversation.slots.get("revision") is not None
    if wanted and not settled:
        return Reply(calls=wanted)
    if script is None:
        return Reply(content=report(conversation, strategy))
    return Reply(content=to_json(script.answer(conversation, strategy)).decode())
