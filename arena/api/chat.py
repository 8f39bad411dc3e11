"""Desks as models: ``/v1/models`` and ``/v1/chat/completions`` in OpenAI's format, streamed or not, read-only."""

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import fastapi
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import ValidationError

from arena.access import Role
from arena.api import openai_shape as shape
from arena.api.callers import needs
from arena.seasons.heard import Done, Failed, Piece, Spoken, with_pauses
from arena.seasons.reception import Reception, ReceptionBusy, UnknownDesk
from trading.domain.errors import ModelFailure, TradefloorError

KEEP_ALIVE_S = 10.0
"""A stream that waits for a model says so this often, so that nobody in between gives up on it."""

MAX_BODY_BYTES = 1_000_000


def chat_routes(reception: Reception) -> fastapi.APIRouter:
    """The routes over one reception. No key is asked for; one that is sent is ignored."""
    router = fastapi.APIRouter(prefix="/v1", tags=["chat"], dependencies=[needs(Role.VIEWER)])

    @router.get("/models")
    def models() -> JSONResponse:
        """The desks that can be spoken to."""
        rows = [shape.model_row(desk, as_of_ms) for desk, as_of_ms in reception.desks().items()]
        return JSONResponse({"object": "list", "data": rows})

    @router.get("/models/{desk}")
    def model(desk: str) -> JSONResponse:
        """One desk."""
        as_of_ms = reception.desks().get(desk)
        if as_of_ms is None:
            return _refused(UnknownDesk(f"there is no desk {desk!r}"))
        return JSONResponse(shape.model_row(desk, as_of_ms))

    @router.post("/chat/completions", response_model=None)
    async def chat(request: fastapi.Request) -> Response:
        """What a desk says to the conversation. It looks things up for it and trades nothing."""
        if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
            return _invalid(f"the request has more than {MAX_BODY_BYTES} bytes", None, status=413)
        try:
            asked = shape.ChatRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return _invalid(*shape.complaint(error))
        answer = _Answer(reception, asked)
        if asked.stream:
            if asked.model not in reception.desks():
                return _refused(UnknownDesk(f"there is no desk {asked.model!r}"))
            return StreamingResponse(
                answer.stream(), media_type="text/event-stream", headers={"cache-control": "no-cache"}
            )
        return await answer.whole()

    return router


class _Answer:
    """One answer on its way, under an id of its own."""

    def __init__(self, reception: Reception, asked: shape.ChatRequest) -> None:
        self._reception = reception
        self._asked = asked
        self._ident = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())

    async def whole(self) -> JSONResponse:
        """The answer in one piece."""
        try:
            spoken = await self._talk()
        except TradefloorError as error:
            return _refused(error)
        usage = shape.usage_row(spoken.tokens_in, spoken.tokens_out)
        return JSONResponse(shape.completion(self._ident, self._created, self._asked.model, spoken.text, usage))

    async def stream(self) -> AsyncIterator[str]:
        """The answer in server-sent events. A desk stops thinking when nobody listens any more."""
        yield self._chunk({"role": "assistant", "content": ""})
        async with aclosing(self._reception.converse(self._asked.model, self._asked.conversation())) as heard:
            async for event in with_pauses(heard, KEEP_ALIVE_S):
                match event:
                    case None:
                        yield ": the desk is thinking\n\n"
                    case Piece():
                        yield self._chunk({"content": event.text})
                    case Done():
                        for line in self._end(event.spoken):
                            yield line
                    case Failed():
                        yield shape.event(_described(event.error)[1])

    def _end(self, spoken: Spoken) -> Iterator[str]:
        yield self._chunk({}, finish_reason="stop")
        options = self._asked.stream_options
        if options is not None and options.include_usage:
            row = shape.chunk(self._ident, self._created, self._asked.model, {})
            usage = shape.usage_row(spoken.tokens_in, spoken.tokens_out)
            yield shape.event({**row, "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    async def _talk(self) -> Spoken:
        return await self._reception.talk(self._asked.model, self._asked.conversation())

    def _chunk(self, delta: shape.Json, finish_reason: str | None = None) -> str:
        return shape.event(shape.chunk(self._ident, self._created, self._asked.model, delta, finish_reason))


def _described(error: TradefloorError) -> tuple[int, shape.Json]:
    """The status and the body that tell of ``error``."""
    match error:
        case UnknownDesk():
            body = shape.error_body(str(error), "invalid_request_error", code="model_not_found", param="model")
            return 404, body
        case ReceptionBusy():
            return 429, shape.error_body(str(error), "rate_limit_error", code="busy")
        case ModelFailure():
            status = 504 if error.reason == "timeout" else 502
            return status, shape.error_body(str(error), "model_error", code=error.reason)
        case _:
            return 500, shape.error_body(str(error), "server_error", code="failed")


def _refused(error: TradefloorError) -> JSONResponse:
    status, body = _described(error)
    return JSONResponse(body, status_code=status)


def _invalid(message: str, param: str | None, *, status: int = 400) -> JSONResponse:
    body = shape.error_body(message, "invalid_request_error", code="invalid_value", param=param)
    return JSONResponse(body, status_code=status)
