"""A loopback exchange in a thread of its own, for tests that call the command line and wait for it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.exchanges.server import Venue
from tests.exchanges.venues import serve_exchange


@contextmanager
def threaded_exchange(exchange_id: str, *, step_s: float = 0.05) -> Iterator[Venue]:
    """The exchange, served until the context ends."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    found: list[Venue] = []
    enough = asyncio.Event()

    async def serve() -> None:
        async with serve_exchange(exchange_id, step_s=step_s) as venue:
            found.append(venue)
            ready.set()
            await enough.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(enough.set)
        thread.join()
        loop.close()
