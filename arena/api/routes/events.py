"""The events of a run as they are written down: server-sent events that can be resumed."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

import fastapi
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Send

from arena.api.area import area
from arena.api.paging import LAST_SEQUENCE
from arena.api.records import READS, known_desk, record_asked
from arena.api.stream import MOST_LISTENERS, Asked, Feeds, is_over
from arena.api.values import AskedDesk, AskedRun
from arena.records import RunRecord, shelf_of
from arena.services import Services
from trading.domain.event import EventKind

SEND_S = 30.0
"""Seconds that a listener may leave what was sent to it unread."""

Kinds = Annotated[
    list[EventKind] | None, fastapi.Query(max_length=len(EventKind), description="Only events of these kinds.")
]
After = Annotated[
    int | None, fastapi.Query(ge=0, le=LAST_SEQUENCE, description="Events behind this number; all of them without it.")
]
LastEventId = Annotated[
    str | None,
    fastapi.Header(
        pattern=r"^[0-9]{1,15}$", description="The id of the last event received, as browsers send it when they return."
    ),
]

_EXAMPLE = 'id: 132\nevent: decided\ndata: {"seq":132,"at":"2026-01-01T05:00:00Z","kind":"decided","payload":{}}\n\n'


class EventStream(StreamingResponse):
    """A stream of events; a listener that does not read for too long is left."""

    media_type = "text/event-stream"

    async def stream_response(self, send: Send) -> None:
        """Send piece by piece, each within its time."""

        async def bounded(message: Message) -> None:
            await asyncio.wait_for(send(message), SEND_S)

        try:
            await super().stream_response(bounded)
        except TimeoutError:
            return
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()


def routes(services: Services) -> fastapi.APIRouter:
    """The route over the events of the runs of ``services``."""
    router = area("events", dependencies=READS)
    feeds = Feeds(shelf_of(services.home).folder)

    @router.get(
        "/events",
        summary="Events of a run, as they are written down",
        response_class=EventStream,
        responses={
            200: {
                "description": "Server-sent events. `id` is the journal's sequence number: come back with it as "
                "`Last-Event-ID`, and nothing is missed or told twice. Comments are heartbeats. The last event is "
                "`end` where the run is finished, and `cut` where the listener was too slow.",
                "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
            },
            204: {"description": "The run is finished, and there is nothing behind the number that was sent."},
        },
    )
    async def events(
        run: AskedRun = None,
        kind: Kinds = None,
        desk: AskedDesk = None,
        after: After = None,
        last_event_id: LastEventId = None,
    ) -> Response:
        """Every event of the run's journal behind ``after``, then each new one within a moment."""
        record = await run_in_threadpool(_record, services, run, desk)
        begin = int(last_event_id) if last_event_id is not None else after or 0
        if begin and await run_in_threadpool(is_over, record.folder, begin):
            return Response(status_code=204)
        if feeds.listeners >= MOST_LISTENERS:
            detail = f"{MOST_LISTENERS} listeners are told already; ask again in a moment"
            raise fastapi.HTTPException(429, detail, {"retry-after": "10"})
        asked = Asked(after=begin, kinds=frozenset(one.value for one in kind or ()), desk=desk)
        told = feeds.feed(record.folder.run_id).listen(asked)
        return EventStream(told, headers={"cache-control": "no-store", "x-accel-buffering": "no"})

    return router


def _record(services: Services, run: str | None, desk: str | None) -> RunRecord:
    record = record_asked(services, run)
    known_desk(record, desk)
    return record
