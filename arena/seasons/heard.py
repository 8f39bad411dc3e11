"""What is heard of a conversation while it goes on: look-ups, pieces of the answer, and how it ended."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from agents.talk import Piece, ToolEnded, ToolStarted, pieces
from arena.seasons.snapshot import DecisionCard
from trading.domain.errors import TradefloorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A desk's answer. Tokens are sums over the calls it took, None where any of them is unknown.

    ``decisions`` are those of the desk that whoever answered was told of, newest first.
    """

    text: str
    tokens_in: int | None
    tokens_out: int | None
    decisions: tuple[DecisionCard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer is complete."""

    spoken: Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no answer, and why."""

    error: TradefloorError


Heard = ToolStarted | ToolEnded | Piece | Done | Failed
"""A conversation is any number of look-ups and pieces, then :class:`Done`, or :class:`Failed` at any point."""


async def with_pauses(heard: AsyncGenerator[Heard], every_s: float) -> AsyncGenerator[Heard | None]:
    """``heard``, and None whenever nothing was heard for ``every_s``: a chance to notice that nobody listens.

    Closing it stops what it waits for; ``heard`` is still to be closed by whoever opened it.
    """
    coming: asyncio.Task[Heard] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(anext(heard))
            done, _ = await asyncio.wait({coming}, timeout=every_s)
            if not done:
                yield None
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            finally:
                coming = None
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})


__all__ = ["Done", "Failed", "Heard", "Piece", "Spoken", "ToolEnded", "ToolStarted", "pieces", "with_pauses"]
