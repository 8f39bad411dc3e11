"""What OpenAI's chat completions look like on the wire: the request as it is read, answers and errors as written."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.talk import Said

MAX_MESSAGES = 100
MAX_CHARS = 48_000

Json = dict[str, Any]


class _Read(BaseModel):
    # Clients send whatever the newest server knows (sampling, caching, tracing). What a desk has no use for is passed
    # over, as servers of this format do; only what would change the meaning of the answer is refused, below.
    model_config = ConfigDict(frozen=True, extra="ignore")


class TextPart(_Read):
    """A part of a message. Only text is understood."""

    type: Literal["text", "input_text", "output_text"]
    text: str


class ChatMessage(_Read):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[TextPart, ...] | None = None

    def said(self) -> Said:
        """The message as the desk hears it: what is not its own is the person's, instructions included."""
        parts = self.content or ""
        text = parts if isinstance(parts, str) else "\n".join(part.text for part in parts)
        return Said(by="assistant" if self.role == "assistant" else "user", text=text)


class StreamOptions(_Read):
    """How to stream."""

    include_usage: bool = False


class ChatRequest(_Read):
    """``POST /v1/chat/completions``. ``model`` is a desk."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    tools: Annotated[tuple[Any, ...], Field(max_length=0)] | None = None
    functions: Annotated[tuple[Any, ...], Field(max_length=0)] | None = None
    response_format: Json | None = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if (self.response_format or {}).get("type", "text") != "text":
            raise ValueError("response_format: a desk answers in text; leave it out")
        if self.messages[-1].role == "assistant":
            raise ValueError("messages: the last one must not be the assistant's")
        if sum(len(said.text) for said in self.conversation()) > MAX_CHARS:
            raise ValueError(f"messages: together they have more than {MAX_CHARS} characters")
        return self

    def conversation(self) -> tuple[Said, ...]:
        """The messages as the desk hears them."""
        return tuple(message.said() for message in self.messages)


def model_row(desk: str, as_of_ms: int) -> Json:
    """A desk in the list of models. ``created`` is the market instant it speaks of, seconds since 1970."""
    return {"id": desk, "object": "model", "created": as_of_ms // 1000, "owned_by": "tradefloor"}


def usage_row(tokens_in: int | None, tokens_out: int | None) -> Json | None:
    """Token counts, None where they are not known."""
    if tokens_in is None or tokens_out is None:
        return None
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def completion(ident: str, created: int, desk: str, text: str, usage: Json | None) -> Json:
    """A whole answer."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": ident,
        "object": "chat.completion",
        "created": created,
        "model": desk,
        "choices": [choice],
        "usage": usage,
    }


def chunk(ident: str, created: int, desk: str, delta: Json, finish_reason: str | None = None) -> Json:
    """A piece of a streamed answer."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": ident,
        "object": "chat.completion.chunk",
        "created": created,
        "model": desk,
        "choices": [choice],
    }


def event(data: Json) -> str:
    """``data`` as one server-sent event."""
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n"


def error_body(message: str, kind: str, *, code: str, param: str | None = None) -> Json:
    """An error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def complaint(error: ValidationError) -> tuple[str, str | None]:
    """What is wrong with a request, in one line, and the parameter it is about."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text, where.split(".")[0] or text.partition(":")[0]
