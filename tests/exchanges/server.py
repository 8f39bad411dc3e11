"""The frame of a loopback exchange: HTTP and websocket on one port of 127.0.0.1, a market that steps, and its faults.

It knows no venue: a :class:`Dialect` writes and reads the wire. Private endpoints and a matching engine join as routes
of a dialect; they find what an account asks in :class:`Request`, with headers and body as sent.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from tests.exchanges.accounts import HangUp, Refusal
from tests.exchanges.faults import CLOCK_OFF_MS, RETRY_AFTER_S, Fault, Weather
from tests.exchanges.market import Market, Step
from trading.marketdata.exchange import Endpoints

HOST = "127.0.0.1"
_PRICES = frozenset(
    {"p", "px", "price", "last", "c", "b", "a", "bid", "ask", "best_bid", "best_ask", "markPx", "mids", "o", "open"}
)
HTML = "<html><head><title>Please wait</title></head><body>Checking your browser</body></html>"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A REST request: query and form or JSON body together in ``fields``, as text where they came as text."""

    method: str
    path: str
    fields: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes
    query: str = ""

    def number(self, name: str, default: int) -> int:
        return int(self.fields.get(name, default))


@dataclass(eq=False)
class Session:
    """One websocket connection: what it subscribed to, and how many frames it was sent."""

    path: str
    topics: set[tuple[str, str]] = field(default_factory=set)
    sent: int = 0
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    deaf: bool = False
    held: list[Any] = field(default_factory=list)


class Dialect(Protocol):
    """How one venue speaks. Frames are JSON values; those that change a book come with the instrument they change."""

    exchange_id: str
    ws_path: str

    def rest(self, request: Request, venue: "Venue") -> Any | None:
        """The answer, None where the path is not known."""
        ...

    def said(self, session: Session, message: Any, venue: "Venue") -> list[Any]:
        """The frames that answer a message of the client, snapshots among them."""
        ...

    def frames(self, session: Session, instrument: str, step: Step, venue: "Venue") -> tuple[list[Any], list[Any]]:
        """Book frames and other frames of a step for this session."""
        ...

    def stamp(self, session: Session, frame: Any) -> Any:
        """The frame as the connection numbers it, after faults chose its place."""
        ...


class Venue:
    """A loopback exchange that is running."""

    def __init__(self, dialect: Dialect, markets: Mapping[str, Market], *, step_s: float) -> None:
        self.dialect = dialect
        self.markets = markets
        self.weather = Weather()
        self.requests: Counter[str] = Counter()
        self.asked: list[Request] = []
        self.unknown: Counter[str] = Counter()
        self.sessions: set[Session] = set()
        self.connections = 0
        self.endpoints = Endpoints(rest="http://127.0.0.1:1", ws="ws://127.0.0.1:1")
        self._step_s = step_s
        self._sockets: set[web.WebSocketResponse] = set()

    def now_ms(self) -> int:
        """The venue's clock, wrong or right."""
        return time.time_ns() // 1_000_000 + self.weather.clock_off_ms

    def put_clock_off(self) -> None:
        """From now on the venue's clock is 90 s ahead."""
        self.weather.clock_off_ms = CLOCK_OFF_MS
        self.weather.served[Fault.CLOCK] += 1

    def go_deaf(self) -> None:
        """Every connection that stands now stays open and says nothing more."""
        for session in self.sessions:
            session.deaf = True
        self.weather.served[Fault.HALF_OPEN] += 1

    def drop(self) -> None:
        """Break every connection without a word."""
        for socket in list(self._sockets):
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()
        self.weather.served[Fault.DROP] += 1

    async def handle(self, raw: web.Request) -> web.StreamResponse:
        """One request of either kind."""
        if raw.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(raw)
        return await self._rest(raw)

    async def run(self) -> None:
        """Let the markets step until cancelled."""
        while True:
            await asyncio.sleep(self._step_s)
            for instrument, market in self.markets.items():
                if instrument in self.weather.silent:  # the market stands still: nothing happens that could be missed
                    continue
                self._publish(instrument, market.step(self.now_ms()))

    async def _rest(self, raw: web.Request) -> web.Response:
        body = await raw.read()
        weather = self.weather
        self.requests[raw.path] += 1
        for fault, status in ((Fault.RATE_LIMIT, 429), (Fault.BAN, 418)):
            if weather.strikes(fault):
                return web.json_response(
                    {"code": -1003, "msg": "Too many requests"},
                    status=status,
                    headers={"Retry-After": str(RETRY_AFTER_S)},
                )
        if weather.strikes(Fault.HTML):
            return web.Response(text=HTML, content_type="text/html")
        fields: dict[str, Any] = dict(raw.query)
        if body:
            with suppress(ValueError):
                fields |= json.loads(body)
            if "form" in raw.content_type:
                fields |= dict(parse_qsl(body.decode()))
        request = Request(
            method=raw.method, path=raw.path, fields=fields, headers=raw.headers, body=body, query=raw.query_string
        )
        self.asked.append(request)
        await asyncio.sleep(self.weather.delay_s)
        try:
            answer = self.dialect.rest(request, self)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=dict(refusal.headers))
        except HangUp:
            if raw.transport is not None:
                raw.transport.abort()
            raise web.HTTPInternalServerError from None
        if answer is None:
            self.unknown[f"{raw.method} {raw.path}"] += 1
            return web.json_response({"msg": f"no route {raw.path}"}, status=404)
        return web.json_response(answer)

    async def _socket(self, raw: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(raw)
        session = Session(path=raw.path_qs)
        self.sessions.add(session)
        self._sockets.add(socket)
        self.connections += 1
        sending = asyncio.create_task(self._send(socket, session))
        try:
            async for message in socket:
                if session.deaf:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    for frame in self.dialect.said(session, json.loads(message.data), self):
                        self._put(session, frame)
        except ConnectionError:
            pass
        finally:
            self.sessions.discard(session)
            self._sockets.discard(socket)
            sending.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse, session: Session) -> None:
        with suppress(ConnectionError, RuntimeError):
            while True:
                await socket.send_str(await session.outbox.get())

    def _publish(self, instrument: str, step: Step) -> None:
        for session in list(self.sessions):
            book, others = self.dialect.frames(session, instrument, step, self)
            for frame in book:
                self._put_book(session, frame)
            for frame in others:
                self._put(session, spoilt(frame) if self.weather.strikes(Fault.BAD_ROW) else frame)

    def _put_book(self, session: Session, frame: Any) -> None:
        weather = self.weather
        if weather.strikes(Fault.GAP):
            self.dialect.stamp(session, frame)  # numbered, and lost on its way
            return
        if not session.held and weather.strikes(Fault.REORDER):
            session.held.append(self.dialect.stamp(session, frame))
            return
        if weather.strikes(Fault.DUPLICATE):
            stamped = self.dialect.stamp(session, frame)
            self._write(session, stamped)
            self._write(session, stamped)
        else:
            self._put(session, frame)
        while session.held:
            self._write(session, session.held.pop())

    def _put(self, session: Session, frame: Any) -> None:
        self._write(session, self.dialect.stamp(session, frame))

    @staticmethod
    def _write(session: Session, frame: Any) -> None:
        if not session.deaf:
            session.outbox.put_nowait(json.dumps(frame))


def spoilt(frame: Any) -> Any:
    """The frame with words where its prices were."""
    if isinstance(frame, list):
        return [spoilt(part) for part in frame]
    if isinstance(frame, dict):
        return {name: "n/a" if name in _PRICES else spoilt(part) for name, part in frame.items()}
    return frame


@asynccontextmanager
async def serve(dialect: Dialect, markets: Mapping[str, Market], *, step_s: float = 0.05) -> AsyncIterator[Venue]:
    """The venue, served in the running loop until the context ends."""
    venue = Venue(dialect, markets, step_s=step_s)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    venue.endpoints = Endpoints(rest=f"http://{HOST}:{port}", ws=f"ws://{HOST}:{port}{dialect.ws_path}")
    stepping = asyncio.create_task(venue.run())
    try:
        yield venue
    finally:
        stepping.cancel()
        venue.drop()
        await asyncio.gather(stepping, return_exceptions=True)
        await runner.cleanup()


def held_levels(venue: Venue, instrument: str) -> tuple[int, Sequence[Mapping[int, int]]]:
    """The update id and levels for a REST snapshot; an old one where the weather says so."""
    market = venue.markets[instrument]
    if market.past and venue.weather.strikes(Fault.STALE_SNAPSHOT):
        return market.past[0]
    return market.final_id, market.levels
