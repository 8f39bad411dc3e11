"""A tape that grows while it is traded on: bars are put on its end as they close, and what stands there stays."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np

from trading.domain.event import Event, EventKind
from trading.domain.market import Bar
from trading.marketdata.tape import FundingRates, Tape

COLUMNS = ("open", "high", "low", "close", "volume")


class GrowingTape(Tape):
    """A tape whose end moves. A fold over the journal: it holds the bars that ``TAPE_GREW`` events brought, and the
    settled funding of ``FUNDING_TOLD``.

    So the record of a run on live data holds the market that it saw, and folding it gives the same tape again. A bar
    that was missing when its row was written stays missing, even if the exchange tells it later: nobody could have
    known it then.
    """

    @classmethod
    def empty(cls, symbols: Sequence[str], step_ms: int, *, source: str) -> Self:
        """A tape without bars."""
        nothing = np.empty((len(symbols), 0))
        return cls(
            symbols=tuple(symbols),
            step_ms=step_ms,
            open_ms=np.empty(0, dtype=np.int64),
            open=nothing,
            high=nothing,
            low=nothing,
            close=nothing,
            volume=nothing,
            source=source,
        )

    @property
    def known_until_ms(self) -> int | None:
        """Up to here the tape is final, milliseconds since 1970; None before its first bars."""
        known: int | None = self.__dict__.get("_known_until_ms")
        return known

    def apply(self, event: Event) -> None:
        """Take the bars of an event in."""
        if event.kind is EventKind.TAPE_GREW:
            self._extend(event.payload)
        elif event.kind is EventKind.FUNDING_TOLD:
            self._settle(event.payload)

    def _settle(self, payload: Mapping[str, Any]) -> None:
        symbol, since_ms = payload["instrument"], int(payload["since_ms"])
        if symbol not in self.index:
            raise ValueError(f"{symbol} is not on the tape, so it settles no funding")
        told: dict[str, int] = self.__dict__.setdefault("_told_ms", {})
        last_ms = told.get(symbol)
        rates = sorted((int(at), float(rate)) for at, rate in payload["rates"])
        fresh = [(at, rate) for at, rate in rates if last_ms is None or at > last_ms]
        if not fresh:
            return
        # What is told first of all is history, which nobody of this run owes.
        due = [at if last_ms is None else max(at, since_ms) for at, _ in fresh]
        before = self.funding.get(symbol)
        ts_ms, rate = np.array(due, np.int64), np.array([rate for _, rate in fresh])
        if before is not None:
            ts_ms, rate = np.concatenate([before.ts_ms, ts_ms]), np.concatenate([before.rate, rate])
        told[symbol] = fresh[-1][0]
        self.__dict__.pop("sha256", None)
        self.__dict__["funding"] = {**self.funding, symbol: FundingRates(ts_ms=ts_ms, rate=rate)}

    def _extend(self, payload: Mapping[str, Any]) -> None:
        until_ms, opens = int(payload["until_ms"]), np.array(payload["open_ms"], dtype=np.int64)
        held = self.known_until_ms
        if held is not None and (until_ms < held or (len(opens) and int(opens[0]) < held)):
            raise ValueError(f"the tape is final up to {held}: bars from before cannot be put in")
        if len(opens) and int(opens[-1]) + self.step_ms > until_ms:
            raise ValueError(f"the bar that opens at {int(opens[-1])} had not closed at {until_ms}")
        self.__dict__["_known_until_ms"] = until_ms
        if not len(opens):
            return
        rows = {symbol: _table(payload["bars"].get(symbol), len(opens)) for symbol in self.symbols}
        grown = {
            name: np.concatenate(
                [getattr(self, name), np.stack([rows[symbol][:, column] for symbol in self.symbols])], axis=1
            )
            for column, name in enumerate(COLUMNS)
        }
        grown["open_ms"] = np.concatenate([self.open_ms, opens])
        for cached in ("last_row", "gapless", "sha256"):
            self.__dict__.pop(cached, None)
        self.__dict__.update(grown)


def grown_event(until_ms: int, bars: Mapping[str, Sequence[Bar]], step_ms: int) -> Event:
    """The bars that have closed by ``until_ms`` since the tape last grew, as the journal holds them.

    A bar that none of the instruments has is left out of the grid. Raises ValueError for bars out of order or
    repeated.
    """
    opens = sorted({bar.open_ms for rows in bars.values() for bar in rows})
    place = {open_ms: row for row, open_ms in enumerate(opens)}
    columns: dict[str, list[list[float] | None]] = {}
    for symbol, rows in bars.items():
        if any(after.open_ms - before.open_ms < step_ms for before, after in pairwise(rows)):
            raise ValueError(f"the bars of {symbol} are not in order, each once")
        columns[symbol] = [None] * len(opens)
        for bar in rows:
            columns[symbol][place[bar.open_ms]] = [bar.open, bar.high, bar.low, bar.close, bar.volume]
    payload = {"until_ms": until_ms, "open_ms": opens, "bars": columns}
    return Event(ts_ms=until_ms, kind=EventKind.TAPE_GREW, payload=payload)


def funding_event(symbol: str, rates: Sequence[tuple[int, float]], since_ms: int, until_ms: int) -> Event:
    """Rates that a perpetual settled, with their instants, as they were told while the tape grew from ``since_ms``."""
    payload = {"instrument": symbol, "since_ms": since_ms, "rates": [list(row) for row in sorted(rates)]}
    return Event(ts_ms=until_ms, kind=EventKind.FUNDING_TOLD, payload=payload)


def _table(rows: Sequence[Sequence[float] | None] | None, count: int) -> np.ndarray:
    table = np.full((count, len(COLUMNS)), np.nan)
    for row, values in enumerate(rows or ()):
        if values is not None:
            table[row] = values
    return table
