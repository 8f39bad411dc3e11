"""Filling the store from an exchange: only what was not asked for yet, kept as it comes."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from trading.domain.clock import Clock
from trading.domain.instants import duration_text
from trading.marketdata.candles import CandleSeries
from trading.marketdata.store.merge import COLUMNS, Conflict
from trading.marketdata.store.spans import Span, without
from trading.marketdata.store.store import CandleStore, SeriesKey, Stored

KEEP_EVERY_S = 3.0
"""How much fetching a process that is killed may lose."""

_SHARE = 10.0
"""A series that has grown long takes longer to write: then it is kept more seldom, and costs a tenth of the time."""


class Page(Protocol):
    """Some closed candles in order of time. ``refused`` rows were none; the next page begins at ``next_ms``."""

    @property
    def series(self) -> CandleSeries:
        """The candles."""
        ...

    @property
    def refused(self) -> int:
        """How many rows were left out."""
        ...

    @property
    def next_ms(self) -> int:
        """Up to where the page reaches."""
        ...


class PageSource(Protocol):
    """Who gives the candles of an instrument page by page, oldest first."""

    def candles(
        self, instrument: str, timeframe: str, since_ms: int, until_ms: int | None = None
    ) -> AsyncIterator[Page]:
        """The candles that open in [``since_ms``, ``until_ms``) and have closed."""
        ...


OnProgress = Callable[[int], None]
"""Told how many bars of the time that is wanted have been dealt with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of a fetch: the sums of :class:`Stored`, and the parts of the time that had been fetched before."""

    added: int
    repeated: int
    refused: int
    conflict_bars: int
    conflicts: tuple[Conflict, ...]
    pages: int


async def fetch(
    store: CandleStore,
    key: SeriesKey,
    source: PageSource,
    span: Span,
    *,
    name: str,
    clock: Clock,
    again: bool = False,
    on_progress: OnProgress = lambda bars: None,
) -> Fetched:
    """Ask ``source`` for the bars of ``span`` that the store has not asked for yet, or for all of them ``again``.

    What came is kept every few seconds and at the end, however it ends: the same call goes on where it stopped.
    ``name`` is the source in the catalogue. Raises what the source raises.
    """
    row = store.row_of(key)
    left = (span,) if again else without(span, row.covered if row else ())
    keeper = _Keeper(store, key, name, clock)
    done_ms = (span.end_ms - span.begin_ms) - sum(part.end_ms - part.begin_ms for part in left)
    for part in left:
        keeper.begin(part.begin_ms)
        reached_ms = part.begin_ms
        try:
            async for page in source.candles(key.symbol, duration_text(key.step_ms), part.begin_ms, part.end_ms):
                keeper.take(page)
                reached_ms = page.next_ms
                on_progress((done_ms + reached_ms - part.begin_ms) // key.step_ms)
        finally:
            keeper.keep()
        done_ms += part.end_ms - part.begin_ms
    on_progress((span.end_ms - span.begin_ms) // key.step_ms)
    return keeper.outcome()


class _Keeper:
    """Pages that came and are not in the store yet."""

    def __init__(self, store: CandleStore, key: SeriesKey, name: str, clock: Clock) -> None:
        self._store, self._key, self._name, self._clock = store, key, name, clock
        self._pages: list[CandleSeries] = []
        self._refused = 0
        self._begin_ms = self._end_ms = 0
        self._kept_at = time.monotonic()
        self._cost_s = 0.0
        self._stored: list[Stored] = []
        self._count = 0

    def begin(self, begin_ms: int) -> None:
        """Pages from ``begin_ms`` on follow."""
        self._begin_ms = self._end_ms = begin_ms

    def take(self, page: Page) -> None:
        self._pages.append(page.series)
        self._refused += page.refused
        self._end_ms = page.next_ms
        self._count += 1
        if time.monotonic() - self._kept_at >= max(KEEP_EVERY_S, _SHARE * self._cost_s):
            self.keep()

    def keep(self) -> None:
        """Put what came into the store."""
        begun = self._kept_at = time.monotonic()
        if not self._pages:
            return
        self._stored.append(
            self._store.add(
                self._key,
                _together(self._pages),
                source=self._name,
                now_ms=self._clock.now_ms(),
                covered=Span(self._begin_ms, self._end_ms),
                refused=self._refused,
            )
        )
        self._pages, self._refused, self._kept_at = [], 0, time.monotonic()
        self._cost_s = self._kept_at - begun

    def outcome(self) -> Fetched:
        return Fetched(
            added=sum(each.added for each in self._stored),
            repeated=sum(each.repeated for each in self._stored),
            refused=sum(each.refused for each in self._stored),
            conflict_bars=sum(each.conflict_bars for each in self._stored),
            conflicts=tuple(conflict for each in self._stored for conflict in each.conflicts),
            pages=self._count,
        )


def _together(pages: list[CandleSeries]) -> CandleSeries:
    def column(name: str) -> Any:
        return np.concatenate([getattr(page, name) for page in pages])

    joined = {name: column(name) for name in COLUMNS}
    return replace(pages[0], open_ms=column("open_ms"), **joined)
