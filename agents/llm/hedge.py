"""Hedging: when a model takes longer than it nearly always does, the same request is sent a second time."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from trading.domain.errors import ModelFailure

MIN_SAMPLES = 20
_WINDOW = 200
_QUANTILE = 0.95

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class Latencies:
    """How long each model took lately, in seconds: its last answers, in this process."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = {}

    def note(self, model: str, seconds: float) -> None:
        """Take in one answer's latency."""
        self._recent.setdefault(model, deque(maxlen=_WINDOW)).append(seconds)

    def p95_s(self, model: str) -> float | None:
        """The 95 % quantile (nearest rank), None before there are :data:`MIN_SAMPLES` answers."""
        recent = self._recent.get(model, ())
        if len(recent) < MIN_SAMPLES:
            return None
        return sorted(recent)[math.ceil(_QUANTILE * len(recent)) - 1]


async def hedged(call: Callable[[], Awaitable[T]], *, after_s: float, sleep: Sleep) -> T:
    """The first good outcome of ``call``, made a second time when the first one takes longer than ``after_s``.

    The slower one is cancelled and has ended before this returns. Raises ModelFailure when every call that was made
    failed: a first call that fails in time is not made a second time here.
    """
    first = asyncio.ensure_future(call())
    tasks: set[asyncio.Future[T]] = {first}
    timer = asyncio.ensure_future(sleep(after_s))
    try:
        await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            tasks.add(asyncio.ensure_future(call()))
        return await _first_good(tasks)
    finally:
        timer.cancel()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, ModelFailure):
                await task


async def _first_good(tasks: "set[asyncio.Future[T]]") -> T:
    pending = set(tasks)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        good = next((task for task in done if not task.cancelled() and task.exception() is None), None)
        if good is not None or not pending:
            return (good or done.pop()).result()
