"""Two hundred viewers of a season that trades: how long their refreshes take, and what they cost the desks.

The app runs in a process of its own, at the pace of `serve`; viewers ask as pages do, once a second each, and get what
changed. The season is measured by its own telemetry, before they come and while they are there.
"""

import asyncio
import contextlib
import json
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figure import Figure

if TYPE_CHECKING:
    import aiohttp

VIEWERS = 200
WATCH_S = 20.0
PAGES = ("", "risk", "forecasts")

_APP = """
import sys
from arena import collecting
from arena.commands import serve
collecting.begin()
serve.WARMUP_ROUNDS = 48
serve.serve(None, sets=(), host=None, port=int(sys.argv[1]), home=sys.argv[2], data_root=None)
"""


def measure() -> list[Figure]:
    """Wall clock, with app and viewers on the same machine."""
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as address:
        asyncio.run(watch(address, viewers=1, seconds=100.0, until_round=60))
        warm = _decisions(Path(home))
        asyncio.run(watch(address, viewers=1, seconds=WATCH_S))
        calm = _decisions(Path(home))
        spent, reads, bad = asyncio.run(watch(address, viewers=VIEWERS, seconds=WATCH_S))
        busy = _decisions(Path(home))
    alone = statistics.median(calm[one] for one in calm.keys() - warm.keys())
    crowded = statistics.median(busy[one] for one in busy.keys() - calm.keys())
    note = f"{VIEWERS} viewers, {reads / WATCH_S:.0f} reads a second, {bad} failed"
    return [
        Figure(name="refresh, median", value=statistics.median(spent), unit="ms", note=note),
        Figure(
            name="refresh, 95 in 100 within", value=statistics.quantiles(spent, n=100)[94], unit="ms", target="< 300"
        ),
        Figure(name="a decision, nobody watching, median", value=alone, unit="ms"),
        Figure(name="a decision, all watching, median", value=crowded, unit="ms"),
        Figure(name="the desks are slower by", value=(crowded / alone - 1) * 100, unit="%", target="< 10"),
    ]


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of the app, in a process of its own, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen([sys.executable, "-c", _APP, str(port), str(home)], stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        app.wait(timeout=60)


async def watch(
    address: str, *, viewers: int, seconds: float, until_round: int | None = None
) -> tuple[list[float], int, int]:
    """Milliseconds of every refresh, their number, and how many failed. Ends early at the round that is named."""
    import aiohttp  # LiteLLM brings it: it asks with far less work than httpx, and the work is the viewers' own

    spent: list[float] = []
    failed = 0
    end = time.monotonic() + seconds

    async def view(number: int, client: aiohttp.ClientSession) -> None:
        nonlocal failed
        seen: dict[str, str] = {}
        page = PAGES[number % len(PAGES)]
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                given = ",".join(f"{name}:{etag}" for name, etag in seen.items())
                async with client.get(f"{address}/live/{page}", params={"seen": given}) as answer:
                    body, status = await answer.read(), answer.status
            except (aiohttp.ClientError, TimeoutError):
                failed += 1
                await asyncio.sleep(0.5)
                continue
            spent.append((time.perf_counter() - begun) * 1000)
            failed += status not in (200, 204)
            if status == 200:
                seen |= {name: etag for name, (etag, _) in json.loads(body).items()}
            if until_round is not None and await _round(client, address) >= until_round:
                return
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - begun)))

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as client:
        await asyncio.gather(*(view(number, client) for number in range(viewers)))
    return spent, len(spent), failed


async def _round(client: "aiohttp.ClientSession", address: str) -> int:
    async with client.get(f"{address}/api/v1/standings") as answer:
        return int((await answer.json())["round_index"]) if answer.status == 200 else -1


def _decisions(home: Path) -> dict[str, float]:
    """Wall time of every decision so far, in milliseconds, by its id."""
    (telemetry,) = home.glob("runs/*/telemetry.sqlite")
    with contextlib.closing(sqlite3.connect(telemetry)) as db:
        rows = db.execute("select id, latency_ms from latency where kind = 'decision'").fetchall()
    return {str(one): float(ms) for one, ms in rows}
