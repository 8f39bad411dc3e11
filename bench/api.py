"""What reading the API costs: ten thousand reads over HTTP, of a season that goes on, from a process of its own."""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from bench.figure import Figure

READS, READERS = 10_000, 8
WARM_S = 300.0
PATHS = (
    "/api/v1/standings",
    "/api/v1/decisions?limit=20",
    "/api/v1/decisions?limit=20&desk=momentum&status=acted",
    "/api/v1/orders?limit=50",
    "/api/v1/fills?limit=50",
    "/api/v1/accounts",
    "/api/v1/positions",
    "/api/v1/instruments",
    "/api/v1/candles/BTC-USDT-PERP?limit=100",
    "/api/v1/runs",
    "/api/v1/limits",
    "/api/v1/mode",
)


def measure() -> list[Figure]:
    """Wall clock from the first request to the last answer, the season trading beside it on the same machine."""
    with _served() as port:
        spent: list[float] = []
        codes: Counter[int] = Counter()
        numbers = count()
        lock = threading.Lock()

        def read() -> None:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            while (number := next(numbers)) < READS:
                begun = time.perf_counter()
                connection.request("GET", PATHS[number % len(PATHS)])
                answer = connection.getresponse()
                answer.read()
                with lock:
                    spent.append((time.perf_counter() - begun) * 1000)
                    codes[answer.status] += 1
            connection.close()

        begun = time.perf_counter()
        readers = [threading.Thread(target=read) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        seconds = time.perf_counter() - begun
    note = f"{READERS} connections, {len(PATHS)} operations in turn"
    return [
        Figure(name="reads a minute", value=len(spent) * 60 / seconds, unit="", target=">= 10,000", note=note),
        Figure(name="answers that were no 200", value=READS - codes[200], unit="", target="0"),
        Figure(name="read, median", value=statistics.median(spent), unit="ms"),
        Figure(name="read, 99 in 100 within", value=statistics.quantiles(spent, n=100)[98], unit="ms"),
    ]


@contextmanager
def _served() -> Iterator[int]:
    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "arena.cli", "serve", "--home", str(Path(home) / "home"), "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                _wait(port)
                yield port
            finally:
                server.terminate()


def _wait(port: int) -> None:
    """Until the demo season has played a few rounds."""
    deadline = time.monotonic() + WARM_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/snapshot", timeout=5) as answer:
                if json.load(answer)["round_index"] >= 3:
                    return
        except (OSError, urllib.error.HTTPError):
            pass
        time.sleep(0.2)
    raise TimeoutError(f"the demo season did not begin within {WARM_S:g} s")
