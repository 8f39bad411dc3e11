"""The wire format of Ollama chat."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.wire.bill import Usage
from tests.wire.faults import Fault
from tests.wire.loopback import HttpRequest
from tests.wire.talk import Ask, Offer, Reply, Said

_PIECE_CHARS = 40
_CREATED = "2026-09-21T00:00:00.000000Z"
_ERRORS: Mapping[Fault, str] = {
    Fault.RATE_LIMITED: "too many requests",
    Fault.RATE_LIMITED_RETRY_AFTER: "too many requests",
    Fault.SERVER_ERROR: "llama runner process has terminated: exit status 2",
    Fault.UNAVAILABLE: "server busy, please try again. maximum pending requests exceeded",
    Fault.OVERLOADED: "server busy, please try again. maximum pending requests exceeded",
    Fault.BAD_KEY: "unauthorized: {key}",
    Fault.UNKNOWN_MODEL: "model not found, try pulling it first",
    Fault.BAD_REQUEST: "invalid message content type",
    Fault.CONTEXT_WINDOW: "the input length exceeds the context length",
    Fault.ERROR_IN_200: "an error was encountered while running the model: unexpected EOF",
}


class OllamaChat:
    """Reads and writes ``/api/chat``."""

    root = ""
    stream_type = "application/x-ndjson"
    caches = False
    thinks = False
    wants_key = False

    def key(self, request: HttpRequest) -> str:
        """The key that came with the request; a local server asks for none."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def lookup(self, request: HttpRequest, models: tuple[str, ...]) -> object | None:
        """The answer to a request that calls no model, None where it is none of those."""
        match request.method, request.path:
            case "POST", "/api/show":
                return {
                    "template": "{{ .System }} {{ .Tools }} {{ .Messages }}",
                    "details": {"family": "llama", "parameter_size": "8.0B", "quantization_level": "Q4_K_M"},
                    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
                    "capabilities": ["completion", "tools"],
                }
            case "GET", "/api/tags":
                return {"models": [{"name": f"{model}:latest", "model": f"{model}:latest"} for model in models]}
            case "GET", "/api/version":
                return {"version": "0.12.3"}
            case _:
                return None

    def ask(self, request: HttpRequest) -> Ask | None:
        """The request in neutral terms, None where the path calls no model."""
        if request.path != "/api/chat":
            return None
        body = request.json()
        offers = [tool["function"] for tool in body.get("tools") or ()]
        wanted = body.get("format")
        return Ask(
            model=body["model"],
            said=_said(body["messages"]),
            offers=tuple(Offer(name=offer["name"], parameters=offer.get("parameters") or {}) for offer in offers),
            schema=wanted if isinstance(wanted, dict) else None,
            streamed=bool(body.get("stream", True)),
        )

    def said(self, reply: Reply) -> Reply:
        """The reply as this maker gives it: who declines does so in plain words, and nobody filters."""
        return Reply(text=reply.text) if reply.refused or reply.filtered else reply

    def answer(self, ask: Ask, reply: Reply, usage: Usage) -> object:
        """The body of a whole answer."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        if reply.calls:
            message["tool_calls"] = _calls(ask, reply)
        return {**_opening(ask), "message": message, **_closing(reply, usage)}

    def pieces(self, ask: Ask, reply: Reply, usage: Usage) -> Iterator[bytes]:
        """The lines of a streamed answer."""
        for start in range(0, len(reply.text), _PIECE_CHARS):
            message = {"role": "assistant", "content": reply.text[start : start + _PIECE_CHARS]}
            yield _line({**_opening(ask), "message": message, "done": False})
        if reply.calls:
            asking = {"role": "assistant", "content": "", "tool_calls": _calls(ask, reply)}
            yield _line({**_opening(ask), "message": asking, "done": False})
        yield _line({**_opening(ask), "message": {"role": "assistant", "content": ""}, **_closing(reply, usage)})

    def error(self, fault: Fault, key: str) -> object:
        """The body of an error."""
        return {"error": _ERRORS[fault].format(key=key)}

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Headers of every answer."""
        return {"x-messages": str(len(ask.said))}


def _said(messages: list[dict[str, Any]]) -> tuple[Said, ...]:
    said: list[Said] = []
    waiting: list[str] = []  # calls may come back without their ids: results follow in the order of the calls
    for message in messages:
        text = message.get("content") or ""
        match message["role"]:
            case "tool":
                said.append(Said(role="tool", text=text, tool=message.get("tool_name") or waiting.pop(0)))
            case "assistant":
                calls = [call["function"] for call in message.get("tool_calls") or ()]
                waiting = [call["name"] for call in calls]
                spoken = [f"{call['name']}({json.dumps(call['arguments'])})" for call in calls]
                said.append(Said(role="assistant", text="\n".join([text, *spoken])))
            case "system":
                said.append(Said(role="system", text=text))
            case _:
                said.append(Said(role="user", text=text))
    return tuple(said)


def _calls(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{ask.digest[:8]}{number}",
            "function": {"index": number, "name": call.name, "arguments": dict(call.arguments)},
        }
        for number, call in enumerate(reply.calls)
    ]


def _opening(ask: Ask) -> dict[str, Any]:
    return {"model": ask.model, "created_at": _CREATED}


def _closing(reply: Reply, usage: Usage) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "length" if reply.cut else "stop",
        "total_duration": 1_000_000,
        "load_duration": 1_000,
        "prompt_eval_count": usage.prompt,
        "prompt_eval_duration": 1_000,
        "eval_count": usage.completion,
        "eval_duration": 1_000,
    }


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
