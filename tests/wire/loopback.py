"""HTTP/1.1 on 127.0.0.1 that can also fail: hang, stop in the middle, reset the connection.

It knows no provider. One thread serves every port it is given; leaving its context ends what is still hanging.
"""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

HOST = "127.0.0.1"
_SETTLE_S = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientGone(ConnectionError):
    """The client hung up before it had its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request. Header names are in lower case; ``path`` comes without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; an empty one is an empty object."""
        return json.loads(self.body or b"{}")


class Line:
    """One connection, as the side that answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> HttpRequest | None:
        """The next request, None when the client has closed."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        start, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = start.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self._reader.readexactly(int(headers.get("content-length") or 0))
        return HttpRequest(method=method, path=urlsplit(target).path, headers=headers, body=body)

    async def wait(self, seconds: float | None) -> None:
        """Wait (None: for ever), unless the client hangs up: ClientGone."""
        if seconds == 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._reader.read(1)
        except TimeoutError:
            return
        raise ClientGone

    def check(self) -> None:
        """ClientGone when the client has hung up."""
        if self._reader.at_eof():
            raise ClientGone

    async def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole answer."""
        self._head(status, {**headers, "content-length": str(len(body))})
        self._writer.write(body)
        await self._writer.drain()

    async def stream(self, headers: Mapping[str, str], pieces: "Iterable[bytes | Gate]") -> None:
        """An answer in pieces, each flushed."""
        self._head(200, {**headers, "transfer-encoding": "chunked"})
        for piece in pieces:
            if isinstance(piece, Gate):
                await piece.passed(self)
                continue
            self._piece(piece)
            await self._writer.drain()
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def reset(self, headers: Mapping[str, str], pieces: Sequence[bytes], *, streamed: bool) -> None:
        """Half of an answer, then a reset of the connection."""
        half = pieces[: max(1, len(pieces) // 2)] if streamed else [pieces[0][: len(pieces[0]) // 2]]
        framing = {"transfer-encoding": "chunked"} if streamed else {"content-length": str(len(pieces[0]))}
        self._head(200, {**headers, **framing})
        for piece in half:
            if streamed:
                self._piece(piece)
            else:
                self._writer.write(piece)
        await self._writer.drain()
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()
        raise ClientGone

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _piece(self, piece: bytes) -> None:
        self._writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))


class Gate:
    """Holds up the rest of a streamed answer until it is opened, by any thread, or the client hangs up."""

    def __init__(self) -> None:
        self._open = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether nothing is held up any more."""
        return self._open.is_set()

    def open(self) -> None:
        """Let the rest through."""
        self._open.set()

    async def passed(self, line: Line) -> None:
        """Wait until it is open. ClientGone when the client hangs up before."""
        while not self._open.is_set():
            await line.wait(0.005)


Answerer = Callable[[HttpRequest, Line], Awaitable[None]]


class Loopback:
    """Serves answerers, each on a port of its own, from one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback", daemon=True)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_SETTLE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SETTLE_S)
        self._loop.close()

    def add(self, answerer: Answerer) -> int:
        """Serve ``answerer``; its port."""

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = Line(reader, writer)
            try:
                while (request := await line.request()) is not None:
                    await answerer(request, line)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            except asyncio.CancelledError:
                return  # the server shuts down; asyncio would report a cancelled handler as an error
            finally:
                writer.close()

        async def start() -> asyncio.Server:
            return await asyncio.start_server(converse, HOST, 0, backlog=1024)

        server = asyncio.run_coroutine_threadsafe(start(), self._loop).result(_SETTLE_S)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports of the cancelled conversations close
