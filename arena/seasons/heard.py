"""What is heard of a conversation while it goes on: look-ups, pieces of the answer, and how it ended."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from agents.talk import ToolEnded, ToolStarted
from arena.seasons.snapshot import DecisionCard
from trading.domain.errors import TradefloorError

_PIECE_CHARS = 24


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
class Piece:
    """A part of the answer; all of them in order are the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer is complete."""

    spoken: Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no answer, and why."""

    error: TradefloorError


Heard = ToolStarted | ToolEnded | Piece | Done | Failed
"""A conversation is any number of look-ups, then pieces and :class:`Done`, or :class:`Failed` at any point."""


def pieces(text: str) -> Iterator[Piece]:
    """``text`` in pieces that end between words where they can. A piece is cut by length, not as a model wrote it."""
    start = 0
    while start < len(text):
        end = text.find(" ", start + _PIECE_CHARS) + 1 or len(text)
        end = min(end, start + 4 * _PIECE_CHARS)
        yield Piece(text=text[start:end])
        start = end


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
