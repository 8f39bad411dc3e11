"""What an execution venue must be able to do, simulated or real: the port behind which every exchange stands.

Every call may take time and fail. A refusal is final (``OrderRejected``); a call that may or may not have reached the
venue raises ``UnknownOrderState``, and then the venue is asked, never sent to again. Orders are known by the client
order id that the house derived, so that asking needs no memory of the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from trading.domain.fill import Liquidity
from trading.domain.intent import Side
from trading.domain.order import Order, OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue tells it. ``status`` is never UNKNOWN; ``filled`` may run ahead of the fills told.

    ``side``, ``limit_price`` and ``created_ms`` are told where the venue repeats them.
    """

    client_order_id: str
    venue_order_id: str
    instrument: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    reason: str = ""
    code: str = ""
    side: Side | None = None
    limit_price: Decimal | None = None
    created_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFill:
    """One execution as the venue tells it. ``fee`` is in the quote currency, positive when paid.

    ``arrival`` is the price the market showed when the order arrived, where the venue knows it. ``charged`` is what was
    taken in another currency than the quote, and ``fee`` then its worth; ``realised`` is the profit of a closed part
    as the venue books it.
    """

    venue_fill_id: str
    client_order_id: str
    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    ts_ms: int
    arrival: Decimal | None = None
    charged: Decimal | None = None
    charged_currency: str = ""
    realised: Decimal | None = None


class CashKind(StrEnum):
    """Why cash moved at a venue without an execution."""

    FUNDING = "funding"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    REBATE = "rebate"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCash:
    """A movement of cash that no execution tells. ``amount`` is what it changed the balance of ``currency`` by:
    negative when that shrank. ``cash_id`` is one movement's alone at the venue; ``instrument`` is empty where none is
    meant.
    """

    cash_id: str
    kind: CashKind
    currency: str
    amount: Decimal
    ts_ms: int
    instrument: str = ""


@runtime_checkable
class CashHistory(Protocol):
    """What a venue may do besides: tell why its balances moved."""

    async def cash_since(self, ts_ms: int) -> Sequence[VenueCash]:
        """Movements at or after the instant, oldest first, and older ones that became certain late; one may be told
        again. Raises UnknownOrderState when nothing was heard, RequestError where the venue does not let it be asked.
        """
        ...


class Venue(Protocol):
    """An exchange account. Quantities are in base units, whatever the venue counts in."""

    @property
    def name(self) -> str:
        """The name under which fills and delays are reported."""
        ...

    async def place(self, order: Order) -> VenueOrder:
        """Send an order and return the acknowledgement. Raises OrderRejected or UnknownOrderState."""
        ...

    async def cancel(self, client_order_id: str, instrument: str) -> VenueOrder:
        """Ask for a cancellation and say where the order stands then: FILLED when it came too late.

        Raises OrderRejected for an order that the venue does not know, UnknownOrderState when nothing was heard.
        """
        ...

    async def order(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """Where an order stands; None when the venue does not know it. Raises UnknownOrderState."""
        ...

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Every order that may still fill."""
        ...

    async def fills_since(self, ts_ms: int) -> Sequence[VenueFill]:
        """Fills at or after the instant, oldest first; one may be told again."""
        ...

    async def balances(self) -> Mapping[str, Decimal]:
        """What is held of each currency, free or bound."""
        ...

    async def positions(self) -> Mapping[str, Decimal]:
        """Signed quantity by instrument; what is flat is left out."""
        ...
