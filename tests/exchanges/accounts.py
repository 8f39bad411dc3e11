"""What an account of a loopback exchange is to the wire in front of it, whoever matches its orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def live(self) -> bool:
        return self in (Status.OPEN, Status.PARTIAL)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An order as the wire understood it. ``kind`` is market, limit, stop, take_profit or trailing."""

    client_id: str
    instrument: str
    buys: bool
    kind: str
    quantity: Decimal
    limit: Decimal | None = None
    trigger: Decimal | None = None
    trail: Decimal | None = None
    tif: str = "GTC"
    post_only: bool = False
    reduce_only: bool = False
    expires_ms: int | None = None


@dataclass(kw_only=True)
class Held:
    """An order as the account keeps it."""

    number: int
    asked: Asked
    created_ms: int
    updated_ms: int
    status: Status = Status.OPEN
    filled: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    reason: str = ""

    @property
    def conditional(self) -> bool:
        return self.asked.trigger is not None or self.asked.trail is not None


@dataclass(frozen=True, kw_only=True)
class Traded:
    """An execution. The fee is in ``fee_currency``; ``realised`` is profit of a perpetual position that it closed."""

    number: int
    order: Held
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    at_ms: int
    realised: Decimal = Decimal(0)


@dataclass(kw_only=True)
class Moved:
    """Cash that moved without a trade: ``kind`` is funding, deposit, withdrawal, rebate or clearance.

    ``amount`` is what it did to the balance before a ``fee`` of a withdrawal, which was taken besides.
    """

    number: int
    kind: str
    currency: str
    amount: Decimal
    at_ms: int
    instrument: str = ""
    fee: Decimal = Decimal(0)
    status: str = "done"


class Refused(Exception):
    """The account does not take the order. ``why`` is a word of ours; each wire has its own code for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


Listener = Callable[[Held, Traded | None], None]


class Account(Protocol):
    """The account behind a wire."""

    listeners: list[Listener]

    def place(self, asked: Asked) -> Held: ...
    def cancel(self, held: Held) -> None: ...
    def orders(self) -> Sequence[Held]: ...
    def trades(self) -> Sequence[Traded]: ...
    def balances(self) -> Mapping[str, tuple[Decimal, Decimal]]: ...  # free, locked
    def positions(self) -> Mapping[str, tuple[Decimal, Decimal]]: ...  # quantity, cost
    def last(self, instrument: str) -> Decimal: ...
    def moved(self) -> Sequence[Moved]: ...


def found(account: Account, *, client_id: str | None = None, number: int | None = None) -> Held | None:
    """The newest order by the client's id or the account's number."""
    for held in reversed(account.orders()):
        if (number is not None and held.number == number) or (
            client_id is not None and held.asked.client_id == client_id
        ):
            return held
    return None


class OrderFault(StrEnum):
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "acknowledgement lost after acceptance"
    FILL_FIRST = "fill before acknowledgement"
    DUPLICATE_ACK = "duplicate acknowledgement"
    SERVER_ERROR = "5xx before acceptance"
    SERVER_ERROR_AFTER = "5xx after acceptance"
    LATE_ACK = "late acknowledgement"
    RATE_LIMIT = "429"
    MAINTENANCE = "maintenance"
    CANCEL_LOST = "cancel accepted, answer lost"
    VANISHED = "order vanished"
    WRONG_BALANCE = "wrong balance"
    CLOCK_SKEW = "timestamp refused"
    FILLS_HIDDEN = "fills told late"
    CASH_TWICE = "movements of cash told twice"
    CASH_LATE = "movements of cash told late"
    CASH_RUBBISH = "movements of cash without numbers"
    CASH_REFUSED = "movements of cash not for this key"


@dataclass
class OrderFaults:
    """Which faults strike the next private calls, and how often each did."""

    armed: dict[OrderFault, int] = field(default_factory=dict)
    struck: dict[OrderFault, int] = field(default_factory=dict)

    def arm(self, fault: OrderFault, times: int = 1) -> None:
        self.armed[fault] = self.armed.get(fault, 0) + times

    def strikes(self, fault: OrderFault) -> bool:
        if not self.armed.get(fault):
            return False
        self.armed[fault] -= 1
        self.struck[fault] = self.struck.get(fault, 0) + 1
        return True

    def clear(self) -> None:
        self.armed.clear()


def moved_now(account: Account, faults: OrderFaults, kinds: Sequence[str], since_ms: int) -> list[Moved]:
    """What an account tells of cash, as far as faults let it."""
    if faults.strikes(OrderFault.CASH_LATE):
        return []
    rows = [one for one in account.moved() if one.kind in kinds and one.at_ms >= since_ms]
    return rows * 2 if faults.strikes(OrderFault.CASH_TWICE) else rows


class Refusal(Exception):
    """An answer that is an error: HTTP status, body and headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


class HangUp(Exception):
    """The connection breaks without an answer."""
