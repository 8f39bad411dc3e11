"""The executions of an account, page by page, in whichever order the exchange hands out its pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from trading.venues.ccxt_venue.facts import Pages, VenueFacts

Read = Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def executions(
    exchange: Any, facts: VenueFacts, read: Read, symbol: str | None, ts_ms: int, now_ms: int
) -> AsyncIterator[Mapping[str, Any]]:
    """Executions at or after ``ts_ms`` as ccxt tells them, each once; the next page begins where the one before ended.

    ``read`` asks with patience and raises UnknownOrderState where no answer comes.
    """
    since, seen, window = ts_ms, set[str](), facts.trades_window_ms
    beyond: dict[str, int] = {}
    while True:
        request = partial(exchange.fetch_my_trades, symbol, since or None, facts.page, dict(beyond))
        rows = await read("executions", request)
        fresh = [row for row in rows if row["id"] not in seen]
        seen |= {row["id"] for row in fresh}
        for row in fresh:
            yield row
        if len(rows) >= facts.page and fresh:
            if facts.pages is Pages.BACK:
                beyond = {"until": min(row["timestamp"] for row in fresh) + 1}
            elif facts.pages is Pages.OFFSET:
                beyond = {"ofs": len(seen)}
            else:
                since = max(row["timestamp"] for row in fresh)
        elif window and since and since + window < now_ms:
            since += window
        else:
            return
