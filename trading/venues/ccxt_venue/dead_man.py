"""The exchange's own dead-man switch: it cancels every order when it has not heard from us for a while.

It takes protective stops away too: a position is left without its stop, which is the price for not leaving orders
behind. Arm it where that is the lesser evil.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from trading.domain.errors import RequestError, UnknownOrderState
from trading.venues.ccxt_venue.refusals import failures, our_error
from trading.venues.ccxt_venue.venue import CcxtVenue

LEAST_MS = {"hyperliquid": 5_000}
"""The shortest timeout that an exchange takes; a second for the others."""


class VenueSwitch:
    """Binance USD-M ``countdownCancelAll`` (market by market), Kraken ``CancelAllOrdersAfter``, Hyperliquid
    ``scheduleCancel``. Raises RequestError where the exchange has none.
    """

    def __init__(self, venue: CcxtVenue) -> None:
        self.name = venue.name
        self._venue = venue
        self._call = _CALLS.get(venue.name)
        if self._call is None:
            raise RequestError(f"{venue.name} has no dead-man switch; those with one are {', '.join(sorted(_CALLS))}")

    async def arm(self, timeout_ms: int) -> None:
        """From now on every order goes unless this is called again within ``timeout_ms``; 0 disarms.

        Raises UnknownOrderState or OrderRejected where the exchange did not take it: the switch is not armed then.
        """
        least = LEAST_MS.get(self.name, 1_000)
        if timeout_ms and timeout_ms < least:
            raise RequestError(f"timeout {timeout_ms} ms: {self.name} takes at least {least} ms")
        assert self._call is not None, "checked when it was made"
        try:
            await self._call(self._venue, timeout_ms)
        except failures() as error:
            raise our_error(error, self._venue.facts, "arming the dead-man switch") from None


async def _binance(venue: CcxtVenue, timeout_ms: int) -> None:
    for name in venue.instruments:
        market = venue.listed(name)
        told = await venue.exchange.fapiPrivatePostCountdownCancelAll(
            {"symbol": market["id"], "countdownTime": timeout_ms}
        )
        if str(told.get("countdownTime")) != str(timeout_ms):
            raise UnknownOrderState(f"the dead-man switch of {name} answered {told}")


async def _unified(venue: CcxtVenue, timeout_ms: int) -> None:
    await venue.exchange.cancel_all_orders_after(timeout_ms)


async def _hyperliquid(venue: CcxtVenue, timeout_ms: int) -> None:
    if timeout_ms:
        await venue.exchange.cancel_all_orders_after(timeout_ms)
        return
    exchange: Any = venue.exchange
    nonce = exchange.milliseconds()
    action = {"type": "scheduleCancel"}  # without a time it takes the schedule away
    signature = exchange.sign_l1_action(action, nonce, None)
    await exchange.private_post_exchange({"nonce": nonce, "action": action, "signature": signature})


_CALLS: dict[str, Callable[[CcxtVenue, int], Awaitable[None]]] = {
    "binanceusdm": _binance,
    "kraken": _unified,
    "hyperliquid": _hyperliquid,
}
