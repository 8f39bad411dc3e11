"""The journal as a stream: one reader a run reads what is new once, and everybody who listens is told from there.

Whoever is behind reads the journal itself, a page at a time and only as fast as it listens; whoever has caught up reads
the newest events, of which a bounded number is held. So memory does not depend on how many listen, and nobody misses an
event or gets one twice: a place in the stream is the journal's own sequence number.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from starlette.concurrency import run_in_threadpool

from trading.domain.errors import JournalError
from trading.domain.instants import iso
from trading.storage.journal import StoredEvent, read_events
from trading.storage.journal.reader import last_seq
from trading.storage.runs import RunFolder

POLL_S = 0.25
HEARTBEAT_S = 10.0
PAGE_EVENTS = 500
HELD_EVENTS = 5_000
MOST_LISTENERS = 200

END = "end"
CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a listener wants: events behind ``after``, of ``kinds`` and of ``desk`` where they are named."""

    after: int = 0
    kinds: frozenset[str] = frozenset()
    desk: str | None = None

    def keeps(self, event: StoredEvent) -> bool:
        """Whether the event is asked for."""
        if self.kinds and event.kind not in self.kinds:
            return False
        return self.desk is None or orjson.loads(event.payload_json).get("desk") == self.desk


class RunFeed:
    """The events of one run for everybody who listens, all on one event loop.

    The reader works while somebody listens. ``held_events`` bounds what is held; a listener that has caught up once and
    falls further behind than that is cut.
    """

    def __init__(self, folder: RunFolder, *, held_events: int = HELD_EVENTS, poll_s: float = POLL_S) -> None:
        self.folder = folder
        self.listeners = 0
        self._held: deque[StoredEvent] = deque(maxlen=held_events)
        self._poll_s = poll_s
        self._head: int | None = None
        self._ended = False
        self._failure: JournalError | None = None
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def listen(self, asked: Asked) -> AsyncGenerator[bytes]:
        """The stream of one listener: events, heartbeats, and a last event that says why it ends."""
        self.listeners += 1
        if self._reader is None:
            self._failure = None
            self._reader = asyncio.create_task(self._read())
        try:
            async with aclosing(self._told(asked)) as told:
                async for piece in told:
                    yield piece
        finally:
            self.listeners -= 1
            if not self.listeners and self._reader is not None:
                self._reader.cancel()
                self._reader, self._head = None, None
                self._held.clear()

    async def _told(self, asked: Asked) -> AsyncGenerator[bytes]:
        at, live = asked.after, False
        yield b": listening\nretry: 1000\n\n"
        while True:
            news = self._news
            events, live_now = await self._next(at, live)
            if events is None:
                yield _last(CUT, at, "you are too far behind; come back with Last-Event-ID")
                return
            live = live_now
            for event in events:
                at = event.seq
                if asked.keeps(event):
                    yield _message(event)
            if events:
                continue
            if self._failure is not None:
                yield _last(END, at, str(self._failure))
                return
            if self._ended and at >= (self._head or 0):
                yield _last(END, at, "the run is finished")
                return
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield f": heartbeat\nid: {at}\n\n".encode()

    async def _next(self, at: int, live: bool) -> tuple[Sequence[StoredEvent] | None, bool]:
        """The next events behind ``at``, and whether the listener has caught up; None where it is to be cut."""
        if self._head is not None and at >= self._head:
            return (), True
        first = self._held[0].seq if self._held else None
        if first is not None and at >= first - 1:
            behind = at - first + 1
            return [self._held[place] for place in range(behind, min(behind + PAGE_EVENTS, len(self._held)))], True
        if live:
            return None, False
        if not self.folder.journal.is_file():
            return (), False
        try:
            return await run_in_threadpool(_page, self.folder, at), False
        except JournalError as error:
            self._failure = error
            return (), False

    async def _read(self) -> None:
        """Hold what is new, as long as anybody listens."""
        while True:
            sealed = self.folder.is_finished
            try:
                if self._head is None:
                    self._head = await run_in_threadpool(last_seq, self.folder.journal)
                while events := await run_in_threadpool(_page, self.folder, self._head):
                    self._held.extend(events)
                    self._head = events[-1].seq
                    self._tell()
            except JournalError as error:
                if self.folder.journal.is_file():
                    self._failure = error
                    self._tell()
                    return
            if sealed:
                self._ended = True
                self._tell()
                return
            await asyncio.sleep(self._poll_s)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Feeds:
    """The feeds of a house, by run."""

    def __init__(self, folder_of: Callable[[str], RunFolder]) -> None:
        self._folder_of = folder_of
        self._feeds: dict[str, RunFeed] = {}

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return sum(feed.listeners for feed in self._feeds.values())

    def feed(self, run_id: str) -> RunFeed:
        """The feed of a run. Raises RequestError for a stranger."""
        for quiet in [name for name, feed in self._feeds.items() if not feed.listeners and name != run_id]:
            del self._feeds[quiet]
        found = self._feeds.get(run_id)
        if found is None:
            found = self._feeds[run_id] = RunFeed(self._folder_of(run_id))
        return found


def is_over(folder: RunFolder, after: int) -> bool:
    """Whether a run is finished and has nothing behind ``after``."""
    return folder.is_finished and not _page(folder, after)


def _page(folder: RunFolder, after: int) -> list[StoredEvent]:
    found = []
    for event in read_events(folder.journal, after=after):
        found.append(event)
        if len(found) == PAGE_EVENTS:
            break
    return found


def _message(event: StoredEvent) -> bytes:
    payload = orjson.Fragment(event.payload_json)
    data = orjson.dumps(
        {
            "seq": event.seq,
            "at": iso(event.ts_ms),
            "kind": event.kind,
            "decision_id": event.decision_id or None,
            "payload": payload,
            "hash": event.hash,
        }
    )
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.kind.encode(), data)


def _last(kind: str, at: int, reason: str) -> bytes:
    data = orjson.dumps({"reason": reason, "seq": at})
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (at, kind.encode(), data)
