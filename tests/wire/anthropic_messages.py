"""The wire format of Anthropic messages."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.wire.bill import Usage
from tests.wire.faults import Fault
from tests.wire.loopback import HttpRequest
from tests.wire.talk import Ask, Offer, Reply, Said

_PIECE_CHARS = 40
_ERRORS: Mapping[Fault, tuple[str, str]] = {
    Fault.RATE_LIMITED: ("rate_limit_error", "This request would exceed your account's rate limit."),
    Fault.RATE_LIMITED_RETRY_AFTER: ("rate_limit_error", "This request would exceed your account's rate limit."),
    Fault.SERVER_ERROR: ("api_error", "Internal server error"),
    Fault.UNAVAILABLE: ("api_error", "Service unavailable"),
    Fault.OVERLOADED: ("overloaded_error", "Overloaded"),
    Fault.BAD_KEY: ("authentication_error", "invalid x-api-key: {key}"),
    Fault.UNKNOWN_MODEL: ("not_found_error", "model: no such model"),
    Fault.BAD_REQUEST: ("invalid_request_error", "messages.0: input is not valid"),
    Fault.CONTEXT_WINDOW: ("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    Fault.ERROR_IN_200: ("api_error", "Internal server error"),
}


class AnthropicMessages:
    """Reads and writes ``/v1/messages``."""

    root = ""
    stream_type = "text/event-stream"
    caches = False
    thinks = False
    wants_key = True

    def key(self, request: HttpRequest) -> str:
        """The key that came with the request."""
        return request.headers.get("x-api-key", "")

    def lookup(self, request: HttpRequest, models: tuple[str, ...]) -> object | None:
        """The answer to a request that calls no model, None where it is none of those."""
        if request.method != "GET" or request.path != "/v1/models":
            return None
        rows = [{"type": "model", "id": model, "display_name": model} for model in models]
        return {"data": rows, "has_more": False, "first_id": models[0], "last_id": models[-1]}

    def ask(self, request: HttpRequest) -> Ask | None:
        """The request in neutral terms, None where the path calls no model. ValueError for what the API refuses."""
        if request.path != "/v1/messages":
            return None
        body = request.json()
        if "anthropic-version" not in request.headers or body["max_tokens"] < 1:
            raise ValueError("anthropic-version and max_tokens are required")
        choice = body.get("tool_choice") or {}
        wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        tools = [] if choice.get("type") == "none" else body.get("tools") or []
        said = _said(body["messages"])
        if any(turn.role == "tool" for turn in said) and "tools" not in body:
            raise ValueError("tool results without tools")
        return Ask(
            model=body["model"],
            said=(Said(role="system", text=_text(body["system"])), *said) if body.get("system") else said,
            offers=tuple(Offer(name=tool["name"], parameters=tool["input_schema"]) for tool in tools),
            forced=choice["name"] if choice.get("type") == "tool" else None,
            schema=wanted["schema"] if wanted.get("type") == "json_schema" else None,
            streamed=bool(body.get("stream")),
            marks_cache=b'"cache_control"' in request.body,
        )

    def said(self, reply: Reply) -> Reply:
        """The reply as this maker gives it: who declines says nothing, and that is in the stop reason."""
        return Reply(refused=True) if reply.refused else reply

    def answer(self, ask: Ask, reply: Reply, usage: Usage) -> object:
        """The body of a whole answer."""
        return {**_opening(ask, _usage(usage)), "content": _blocks(ask, reply), "stop_reason": _stop(reply)}

    def pieces(self, ask: Ask, reply: Reply, usage: Usage) -> Iterator[bytes]:
        """The events of a streamed answer."""
        yield _event("message_start", message=_opening(ask, {**_usage(usage), "output_tokens": 1}))
        yield _event("ping")
        for index, block in enumerate(_blocks(ask, reply)):
            spoken = block["type"] == "text"
            text = block["text"] if spoken else json.dumps(block["input"])
            delta, field = ("text_delta", "text") if spoken else ("input_json_delta", "partial_json")
            hollow = {**block, "text": ""} if spoken else {**block, "input": {}}
            yield _event("content_block_start", index=index, content_block=hollow)
            for start in range(0, len(text), _PIECE_CHARS):
                piece = {"type": delta, field: text[start : start + _PIECE_CHARS]}
                yield _event("content_block_delta", index=index, delta=piece)
            yield _event("content_block_stop", index=index)
        closing = {"stop_reason": _stop(reply), "stop_sequence": None}
        yield _event("message_delta", delta=closing, usage={"output_tokens": usage.completion})
        yield _event("message_stop")

    def error(self, fault: Fault, key: str) -> object:
        """The body of an error."""
        kind, message = _ERRORS[fault]
        return {"type": "error", "error": {"type": kind, "message": message.format(key=key)}, "request_id": "req_0"}

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Headers of every answer."""
        return {"request-id": f"req_{ask.digest[:24]}"}


def _said(messages: list[dict[str, Any]]) -> tuple[Said, ...]:
    said: list[Said] = []
    open_calls: dict[str, str] = {}
    for message in messages:
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        results = [block for block in blocks if block["type"] == "tool_result"]
        if {block["tool_use_id"] for block in results} != open_calls.keys():
            raise ValueError("each tool_use needs its tool_result in the next message, and each result its tool_use")
        said += [
            Said(role="tool", text=_text(block.get("content")), tool=open_calls[block["tool_use_id"]])
            for block in results
        ]
        uses = [block for block in blocks if block["type"] == "tool_use"]
        open_calls = {block["id"]: block["name"] for block in uses}
        spoken = [_text([block for block in blocks if block["type"] == "text"])]
        spoken += [f"{block['name']}({json.dumps(block['input'])})" for block in uses]
        if any(spoken):
            said.append(Said(role="assistant" if message["role"] == "assistant" else "user", text="\n".join(spoken)))
    return tuple(said)


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _blocks(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    for number, call in enumerate(reply.calls):
        use = {"type": "tool_use", "id": f"toolu_{ask.digest[:20]}{number}", "name": call.name}
        blocks.append({**use, "input": dict(call.arguments)})
    return blocks


def _stop(reply: Reply) -> str:
    if reply.refused or reply.filtered:
        return "refusal"
    if reply.cut:
        return "max_tokens"
    return "tool_use" if reply.calls else "end_turn"


def _opening(ask: Ask, usage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{ask.digest[:24]}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt - usage.cached - usage.cache_written,
        "cache_creation_input_tokens": usage.cache_written,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.completion,
        "service_tier": "standard",
    }


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
