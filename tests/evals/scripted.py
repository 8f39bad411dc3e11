"""Models made of functions: what each role says, decided by the test from what it was sent. No provider is asked."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.llm import Completion, CompletionRequest, ToolRequest

Answer = Mapping[str, Any] | str
Speak = Callable[[CompletionRequest], Answer]

HOLD = {"action": "hold", "intents": [], "confidence": 0.5, "rationale": "Nothing to change."}
_DEFAULTS: Mapping[str, Answer] = {
    "analyst": {"summary": "Nothing stands out.", "signals": [], "confidence": 0.1},
    "forecaster": {"summary": "No forecast.", "forecasts": []},
    "risk": {"stance": "proceed", "max_gross_leverage": None, "objection": None, "summary": "No limit is near."},
    "executor": HOLD,
    "desk": "Nothing to say.",
}


def order(instrument: str, side: str, quantity: str) -> dict[str, Any]:
    """A market order as an executor answers it."""
    return {
        "instrument": instrument,
        "side": side,
        "quantity": quantity,
        "order_type": "market",
        "limit_price": None,
        "reduce_only": False,
        "good_for_rounds": 1,
        "reason": "scripted",
    }


def trade(*intents: Mapping[str, Any], rationale: str = "Scripted.") -> dict[str, Any]:
    """An executor's decision to trade."""
    return {"action": "trade", "intents": list(intents), "confidence": 0.6, "rationale": rationale}


def calls(*asked: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Tool calls in one message."""
    return {"calls": list(asked)}


@dataclass
class Scripted:
    """Answers each role by its function, else with nothing in particular. ``usd`` is the price of a call."""

    roles: Mapping[str, Speak] = field(default_factory=dict)
    usd: float = 0.001
    asked: int = 0

    async def __call__(self, request: CompletionRequest) -> Completion:
        self.asked += 1
        role = request.metadata["role"]
        said = self.roles[role](request) if role in self.roles else _DEFAULTS[role]
        wanted = said.get("calls") if isinstance(said, Mapping) else None
        text = "" if wanted else said if isinstance(said, str) else json.dumps(said)
        return Completion(
            content=text,
            tool_requests=tuple(
                ToolRequest(call_id=f"call_{at}", name=name, arguments_json=json.dumps(arguments))
                for at, (name, arguments) in enumerate(wanted or ())
            ),
            finish_reason="tool_calls" if wanted else "stop",
            refusal=None,
            model_answered=request.model,
            tokens_in=100,
            tokens_out=20,
            usd=self.usd,
        )


def looked(request: CompletionRequest) -> bool:
    """Whether a tool has answered in this conversation."""
    return any(message["role"] == "tool" for message in request.messages)


def text_of(request: CompletionRequest) -> str:
    """All that was sent, but the system's own words."""
    return "\n".join(str(message.get("content")) for message in request.messages if message["role"] != "system")


def system_of(request: CompletionRequest) -> str:
    """The instructions."""
    return "\n".join(str(message["content"]) for message in request.messages if message["role"] == "system")


def facts_of(request: CompletionRequest) -> dict[str, Any]:
    """The facts of the round."""
    body = text_of(request).split('<facts name="facts">\n')[1].split("\n</facts>")[0]
    found: dict[str, Any] = json.loads(body)
    return found


def symbols_of(request: CompletionRequest) -> Sequence[str]:
    """The instruments of the round."""
    return [row["symbol"] for row in facts_of(request)["instruments"]]
