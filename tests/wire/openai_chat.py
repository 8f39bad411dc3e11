"""The wire format of OpenAI chat completions, which many other makers speak too."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.wire.bill import Usage
from tests.wire.faults import Fault
from tests.wire.loopback import HttpRequest
from tests.wire.talk import Ask, Offer, Reply, Said

_PIECE_CHARS = 40
_CREATED = 1_790_000_000
_ERRORS: Mapping[Fault, tuple[str, str | None, str]] = {
    Fault.RATE_LIMITED: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    Fault.RATE_LIMITED_RETRY_AFTER: ("requests", "rate_limit_exceeded", "Rate limit reached. Try again in 1s."),
    Fault.SERVER_ERROR: ("server_error", None, "The server had an error while processing your request."),
    Fault.UNAVAILABLE: ("server_error", None, "The engine is currently overloaded, please try again later."),
    Fault.OVERLOADED: ("overloaded_error", None, "Overloaded"),
    Fault.BAD_KEY: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}."),
    Fault.UNKNOWN_MODEL: ("invalid_request_error", "model_not_found", "The model does not exist."),
    Fault.BAD_REQUEST: ("invalid_request_error", None, "Invalid value for 'messages'."),
    Fault.CONTEXT_WINDOW: (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
    ),
    Fault.ERROR_IN_200: ("server_error", None, "Provider returned error"),
}


class OpenAIChat:
    """Reads and writes ``/v1/chat/completions``."""

    root = "/v1"
    stream_type = "text/event-stream"
    caches = True
    thinks = True
    wants_key = True

    def key(self, request: HttpRequest) -> str:
        """The key that came with the request."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def lookup(self, request: HttpRequest, models: tuple[str, ...]) -> object | None:
        """The answer to a request that calls no model, None where it is none of those."""
        if request.method != "GET" or request.path != "/v1/models":
            return None
        rows = [{"id": model, "object": "model", "created": _CREATED, "owned_by": "maker"} for model in models]
        return {"object": "list", "data": rows}

    def ask(self, request: HttpRequest) -> Ask | None:
        """The request in neutral terms, None where the path calls no model."""
        if request.path != "/v1/chat/completions":
            return None
        body = request.json()
        choice = body.get("tool_choice")
        offers = [] if choice == "none" else [tool["function"] for tool in body.get("tools") or ()]
        wanted = body.get("response_format") or {}
        return Ask(
            model=body["model"],
            said=_said(body["messages"]),
            offers=tuple(Offer(name=offer["name"], parameters=offer.get("parameters") or {}) for offer in offers),
            forced=choice["function"]["name"] if isinstance(choice, dict) else None,
            schema=wanted["json_schema"]["schema"] if wanted.get("type") == "json_schema" else None,
            streamed=bool(body.get("stream")),
            wants_stream_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )

    def said(self, reply: Reply) -> Reply:
        """The reply as this maker gives it."""
        return reply

    def answer(self, ask: Ask, reply: Reply, usage: Usage) -> object:
        """The body of a whole answer."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text if reply.text and not reply.refused else None,
            "refusal": reply.text if reply.refused else None,
        }
        if reply.calls:
            message["tool_calls"] = _calls(ask, reply)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
        return {**_opening(ask, "chat.completion"), "choices": [choice], "usage": _usage(usage)}

    def pieces(self, ask: Ask, reply: Reply, usage: Usage) -> Iterator[bytes]:
        """The events of a streamed answer."""
        opening = _opening(ask, "chat.completion.chunk")

        def event(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
            return _event({**opening, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

        yield event({"role": "assistant", "content": "" if not reply.calls else None, "refusal": None})
        field = "refusal" if reply.refused else "content"
        for start in range(0, len(reply.text), _PIECE_CHARS):
            yield event({field: reply.text[start : start + _PIECE_CHARS]})
        for number, call in enumerate(_calls(ask, reply)):
            arguments = call["function"]["arguments"]
            yield event({"tool_calls": [{**call, "index": number, "function": {**call["function"], "arguments": ""}}]})
            for start in range(0, len(arguments), _PIECE_CHARS):
                piece = {"arguments": arguments[start : start + _PIECE_CHARS]}
                yield event({"tool_calls": [{"index": number, "function": piece}]})
        yield event({}, _finish(reply))
        if ask.wants_stream_usage:
            yield _event({**opening, "choices": [], "usage": _usage(usage)})
        yield b"data: [DONE]\n\n"

    def error(self, fault: Fault, key: str) -> object:
        """The body of an error."""
        kind, code, message = _ERRORS[fault]
        return {"error": {"message": message.format(key=key), "type": kind, "param": None, "code": code}}

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Headers of every answer."""
        return {"x-request-id": f"req_{ask.digest[:24]}", "openai-processing-ms": "12"}


def _said(messages: list[dict[str, Any]]) -> tuple[Said, ...]:
    said: list[Said] = []
    called: dict[str, str] = {}
    for message in messages:
        text = _text(message.get("content"))
        match message["role"]:
            case "tool":
                said.append(Said(role="tool", text=text, tool=called[message["tool_call_id"]]))
            case "assistant":
                calls = message.get("tool_calls") or ()
                called.update({call["id"]: call["function"]["name"] for call in calls})
                spoken = [f"{call['function']['name']}({call['function']['arguments']})" for call in calls]
                said.append(Said(role="assistant", text="\n".join([text, *spoken])))
            case "system" | "developer":
                said.append(Said(role="system", text=text))
            case _:
                said.append(Said(role="user", text=text))
    return tuple(said)


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.get("text", "") for part in content)


def _calls(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{ask.digest[:12]}{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments_json},
        }
        for number, call in enumerate(reply.calls)
    ]


def _finish(reply: Reply) -> str:
    if reply.filtered:
        return "content_filter"
    if reply.cut:
        return "length"
    return "tool_calls" if reply.calls else "stop"


def _opening(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{ask.digest[:24]}",
        "object": kind,
        "created": _CREATED,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.thinking, "audio_tokens": 0},
    }


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()
