"""Requests as a desk's role makes them, and an answer to them, for tests of the links between desk and model."""

import hashlib
from typing import Any

from pydantic_core import to_json

from agents.llm import Attempt, Completion, CompletionRequest, epoch_of

FORMAT = {"type": "json_schema", "json_schema": {"name": "report", "schema": {"type": "object"}}}


def asked(
    text: str = "What now?",
    *,
    desk: str = "one",
    role: str = "analyst",
    as_of: str = "2026-01-01T00:00:00Z",
    said: tuple[str, ...] = (),
    **fields: Any,
) -> CompletionRequest:
    """A request of a role: a system message, ``text``, and what was ``said`` since."""
    messages = [
        {"role": "system", "content": f"You are the {role}."},
        {"role": "user", "content": text},
        *({"role": "assistant", "content": words} for words in said),
    ]
    stated: dict[str, Any] = {
        "model": "maker/model",
        "messages": messages,
        "tools": (),
        "tool_choice": "auto",
        "response_format": FORMAT,
        "seed": 7,
        "timeout_s": 10.0,
        "prompt_sha256": hashlib.sha256(to_json(messages)).hexdigest(),
        "tools_sha256": "none",
        "max_tokens": 4096,
        "epoch": epoch_of(desk, as_of),
        "metadata": {"desk": desk, "role": role},
    }
    return CompletionRequest(**stated | fields)


def answer(content: str = "{}", *, usd: float | None = 0.25, tokens_in: int = 100, **fields: Any) -> Completion:
    """An answer after a first attempt that was turned away."""
    tried = (
        Attempt(model="maker/model", outcome="rate_limited", tokens_in=0, tokens_out=0, usd=0.0, latency_ms=3.5),
        Attempt(
            model="maker/model",
            outcome="ok",
            model_answered="model-2026",
            tokens_in=tokens_in,
            tokens_out=10,
            usd=usd,
            latency_ms=120.25,
        ),
    )
    stated: dict[str, Any] = {
        "content": content,
        "tool_requests": (),
        "finish_reason": "stop",
        "refusal": None,
        "model_answered": "model-2026",
        "tokens_in": tokens_in,
        "tokens_out": 10,
        "usd": usd,
        "attempts": tried,
    }
    return Completion(**stated | fields)
