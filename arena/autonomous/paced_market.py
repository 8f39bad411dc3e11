"""A market that is followed while it trades: it grows the tape as bars close, and says when a round may be decided."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from arena.autonomous.bar_source import BarSource
from arena.autonomous.timer import Timer
from trading.domain.errors import DataError, RequestError, SourceUnavailable
from trading.domain.event import Event
from trading.domain.instants import duration_text, iso
from trading.domain.market import Bar
from trading.engine import Engine
from trading.marketdata.growing import GrowingTape, grown_event
from trading.risk.market_condition import MarketCondition
from trading.storage.journal import Journal

log = logging.getLogger("tradefloor.market")

LOOK_MS = 500
"""How often it looks up while it waits: a halt is carried out that soon."""


class BesideSource(Protocol):
    """What is known beside the bars: order books, and the funding that was settled."""

    def events(self, since_ms: int, until_ms: int) -> Sequence[Event]:
        """What was heard from one instant to another, as the journal holds it; asked once, in order."""
        ...


OnLook = Callable[[int, Mapping[str, str]], None]
"""Told the instant, and what is not heard with words that say since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How patient a followed market is, in milliseconds.

    ``settle_ms`` after a close every bar of it should have come; ``ask_ms`` bounds one request for those that did not.
    A round that is reached more than ``grace_ms`` after its instant is not decided any more.
    """

    settle_ms: int = 8_000
    ask_ms: int = 10_000
    grace_ms: int = 30_000
    history_bars: int = 1000


class PacedMarket:
    """Drives an engine along a :class:`BarSource`.

    Every bar that the run may know stands in its journal before anything is decided on it, and a bar that was missing
    when its time had come stays missing. So the record alone gives the same market again, and a new process goes on
    from it; so does what was heard ``beside`` the bars. ``on_look`` is called whenever it looks up.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        source: BarSource,
        *,
        timer: Timer,
        pacing: Pacing | None = None,
        thinking_is_declared: bool = False,
        on_look: OnLook | None = None,
        beside: BesideSource | None = None,
    ) -> None:
        if not isinstance(engine.tape, GrowingTape):
            raise ValueError("a followed market needs a tape that grows")
        self._engine = engine
        self._journal = journal
        self._source = source
        self._timer = timer
        self._tape: GrowingTape = engine.tape
        self._pacing = pacing or Pacing()
        self._thinking_is_declared = thinking_is_declared
        self._on_look = on_look
        self._beside = beside
        self._ahead: dict[str, list[Bar]] = {}
        self._ahead_until_ms = 0
        self._opened_late_ms = 0

    async def reach(self, index: int, stopping: asyncio.Event) -> str:
        """Come to a round's instant, its bars on the tape; why it cannot be decided any more, "" where it can.

        Comes back early, with nothing, when it is told to stop.
        """
        target = self._engine.setup.round_ms(index)
        await self._grow_to(target, stopping)
        late = self._timer.now_ms() - target
        self._opened_late_ms = max(late, 0)
        if late > self._pacing.grace_ms and not stopping.is_set():
            return f"reached {duration_text(max(late // 1000, 1) * 1000)} after its time"
        return ""

    async def reach_end(self, stopping: asyncio.Event) -> None:
        """Come to the season's end."""
        await self._grow_to(self._engine.setup.end_ms, stopping)

    def delay_ms(self, latency_ms: float) -> int:
        """How long after the round's instant a decision was made that took ``latency_ms``."""
        return 0 if self._thinking_is_declared else self._opened_late_ms + round(latency_ms)

    def stale(self) -> Mapping[str, str]:
        """The instruments that are not heard now, with since when and why."""
        return self._source.stale()

    # -- growing ---------------------------------------------------------------------------------------------------

    async def _grow_to(self, target_ms: int, stopping: asyncio.Event) -> None:
        step = self._tape.step_ms
        while not stopping.is_set():
            known = self._known_ms()
            if known >= target_ms:
                return
            now = self._look()
            closed = (now - self._pacing.settle_ms) // step * step
            if closed - known > step or self._ahead_until_ms > known:
                await self._catch_up(known, closed, target_ms)
            elif now >= known + step:
                await self._settle(known + step, stopping)
                if not stopping.is_set():
                    self._grow(known + step, self._gathered(known, known + step))
            else:
                await self._timer.sleep_ms(min(known + step - now, LOOK_MS))

    def _known_ms(self) -> int:
        known, step = self._tape.known_until_ms, self._tape.step_ms
        if known is not None:
            return known
        return self._engine.setup.start_ms // step * step - self._pacing.history_bars * step

    def _look(self) -> int:
        now = self._timer.now_ms()
        if self._tape.known_until_ms is not None:
            self._engine.enforce_halt(now)
            self._engine.send_due(now)
        if self._on_look is not None:
            self._on_look(now, self._source.stale())
        return now

    async def _catch_up(self, known_ms: int, closed_ms: int, target_ms: int) -> None:
        """Ask at once for all bars that closed while nobody listened, and put them on the tape up to the target."""
        if self._ahead_until_ms <= known_ms:
            log.info("asking for the bars from %s to %s", iso(known_ms), iso(closed_ms))
            try:
                for symbol in self._tape.symbols:
                    self._ahead[symbol] = list(await self._source.fetch(symbol, known_ms, closed_ms))
            except SourceUnavailable as error:
                if self._tape.known_until_ms is None:
                    raise
                log.warning("%s", error)
                await self._timer.sleep_ms(LOOK_MS)
                return
            self._ahead_until_ms = closed_ms
        until = min(target_ms, self._ahead_until_ms)
        bars = {
            symbol: [bar for bar in self._ahead[symbol] if known_ms <= bar.open_ms < until] for symbol in self._ahead
        }
        if self._tape.known_until_ms is None and not all(bars.values()):
            missing = next(symbol for symbol, rows in bars.items() if not rows)
            raise DataError(f"{missing}: the exchange has no bar between {iso(known_ms)} and {iso(until)}")
        self._grow(until, bars)
        if until == self._ahead_until_ms:
            self._ahead.clear()

    async def _settle(self, boundary_ms: int, stopping: asyncio.Event) -> None:
        """Wait until the bar of every instrument has come, or ask for it once patience has run out."""
        since = boundary_ms - self._tape.step_ms
        while not stopping.is_set():
            missing = [name for name in self._tape.symbols if not self._source.heard(name, since, boundary_ms)]
            patience_left = boundary_ms + self._pacing.settle_ms - self._look()
            if not missing and (not self._source.stale() or patience_left <= 0):
                return
            if patience_left <= 0:
                await asyncio.gather(*(self._ask(name, since, boundary_ms) for name in missing))
                return
            await self._timer.sleep_ms(min(patience_left, LOOK_MS // 5))

    async def _ask(self, symbol: str, since_ms: int, until_ms: int) -> None:
        try:
            async with asyncio.timeout(self._pacing.ask_ms / 1000):
                found = list(await self._source.fetch(symbol, since_ms, until_ms))
        except (SourceUnavailable, RequestError, TimeoutError) as error:
            log.warning("%s has no bar for %s: %s", symbol, iso(until_ms), str(error) or "no answer in time")
            return
        self._ahead[symbol] = found

    def _gathered(self, since_ms: int, until_ms: int) -> dict[str, Sequence[Bar]]:
        asked = {symbol: rows for symbol, rows in self._ahead.items() if rows}
        self._ahead.clear()
        return {
            symbol: self._source.heard(symbol, since_ms, until_ms) or asked.get(symbol, ())
            for symbol in self._tape.symbols
        }

    def _grow(self, until_ms: int, bars: Mapping[str, Sequence[Bar]]) -> None:
        since_ms = self._known_ms()
        self._engine.record(grown_event(until_ms, bars, self._tape.step_ms))
        for event in () if self._beside is None else self._beside.events(since_ms, until_ms):
            self._engine.record(event)
        self._source.forget(until_ms)
        self._note_conditions()
        self._journal.commit()

    def _note_conditions(self) -> None:
        """What is not heard may not be traded: the gate is told, once when it goes quiet and once when it is back."""
        stale, noted = self._source.stale(), self._engine.breakers.conditions
        for symbol in self._tape.symbols:
            before = noted.get(symbol) or MarketCondition(instrument=symbol)
            if before.feed_lost != (symbol in stale):
                if symbol in stale:
                    log.warning("not traded: %s", stale[symbol])
                self._engine.note_condition(replace(before, feed_lost=symbol in stale))
