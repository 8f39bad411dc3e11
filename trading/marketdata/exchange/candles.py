"""Candles of an exchange over REST, page by page, oldest first."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms, iso
from trading.marketdata.candles import CandleSeries
from trading.marketdata.exchange.calls import Backoff, Caller
from trading.marketdata.exchange.connection import ExchangeSpec, load_markets, market_symbol, open_exchange
from trading.marketdata.exchange.facts import ExchangeFacts, exchange_facts
from trading.marketdata.naming import SeriesKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlePage:
    """One page of closed candles, in order, without doubles. ``refused`` counts rows that are no candles.

    ``next_ms`` is where the page after this one begins: keep it to go on later from there.
    """

    series: CandleSeries
    refused: int
    next_ms: int


class CandleSource:
    """The candles of one exchange. Made by :func:`open_candles`, which loads its markets first."""

    def __init__(self, caller: Caller, facts: ExchangeFacts, clock: Clock) -> None:
        self._caller = caller
        self._facts = facts
        self._clock = clock

    async def candles(
        self, instrument: str, timeframe: str, since_ms: int, until_ms: int | None = None
    ) -> AsyncIterator[CandlePage]:
        """Pages of the candles that open in [``since_ms``, ``until_ms``) and have closed by now.

        A page may be empty where the exchange was down. Raises RequestError for an instrument or timeframe that the
        exchange does not have, and for a beginning older than it serves; SourceUnavailable when it stays silent.
        """
        exchange = self._caller.exchange
        symbol = market_symbol(exchange, instrument)
        step = duration_ms(timeframe)
        if exchange.timeframes and timeframe not in exchange.timeframes:
            raise RequestError(f"{exchange.id} has no {timeframe} candles; it has {', '.join(exchange.timeframes)}")
        closed = self._clock.now_ms() // step * step
        end = closed if until_ms is None else min(until_ms, closed)
        begin = -(-since_ms // step) * step
        self._within_reach(timeframe, step, begin, closed)
        while begin < end:
            room = min(self._facts.candle_page, -(-(end - begin) // step))
            rows = await self._caller.ask(
                f"{timeframe} candles of {instrument} from {iso(begin)}", self._request(symbol, timeframe, begin, room)
            )
            page = read_page(rows, instrument, step, begin, end)
            newest = int(page.series.open_ms[-1]) + step if len(page.series) else 0
            begin = max(newest, begin + room * step) if newest < end else end
            yield CandlePage(series=page.series, refused=page.refused, next_ms=min(begin, end))

    def _request(self, symbol: str, timeframe: str, begin: int, room: int) -> Callable[[], Any]:
        return lambda: self._caller.exchange.fetch_ohlcv(symbol, timeframe, since=begin, limit=room)

    def _within_reach(self, timeframe: str, step: int, begin: int, closed: int) -> None:
        reach = self._facts.recent_candles
        if reach is not None and begin < closed - reach * step:
            oldest = iso(closed - reach * step)
            raise RequestError(
                f"{self._caller.exchange.id} serves the last {reach} {timeframe} candles only: begin at {oldest} or"
                " later, or import a file"
            )


@asynccontextmanager
async def open_candles(
    spec: ExchangeSpec, *, clock: Clock | None = None, backoff: Backoff | None = None
) -> AsyncIterator[CandleSource]:
    """A source of candles, with the exchange's markets loaded; closed at the end."""
    async with open_exchange(spec) as exchange:
        caller = Caller(exchange=exchange, backoff=backoff or Backoff())
        await load_markets(caller)
        yield CandleSource(caller, exchange_facts(spec.exchange_id), clock or SystemClock())


def read_page(rows: Any, instrument: str, step_ms: int, begin_ms: int, end_ms: int) -> CandlePage:
    """The good rows among ccxt's ``[open_ms, open, high, low, close, volume]`` that open in [``begin_ms``, ``end_ms``).

    A row is refused, and counted, that is off the grid, not finite, not above zero, or not in itself consistent.
    """
    good: dict[int, tuple[float, ...]] = {}
    refused = 0
    for row in rows if isinstance(rows, list) else []:
        candle = _candle(row, step_ms)
        if candle is None:
            refused += 1
        elif begin_ms <= candle[0] < end_ms:
            good[candle[0]] = candle[1]
    opens = np.array(sorted(good), dtype=np.int64)
    table = np.array([good[int(at)] for at in opens], dtype=np.float64).reshape(len(opens), 5)
    series = CandleSeries(
        symbol=instrument,
        step_ms=step_ms,
        kind=SeriesKind.CANDLES,
        open_ms=opens,
        open=table[:, 0],
        high=table[:, 1],
        low=table[:, 2],
        close=table[:, 3],
        volume=table[:, 4],
    )
    return CandlePage(series=series, refused=refused, next_ms=end_ms)


def _candle(row: Any, step_ms: int) -> tuple[int, tuple[float, ...]] | None:
    try:
        at = int(row[0])
        opened, high, low, close, volume = (float(value) for value in row[1:6])
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    prices = (opened, high, low, close)
    sound = (
        at % step_ms == 0
        and np.isfinite((*prices, volume)).all()
        and low > 0
        and low <= min(opened, close)
        and high >= max(opened, close)
        and volume >= 0
    )
    return (at, (*prices, volume)) if sound else None
