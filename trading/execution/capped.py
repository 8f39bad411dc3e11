"""The last wall before a real exchange: an order worth more than the cap never leaves, and a run starts flat."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from trading.domain.errors import ConfigError, OrderRejected
from trading.domain.money import money_text
from trading.domain.order import Order
from trading.domain.reject import RejectCode
from trading.venues.port import CashHistory, Venue, VenueCash, VenueFill, VenueOrder


class CappedVenue:
    """A venue to which no order goes that is worth more than ``max_notional``, in the quote currency.

    ``price_of`` gives an instrument's last known price, None where there is none. An order is valued at the worst of
    that and the prices it names, a part of one that is worked by the whole of it; one that cannot be valued does not
    leave. What only closes a position is not held
    back: a cap must not keep anybody in.
    """

    def __init__(self, inner: Venue, max_notional: Decimal, price_of: Callable[[str], Decimal | None]) -> None:
        if not max_notional.is_finite() or max_notional <= 0:
            raise ConfigError(f"the cap of live orders is {max_notional}, expected an amount above zero")
        self._inner = inner
        self._cap = max_notional
        self._price_of = price_of

    @property
    def name(self) -> str:
        """See :class:`~trading.venues.port.Venue`."""
        return self._inner.name

    async def place(self, order: Order) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`; OrderRejected for what is above the cap, before it is sent."""
        if not order.reduce_only:
            last = self._price_of(order.instrument)
            named = [price for price in (last, order.limit_price, order.trigger_price) if price is not None]
            if last is None or not named:
                raise OrderRejected(
                    f"{order.instrument} has no price, so the order cannot be held against the cap",
                    code=RejectCode.ABOVE_CAP.value,
                )
            worth = max(named) * (order.parent_quantity or order.quantity)
            if worth > self._cap:
                raise OrderRejected(
                    f"worth {money_text(worth)}, above the live cap of {money_text(self._cap)}",
                    code=RejectCode.ABOVE_CAP.value,
                )
        return await self._inner.place(order)

    async def cancel(self, client_order_id: str, instrument: str) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.cancel(client_order_id, instrument)

    async def order(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.order(client_order_id, instrument)

    async def open_orders(self) -> Sequence[VenueOrder]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.open_orders()

    async def fills_since(self, ts_ms: int) -> Sequence[VenueFill]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.fills_since(ts_ms)

    async def balances(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.balances()

    async def positions(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.positions()


class _CappedWithHistory(CappedVenue):
    """One that also tells why its balances moved."""

    def __init__(
        self, inner: Venue, history: CashHistory, max_notional: Decimal, price_of: Callable[[str], Decimal | None]
    ) -> None:
        super().__init__(inner, max_notional, price_of)
        self._history = history

    async def cash_since(self, ts_ms: int) -> Sequence[VenueCash]:
        """See :class:`~trading.venues.port.CashHistory`."""
        return await self._history.cash_since(ts_ms)


def capped(venue: Venue, max_notional: Decimal, price_of: Callable[[str], Decimal | None]) -> CappedVenue:
    """``venue`` behind the cap, with all else that it can."""
    if isinstance(venue, CashHistory):
        return _CappedWithHistory(venue, venue, max_notional, price_of)
    return CappedVenue(venue, max_notional, price_of)


async def check_flat(venue: Venue, quote: str, *, adopt: bool) -> None:
    """Refuse an account that is not flat, unless its holdings are to be adopted: positions, orders, other currencies.

    Raises ConfigError that says what was found.
    """
    if adopt:
        return
    found = [f"{quantity} {symbol}" for symbol, quantity in (await venue.positions()).items() if quantity]
    found += [f"order {order.client_order_id or order.venue_order_id}" for order in await venue.open_orders()]
    found += [
        f"{amount} {currency}" for currency, amount in (await venue.balances()).items() if amount and currency != quote
    ]
    if found:
        raise ConfigError(
            f"the account at {venue.name} is not flat: {', '.join(found[:5])}; close it, or say adopt = true in the "
            "limits file of live seasons"
        )
