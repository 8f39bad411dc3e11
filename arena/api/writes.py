"""What every write to the API passes once its caller is known: bodies are bounded, and those with a key done once."""

import re
from typing import Any

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access import caller_of
from arena.api.idempotency import Answer, AnswerStoreError, KeptAnswers, KeyInFlight, KeyReused, fingerprint
from arena.api.problems import problem

MAX_BODY_BYTES = 256_000
KEY_HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotent-replayed"

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_NOTHING_DONE = frozenset({*range(400, 500), 503})
"""Refusals: nothing was done, and the key may be used again."""


class WriteBorder:
    """ASGI middleware over the paths under ``/api/``."""

    def __init__(self, app: ASGIApp, *, answers: KeptAnswers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, refuse it, or give the answer that was kept for it."""
        if scope["type"] != "http" or scope["method"] not in _WRITES or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        body = await _whole(Headers(scope=scope), receive)
        if body is None:
            detail = f"the request has more than {MAX_BODY_BYTES} bytes; send less at a time"
            await problem(413, detail, headers={"connection": "close"})(scope, receive, send)
            return
        key = Headers(scope=scope).get(KEY_HEADER)
        if key is None:
            await self._app(scope, _told(body, receive), send)
        elif not _KEY.fullmatch(key):
            detail = "Idempotency-Key: expected 1 to 200 visible ASCII characters, such as a UUID"
            await problem(422, detail)(scope, receive, send)
        else:
            await self._once(scope, _told(body, receive), send, key, body)

    async def _once(self, scope: Scope, receive: Receive, send: Send, key: str, body: bytes) -> None:
        caller = caller_of(scope).name
        target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        asked = fingerprint(scope["method"], target, body)
        try:
            kept = await run_in_threadpool(self._answers.begin, caller, key, asked)
        except (KeyReused, KeyInFlight, AnswerStoreError) as error:
            status = 503 if isinstance(error, AnswerStoreError) else 409
            await problem(status, str(error))(scope, receive, send)
            return
        if kept is not None:
            headers = {REPLAYED_HEADER: "true"}
            again = Response(kept.body, status_code=kept.status, media_type=kept.media_type, headers=headers)
            await again(scope, receive, send)
            return
        held = _Held()
        try:
            await self._app(scope, receive, held)
        except BaseException:  # the border: whatever it was, nobody may do it again unseen
            await run_in_threadpool(self._answers.keep, caller, key, _UNKNOWN)
            raise
        answer = held.answer()
        if answer.status in _NOTHING_DONE:
            await run_in_threadpool(self._answers.forget, caller, key)
        else:
            await run_in_threadpool(self._answers.keep, caller, key, answer)
        for message in held.messages:
            await send(message)


class _Held:
    """Holds an answer back until it is kept, so that nobody can ask again before."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def answer(self) -> Answer:
        """What is to be sent."""
        headers = Headers(raw=list(self.messages[0].get("headers", ())))
        return Answer(
            status=self.messages[0]["status"],
            media_type=headers.get("content-type", "application/json"),
            body=b"".join(message.get("body", b"") for message in self.messages[1:]),
        )


_UNKNOWN = Answer(
    status=500,
    media_type="application/problem+json",
    body=bytes(
        problem(500, "an error of ours cut this request off: look whether it was done, then use a new key").body
    ),
)


async def _whole(headers: Headers, receive: Receive) -> bytes | None:
    """The body of a request, None where it is too long."""
    stated = headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:20]) > MAX_BODY_BYTES:
        return None
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _told(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body that was read, then whatever comes."""
    given = False

    async def told() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return told
