"""What came of a request, an answer or a failure, as JSON and back: what a cassette holds."""

from typing import Any

import orjson

from agents.llm.request import Attempt, Completion, ToolRequest
from trading.domain.errors import JournalError, ModelFailure, ModelUnavailable

Outcome = Completion | ModelFailure


def outcome_json(outcome: Outcome) -> bytes:
    """``outcome`` as JSON, with every attempt."""
    if isinstance(outcome, Completion):
        return orjson.dumps({"answer": outcome})
    return orjson.dumps(
        {
            "failure": {
                "unavailable": isinstance(outcome, ModelUnavailable),
                "message": str(outcome),
                "reason": outcome.reason,
                "status": outcome.status,
                "retry_after_s": outcome.retry_after_s,
                "attempts": outcome.attempts,
            }
        }
    )


def read_outcome(text: bytes) -> Outcome:
    """The outcome that ``text`` holds, a new object each time. Raises JournalError for what is none."""
    try:
        held = orjson.loads(text)
        return _answer(held["answer"]) if "answer" in held else _failure(held["failure"])
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(
            f"a cassette holds an outcome that this version does not read ({error}); record it again"
        ) from error


def _answer(fields: dict[str, Any]) -> Completion:
    parts = {
        "tool_requests": tuple(ToolRequest(**request) for request in fields["tool_requests"]),
        "attempts": _attempts(fields),
    }
    return Completion(**{**fields, **parts})


def _failure(fields: dict[str, Any]) -> ModelFailure:
    kind = ModelUnavailable if fields["unavailable"] else ModelFailure
    return kind(
        fields["message"],
        reason=fields["reason"],
        status=fields["status"],
        retry_after_s=fields["retry_after_s"],
        attempts=_attempts(fields),
    )


def _attempts(fields: dict[str, Any]) -> tuple[Attempt, ...]:
    return tuple(Attempt(**attempt) for attempt in fields["attempts"])
