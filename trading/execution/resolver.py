"""What became of an order whose fate is not known: asked of the venue, never found out by sending again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trading.domain.errors import UnknownOrderState
from trading.domain.order import Order
from trading.venues.port import Venue, VenueOrder

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePolicy:
    """How long to ask. A request may still be on its way: ``asks`` spread over ``wait_s`` seconds must outlast it."""

    asks: int = 5
    wait_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the venue said: ``order`` where it knows it, None where it surely does not; ``is_certain`` False while it
    cannot be asked, in which case the order stays unknown and its instrument is not traded.
    """

    order: VenueOrder | None
    is_certain: bool


async def resolve(
    venue: Venue, order: Order, policy: ResolvePolicy | None = None, *, sleep: Sleep = asyncio.sleep
) -> Resolution:
    """Ask until the venue knows the order, or has said ``asks`` times that it does not.

    A "not known" counts only when the list of open orders and the fills say the same: the single-order query of some
    venues lags behind both.
    """
    policy = policy or ResolvePolicy()
    denied = 0
    for attempt in range(2 * policy.asks):
        if attempt:
            await sleep(policy.wait_s)
        try:
            found = await venue.order(order.client_order_id, order.instrument)
            if found is None:
                found = await _listed(venue, order)
            if found is not None:
                return Resolution(order=found, is_certain=True)
            fills = await venue.fills_since(order.sent_ms)
        except UnknownOrderState:
            continue
        if any(fill.client_order_id == order.client_order_id for fill in fills):
            continue  # it has traded, so the venue will know it
        denied += 1
        if denied >= policy.asks:
            return Resolution(order=None, is_certain=True)
    return Resolution(order=None, is_certain=False)


async def _listed(venue: Venue, order: Order) -> VenueOrder | None:
    standing = await venue.open_orders()
    return next((one for one in standing if one.client_order_id == order.client_order_id), None)
