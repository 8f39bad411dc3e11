"""``tradefloor data record``: the live feed of an exchange into the stores of ticks and candles, until it is enough."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arena.candles import candle_store, tick_store
from arena.commands.output import print_json, say
from arena.settings import Settings
from trading.domain.clock import SystemClock
from trading.domain.instants import duration_ms
from trading.marketdata.store import SeriesKey

if TYPE_CHECKING:
    from trading.marketdata.exchange import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to record; ``duration`` None means until it is interrupted."""

    venue: str
    instruments: Sequence[str]
    timeframe: str
    duration: str | None
    endpoint: str | None


def write_down(order: Order, *, home: Path | None, as_json: bool) -> None:
    """Record and say what came of it. An interrupt ends a recording as its end does; what came is kept."""
    settings = Settings.load({"home": home})
    step_ms = duration_ms(order.timeframe)
    names = tuple(dict.fromkeys(order.instruments))
    for name in names:
        SeriesKey(venue=order.venue, symbol=name, step_ms=step_ms)  # refuses rubbish before anything is asked
    seconds = None if order.duration is None else duration_ms(order.duration) / 1000
    told: list[Recorded] = []
    interrupted = False
    try:
        asyncio.run(_record(order, names, seconds, settings, told))
    except KeyboardInterrupt:
        interrupted = True
    if told:
        _tell(order.venue, told[-1], settings, as_json=as_json)
    if interrupted and not told:
        raise KeyboardInterrupt


async def _record(
    order: Order, names: tuple[str, ...], seconds: float | None, settings: Settings, told: "list[Recorded]"
) -> None:
    from trading.marketdata.exchange import Endpoints, ExchangeSpec, FeedSpec, StreamKind, open_feed, record

    endpoints = None
    if order.endpoint is not None:
        endpoints = Endpoints(rest=order.endpoint, ws=order.endpoint.replace("http", "ws", 1))
    kinds = {
        StreamKind.BOOK,
        StreamKind.TRADES,
        StreamKind.CANDLES,
        StreamKind.FUNDING,
        StreamKind.OPEN_INTEREST,
    }
    spec = FeedSpec(
        exchange=ExchangeSpec(exchange_id=order.venue, endpoints=endpoints),
        instruments=names,
        streams=frozenset(kinds),
        timeframe=order.timeframe,
    )
    clock = SystemClock()

    def note(recorded: "Recorded") -> None:
        told.append(recorded)
        say(f"{order.venue}: {_words(recorded)}")

    async with open_feed(spec, clock=clock) as feed:
        await record(feed, tick_store(settings), candle_store(settings), clock=clock, seconds=seconds, on_progress=note)


def _words(recorded: "Recorded") -> str:
    rows = ", ".join(f"{name} {kind} {count:,}" for (name, kind), count in sorted(recorded.rows.items()))
    return f"{rows or 'nothing yet'}; {recorded.breaks} breaks"


def _tell(venue: str, recorded: "Recorded", settings: Settings, *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"instrument": name, "series": kind, "rows": count} for (name, kind), count in sorted(recorded.rows.items())
    ]
    if as_json:
        print_json(
            {
                "venue": venue,
                "ticks": str(tick_store(settings).root),
                "candles": str(candle_store(settings).root),
                "breaks": recorded.breaks,
                "dropped": recorded.dropped,
                "recorded": rows,
            }
        )
        return
    for row in rows:
        typer.echo(f"{venue} {row['instrument']} {row['series']}: {row['rows']:,} rows")
