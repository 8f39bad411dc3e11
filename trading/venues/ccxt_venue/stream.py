"""The account's own stream: what happens to orders, told sooner than asking finds out. Nothing relies on it alone."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from trading.marketdata.exchange.calls import Backoff, Sleep
from trading.venues.ccxt_venue.refusals import failures
from trading.venues.ccxt_venue.venue import CcxtVenue
from trading.venues.port import VenueOrder

RECONNECTING = Backoff(first_s=0.5, cap_s=30.0)


def has_stream(venue: CcxtVenue) -> bool:
    """Whether ccxt reads the order stream of this exchange; where not, orders are polled."""
    return bool(venue.exchange.has.get("watchOrders"))


async def order_changes(
    venue: CcxtVenue,
    *,
    backoff: Backoff = RECONNECTING,
    rng: np.random.Generator | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[VenueOrder]:
    """Every change of an order as the stream tells it, for ever: lost connections are opened again after a pause.

    A change may be told twice, and those of a time without a connection are not told at all: whoever listens asks for
    fills and states as well.
    """
    rng = rng or np.random.default_rng()
    attempt = 0
    while True:
        try:
            rows = await venue.exchange.watch_orders()
        except failures():
            await sleep(backoff.wait_s(attempt, rng))
            attempt += 1
            continue
        attempt = 0
        for row in rows:
            told = venue.heard(row)
            if told is not None:
                yield told
