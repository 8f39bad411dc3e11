"""The wire format of Gemini generateContent and streamGenerateContent."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.wire.bill import Usage
from tests.wire.faults import Fault
from tests.wire.loopback import HttpRequest
from tests.wire.talk import Ask, Offer, Reply, Said

_PATH = re.compile(r"/v1beta/models/([^:/]+):(generateContent|streamGenerateContent)")
_PIECE_CHARS = 40
_RATINGS = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]
_ERRORS: Mapping[Fault, tuple[int, str, str]] = {
    Fault.RATE_LIMITED: (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    Fault.RATE_LIMITED_RETRY_AFTER: (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    Fault.SERVER_ERROR: (500, "INTERNAL", "An internal error has occurred. Please retry."),
    Fault.UNAVAILABLE: (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Fault.OVERLOADED: (529, "UNAVAILABLE", "The service is overloaded."),
    Fault.BAD_KEY: (401, "UNAUTHENTICATED", "API key not valid: {key}. Please pass a valid API key."),
    Fault.UNKNOWN_MODEL: (404, "NOT_FOUND", "The model is not found for API version v1beta."),
    Fault.BAD_REQUEST: (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    Fault.CONTEXT_WINDOW: (
        400,
        "INVALID_ARGUMENT",
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    Fault.ERROR_IN_200: (500, "INTERNAL", "An internal error has occurred. Please retry."),
}


class GeminiGenerate:
    """Reads and writes ``/v1beta/models/...:generateContent``."""

    root = "/v1beta"
    stream_type = "text/event-stream"
    caches = True
    thinks = True
    wants_key = True

    def key(self, request: HttpRequest) -> str:
        """The key that came with the request."""
        return request.headers.get("x-goog-api-key", "")

    def lookup(self, request: HttpRequest, models: tuple[str, ...]) -> object | None:
        """The answer to a request that calls no model, None where it is none of those."""
        if request.method != "GET" or request.path != "/v1beta/models":
            return None
        methods = ["generateContent", "countTokens"]
        return {"models": [{"name": f"models/{model}", "supportedGenerationMethods": methods} for model in models]}

    def ask(self, request: HttpRequest) -> Ask | None:
        """The request in neutral terms, None where the path calls no model. ValueError for what the API refuses."""
        called = _PATH.fullmatch(request.path)
        if called is None:
            return None
        model, method = called.groups()
        body = request.json()
        said = _said(body["contents"], signed=model.startswith("gemini-3"))
        system = _either(body, "systemInstruction", "system_instruction")
        calling = _either(_either(body, "toolConfig", "tool_config") or {}, "functionCallingConfig", "-") or {}
        allowed = calling.get("allowedFunctionNames") or calling.get("allowed_function_names") or []
        wanted = _either(body, "generationConfig", "generation_config") or {}
        schema = _either(wanted, "responseJsonSchema", "response_json_schema")
        return Ask(
            model=model,
            said=(Said(role="system", text=_text(system["parts"])), *said) if system else said,
            offers=() if calling.get("mode") == "NONE" else _offers(body),
            forced=allowed[0] if calling.get("mode") == "ANY" and len(allowed) == 1 else None,
            schema=schema or _either(wanted, "responseSchema", "response_schema"),
            streamed=method == "streamGenerateContent",
        )

    def said(self, reply: Reply) -> Reply:
        """The reply as this maker gives it: it is the prompt that is blocked, and what is filtered is not shown."""
        if reply.refused:
            return Reply(blocked=True)
        return Reply(filtered=True) if reply.filtered else reply

    def answer(self, ask: Ask, reply: Reply, usage: Usage) -> object:
        """The body of a whole answer."""
        if reply.blocked:
            return {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": _RATINGS}, **_closing(ask, usage)}
        return {"candidates": [_candidate(_parts(ask, reply), reply)], **_closing(ask, usage)}

    def pieces(self, ask: Ask, reply: Reply, usage: Usage) -> Iterator[bytes]:
        """The events of a streamed answer."""
        if reply.text:
            for start in range(0, len(reply.text), _PIECE_CHARS):
                part = {"text": reply.text[start : start + _PIECE_CHARS]}
                yield _event({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]})
        yield _event(self.answer(ask, replace(reply, text=""), usage))

    def error(self, fault: Fault, key: str) -> object:
        """The body of an error."""
        code, status, message = _ERRORS[fault]
        return {"error": {"code": code, "message": message.format(key=key), "status": status}}

    def headers(self, ask: Ask) -> Mapping[str, str]:
        """Headers of every answer."""
        return {"server-timing": f"gfet4t7; dur={len(ask.said)}"}


def _said(contents: list[dict[str, Any]], *, signed: bool) -> tuple[Said, ...]:
    said: list[Said] = []
    for content in contents:
        parts = content["parts"]
        if not parts:
            raise ValueError("a content needs a part")
        for part in parts:
            if "functionResponse" in part or "function_response" in part:
                answered = _either(part, "functionResponse", "function_response")
                said.append(Said(role="tool", text=_result(answered["response"]), tool=answered["name"]))
        calls = [part for part in parts if "functionCall" in part or "function_call" in part]
        if signed and calls and not _either(calls[0], "thoughtSignature", "thought_signature"):
            raise ValueError("a function call is missing its thought_signature")
        spoken = [_text(parts)]
        for part in calls:
            call = _either(part, "functionCall", "function_call")
            spoken.append(f"{call['name']}({json.dumps(call.get('args') or {})})")
        if any(spoken):
            said.append(Said(role="assistant" if content.get("role") == "model" else "user", text="\n".join(spoken)))
    return tuple(said)


def _offers(body: Mapping[str, Any]) -> tuple[Offer, ...]:
    declared = [
        declaration
        for tool in body.get("tools") or ()
        for declaration in _either(tool, "functionDeclarations", "function_declarations") or ()
    ]
    return tuple(
        Offer(name=tool["name"], parameters=_either(tool, "parameters", "parametersJsonSchema") or {})
        for tool in declared
    )


def _result(response: Mapping[str, Any]) -> str:
    """A tool's result; what is not an object comes wrapped in one."""
    match list(response.items()):
        case [("content" | "result" | "output", str(text))]:
            return text
        case _:
            return json.dumps(response)


def _either(body: Mapping[str, Any], name: str, other: str) -> Any:
    """A field under either of its two spellings: the API takes both."""
    return body.get(name, body.get(other))


def _text(parts: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in parts if "text" in part)


def _parts(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": reply.text}] if reply.text else []
    for number, call in enumerate(reply.calls):
        part: dict[str, Any] = {"functionCall": {"name": call.name, "args": dict(call.arguments)}}
        if number == 0:
            part["thoughtSignature"] = base64.b64encode(ask.digest[:24].encode()).decode()
        parts.append(part)
    return parts


def _candidate(parts: list[dict[str, Any]], reply: Reply) -> dict[str, Any]:
    if reply.filtered:
        return {"finishReason": "SAFETY", "index": 0, "safetyRatings": _RATINGS}
    content = {"role": "model", "parts": parts} if parts else {"role": "model"}
    return {"content": content, "finishReason": "MAX_TOKENS" if reply.cut else "STOP", "index": 0}


def _closing(ask: Ask, usage: Usage) -> dict[str, Any]:
    counted: dict[str, Any] = {
        "promptTokenCount": usage.prompt,
        "totalTokenCount": usage.prompt + usage.completion,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt}],
    }
    if usage.completion:
        counted["candidatesTokenCount"] = usage.completion - usage.thinking
        counted["thoughtsTokenCount"] = usage.thinking
    if usage.cached:
        counted["cachedContentTokenCount"] = usage.cached
    return {"usageMetadata": counted, "modelVersion": ask.model, "responseId": ask.digest[:22]}


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()
