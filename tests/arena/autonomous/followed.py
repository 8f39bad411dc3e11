"""Seasons on a market that is followed: a tape told bar by bar on a clock that jumps, and what goes wrong with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena import wiring
from arena.autonomous.paced_market import PacedMarket, Pacing
from arena.autonomous.paper import paper_tape
from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from trading.domain import Event, EventKind
from trading.domain.errors import SourceUnavailable
from trading.domain.market import Bar
from trading.marketdata import Tape
from trading.storage.journal import read_verified

MINUTE_MS = 60_000


class JumpTimer:
    """A clock that stands where the last wait ended: days pass as fast as the work between waits allows."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep_ms(self, wait_ms: int) -> None:
        self._now_ms += max(wait_ms, 1)
        await asyncio.sleep(0)

    def jump(self, to_ms: int) -> None:
        self._now_ms = max(self._now_ms, to_ms)


class ToldTape:
    """Tells the bars of ``tape`` as they close by ``timer``, ``late_ms`` after it; faults are (symbol, open) sets.

    ``unheard`` bars come only when asked for, ``lost`` ones never; while ``down`` says so, nothing answers.
    """

    def __init__(self, tape: Tape, timer: JumpTimer, *, late_ms: int = 200) -> None:
        self.tape = tape
        self.timer = timer
        self.late_ms = late_ms
        self.unheard: Callable[[str, int], bool] = lambda _symbol, _open_ms: False
        self.lost: Callable[[str, int], bool] = lambda _symbol, _open_ms: False
        self.down: Callable[[int], bool] = lambda _now_ms: False
        self.asked = 0

    def _bars(self, symbol: str, since_ms: int, until_ms: int, by_ms: int) -> list[Bar]:
        tape, line, found = self.tape, self.tape.index[symbol], []
        first = int(tape.open_ms.searchsorted(since_ms))
        for row in range(first, len(tape)):
            at = int(tape.open_ms[row])
            if at >= until_ms or at + tape.step_ms > by_ms:
                break
            values = [float(getattr(tape, name)[line, row]) for name in ("open", "high", "low", "close", "volume")]
            if values[0] == values[0] and not self.lost(symbol, at):
                found.append(Bar(open_ms=at, **dict(zip(_NAMES, values, strict=True))))
        return found

    def heard(self, symbol: str, since_ms: int, until_ms: int) -> list[Bar]:
        now = self.timer.now_ms()
        bars = self._bars(symbol, since_ms, until_ms, now - self.late_ms)
        return [bar for bar in bars if not self.unheard(symbol, bar.open_ms) and not self.down(bar.open_ms)]

    def forget(self, before_ms: int) -> None:
        pass

    async def fetch(self, symbol: str, since_ms: int, until_ms: int) -> list[Bar]:
        self.asked += 1
        if self.down(self.timer.now_ms()):
            raise SourceUnavailable("the exchange is silent")
        return self._bars(symbol, since_ms, until_ms, self.timer.now_ms())

    def stale(self) -> dict[str, str]:
        now = self.timer.now_ms()
        return dict.fromkeys(self.tape.symbols, "stale since the cable was cut") if self.down(now) else {}


class ToldBooks:
    """Tells a thin book around the open of each bar: ten levels a side, a tick apart, of ``size`` each.

    ``deaf`` bars are those of which nothing is heard.
    """

    def __init__(self, tape: Tape, *, size: float = 0.01, deaf: Callable[[int], bool] = lambda _open_ms: False) -> None:
        self.tape = tape
        self.size = size
        self.deaf = deaf

    def events(self, since_ms: int, until_ms: int) -> list[Event]:
        if until_ms - since_ms != self.tape.step_ms or self.deaf(since_ms):
            return []
        return [event for symbol in self.tape.symbols for event in self._told(symbol, since_ms, until_ms)]

    def _told(self, symbol: str, since_ms: int, until_ms: int) -> list[Event]:
        opened = float(self.tape.open[self.tape.index[symbol], self.tape.open_ms.searchsorted(since_ms)])
        middle = round(opened, 1)
        sides = [[[round(middle + sign * step * 0.1, 1), self.size] for step in range(1, 11)] for sign in (-1, 1)]
        spans = [[since_ms, until_ms]]
        grew = {
            "instrument": symbol, "since_ms": since_ms, "until_ms": until_ms, "known": spans, "printed": spans,
            "levels": [[since_ms, *([value for level in side for value in level] for side in sides)]], "trades": [],
        }  # fmt: skip
        seen = {"instrument": symbol, "ts_ms": until_ms - 900, "bids": sides[0], "asks": sides[1]}
        return [
            Event(ts_ms=until_ms, kind=EventKind.DEPTH_GREW, payload=grew),
            Event(ts_ms=until_ms, kind=EventKind.BOOK_SEEN, payload=seen),
        ]


_NAMES = ("open", "high", "low", "close", "volume")


def rules_of(*, rounds: int = 30, desks: tuple[str, ...] = ("momentum", "meanrev"), **season: Any) -> SeasonRules:
    """A simulated season of one-minute rounds; its paper twin comes from :func:`as_paper`."""
    start = "2026-01-05T00:00:00Z"
    facts = {"name": "followed", "seed": 7, "start": start, "every": "1m", "capital": 10_000, "thinking_ms": 0}
    end = f"2026-01-{5 + rounds // 1440:02d}T{rounds % 1440 // 60:02d}:{rounds % 60:02d}:00Z"
    table = {
        "season": {**facts, "end": end, **season},
        "market": {"kind": "simulated", "step": "1m", "instruments": ["BTC-USDT-PERP", "ETH-USDT-PERP"]},
        "desk": [{"name": name, "model": f"house/{name}"} for name in desks],
    }
    return SeasonRules.model_validate(table)


def as_paper(prepared: wiring.Prepared) -> wiring.Prepared:
    """The same season, its market followed as it trades."""
    market = prepared.rules.market.model_copy(update={"kind": "paper", "venue": "binance"})
    rules = prepared.rules.model_copy(update={"market": market})
    tape = paper_tape(market)
    setup = replace(prepared.setup, source="paper")
    return replace(prepared, rules=rules, tape=tape, data_sha256=tape.sha256, setup=setup)


class Follower:
    """Plays a paper season over a told tape, in as many processes' worth of pieces as a test wants."""

    def __init__(
        self, rules: SeasonRules, home: Path, *, pacing: Pacing | None = None, books: ToldBooks | None = None
    ) -> None:
        self.settings = Settings.load({"home": home})
        self.simulated = wiring.prepare(rules, self.settings)
        self.timer = JumpTimer(rules.season.start_ms - 30_000)
        self.source = ToldTape(self.simulated.tape, self.timer)
        self.pacing = pacing or Pacing()
        self.books = books
        self.folder = wiring.open_run(as_paper(self.simulated), self.settings)
        self.run: Any = None

    def open_market(self, engine: Any, journal: Any) -> Any:
        @asynccontextmanager
        async def opened() -> AsyncIterator[PacedMarket]:
            yield PacedMarket(
                engine,
                journal,
                self.source,
                timer=self.timer,
                pacing=self.pacing,
                thinking_is_declared=True,
                beside=self.books,
            )

        return opened()

    async def play(self, on_round: Callable[[int], None] | None = None) -> str:
        """Plays on from where the journal stands; how it ended."""
        async with wiring.season_run(
            as_paper(self.simulated),
            self.folder,
            self.settings,
            watch=lambda *_: on_round or (lambda _index: None),
            open_market=self.open_market,
        ) as playable:
            self.run = playable.run
            return (await playable.play()).value

    def events(self) -> list[Any]:
        return [stored.event() for stored in read_verified(self.folder.journal)]
