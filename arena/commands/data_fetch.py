"""``tradefloor data fetch``: candles of an exchange into the store, going on where it stopped."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arena.candles import candle_store
from arena.commands.output import print_json, say
from arena.commands.progress import RoundProgress
from arena.settings import Settings
from trading.domain.clock import SystemClock
from trading.domain.errors import ConfigError, RequestError
from trading.domain.instants import duration_ms, duration_text, iso, parse_instant, to_ms
from trading.marketdata.store import CandleStore, Fetched, SeriesKey, Span, fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to fetch. ``since`` None goes on from the last bar stored, ``until`` None ends now."""

    venue: str
    instruments: Sequence[str]
    timeframe: str
    since: str | None
    until: str | None
    endpoint: str | None
    again: bool


def bring_in(order: Order, *, home: Path | None, as_json: bool) -> None:
    """Fetch each instrument in turn; what came before an error or an interrupt is kept."""
    store = candle_store(Settings.load({"home": home}))
    step_ms = duration_ms(order.timeframe)
    keys = [SeriesKey(venue=order.venue, symbol=name, step_ms=step_ms) for name in dict.fromkeys(order.instruments)]
    spans = [_span(store, key, order) for key in keys]
    rows = asyncio.run(_fetch_all(store, list(zip(keys, spans, strict=True)), order))
    if as_json:
        print_json({"store": str(store.root), "series": rows})
        return
    for row in rows:
        typer.echo(
            f"{row['venue']} {row['instrument']} {row['timeframe']}: "
            f"{row['added']:,} bars added, {row['rows']:,} in all"
        )
        if row["refused"]:
            say(f"      {row['refused']} rows were no sound candles and are left out")
        if row["conflict_bars"]:
            say(f"      {row['conflict_bars']} bars differ from the store, which keeps its own; --json lists them")


async def _fetch_all(
    store: CandleStore, wanted: Sequence[tuple[SeriesKey, Span]], order: Order
) -> list[dict[str, Any]]:
    rows = []
    async with _source(order) as source:
        for key, span in wanted:
            bars = (span.end_ms - span.begin_ms) // key.step_ms
            say(f"{key.venue} {key.symbol} {order.timeframe}: {iso(span.begin_ms)} .. {iso(span.end_ms)}")
            with RoundProgress(bars, unit="bar") as progress:
                found = await fetch(
                    store,
                    key,
                    source,
                    span,
                    name=f"{key.venue} REST",
                    clock=SystemClock(),
                    again=order.again,
                    on_progress=lambda done, shown=progress: shown.advance(done - 1),  # type: ignore[misc]  # bound now
                )
            rows.append(_row(store, key, found))
    return rows


def _source(order: Order) -> AbstractAsyncContextManager[Any]:
    from trading.marketdata.exchange import Endpoints, ExchangeSpec, open_candles

    endpoints = None
    if order.endpoint is not None:
        endpoints = Endpoints(rest=order.endpoint, ws=order.endpoint.replace("http", "ws", 1))
    return open_candles(ExchangeSpec(exchange_id=order.venue, endpoints=endpoints))


def _span(store: CandleStore, key: SeriesKey, order: Order) -> Span:
    now_ms = SystemClock().now_ms()
    end_ms = now_ms if order.until is None else min(now_ms, to_ms(parse_instant(order.until)))
    if order.since is not None:
        begin_ms = to_ms(parse_instant(order.since))
    else:
        row = store.row_of(key)
        if row is None:
            raise ConfigError(
                f"{key.venue} {key.symbol} {duration_text(key.step_ms)} is not in the store yet; "
                "say from when with --since"
            )
        begin_ms = row.last_ms + key.step_ms
    begin_ms, end_ms = -(-begin_ms // key.step_ms) * key.step_ms, end_ms // key.step_ms * key.step_ms
    if begin_ms >= end_ms and order.since is not None:
        raise RequestError(f"no bar of {order.timeframe} from {iso(begin_ms)} to {iso(end_ms)}; since must lie before")
    return Span(begin_ms, max(begin_ms, end_ms))


def _row(store: CandleStore, key: SeriesKey, found: Fetched) -> dict[str, Any]:
    entry = store.row_of(key)
    return {
        "venue": key.venue,
        "instrument": key.symbol,
        "timeframe": duration_text(key.step_ms),
        "rows": entry.rows if entry else 0,
        "added": found.added,
        "repeated": found.repeated,
        "refused": found.refused,
        "pages": found.pages,
        "conflict_bars": found.conflict_bars,
        "conflicts": [conflict.to_json() for conflict in found.conflicts],
    }
