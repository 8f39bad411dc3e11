"""The life of an order as data: which happening leads from which state to which, and what is refused by name.

Venues tell late, twice and out of order. A fill may come before the acknowledgement, an acknowledgement twice, a
cancellation after the last fill, and a fill after the cancellation that it had overtaken: all of that is taken in, and
no fill is lost or counted twice. What contradicts itself (a fill of a rejected order, more filled than ordered) is
refused with :class:`~trading.domain.errors.IllegalTransition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from trading.domain.errors import IllegalTransition
from trading.domain.money import ZERO, money_text
from trading.domain.order import OrderStatus


class Happening(StrEnum):
    """What can happen to an order. FILL leaves something open, COMPLETE does not; LOSE: its fate is not known."""

    GATE = "gate"
    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    TRIGGER = "trigger"
    FILL = "fill"
    COMPLETE = "complete"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"
    LOSE = "lose"


_S, _H = OrderStatus, Happening

_LIVE = {
    _H.FILL: _S.PARTIALLY_FILLED,
    _H.COMPLETE: _S.FILLED,
    _H.CANCEL: _S.CANCELLED,
    _H.EXPIRE: _S.EXPIRED,
    _H.LOSE: _S.UNKNOWN,
}


def _ended(state: OrderStatus) -> dict[Happening, OrderStatus]:
    """What an order that was closed unfilled still hears: echoes, and fills that the closing had overtaken."""
    late = {_H.FILL: state, _H.COMPLETE: _S.FILLED}
    return late | dict.fromkeys((_H.ACKNOWLEDGE, _H.TRIGGER, _H.CANCEL, _H.EXPIRE, _H.LOSE), state)


TRANSITIONS: Mapping[OrderStatus, Mapping[Happening, OrderStatus]] = MappingProxyType(
    {
        _S.PROPOSED: {_H.GATE: _S.GATED, _H.REJECT: _S.REJECTED},
        _S.GATED: {_H.SEND: _S.SENT, _H.REJECT: _S.REJECTED, _H.CANCEL: _S.CANCELLED},
        _S.SENT: {**_LIVE, _H.ACKNOWLEDGE: _S.OPEN, _H.TRIGGER: _S.OPEN, _H.REJECT: _S.REJECTED},
        _S.OPEN: {**_LIVE, _H.ACKNOWLEDGE: _S.OPEN, _H.TRIGGER: _S.OPEN, _H.REJECT: _S.REJECTED},
        _S.PARTIALLY_FILLED: {
            **_LIVE,
            _H.ACKNOWLEDGE: _S.PARTIALLY_FILLED,
            _H.TRIGGER: _S.PARTIALLY_FILLED,
        },
        _S.UNKNOWN: {**_LIVE, _H.ACKNOWLEDGE: _S.OPEN, _H.TRIGGER: _S.OPEN, _H.REJECT: _S.REJECTED},
        _S.FILLED: dict.fromkeys((_H.ACKNOWLEDGE, _H.TRIGGER, _H.CANCEL, _H.EXPIRE, _H.LOSE), _S.FILLED),
        _S.CANCELLED: _ended(_S.CANCELLED),
        _S.EXPIRED: _ended(_S.EXPIRED),
        _S.REJECTED: dict.fromkeys((_H.REJECT, _H.CANCEL, _H.LOSE), _S.REJECTED),
    }
)
"""Every step that an order may take; a step that is not here is illegal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLife:
    """Where one order stands. ``filled`` is the sum of its fills, each counted once by its id."""

    order_id: str
    quantity: Decimal
    status: OrderStatus = OrderStatus.PROPOSED
    filled: Decimal = ZERO
    fill_ids: frozenset[str] = frozenset()

    @property
    def left(self) -> Decimal:
        """What was ordered and not filled."""
        return self.quantity - self.filled

    @property
    def is_live(self) -> bool:
        """Whether it may still fill as far as is known: after it was sent and before it ended."""
        return not self.status.is_final and self.status not in (OrderStatus.PROPOSED, OrderStatus.GATED)

    def after(self, happening: Happening) -> "OrderLife":
        """The life after something other than a fill. Raises IllegalTransition by the names of state and step."""
        to = TRANSITIONS[self.status].get(happening)
        if to is None or (to is OrderStatus.REJECTED and self.filled > 0):
            raise IllegalTransition(
                f"order {self.order_id} is {self.status.value} with {money_text(self.filled)} of "
                f"{money_text(self.quantity)} filled: it cannot {happening.value}"
            )
        if to is OrderStatus.OPEN and self.filled > 0:
            to = OrderStatus.PARTIALLY_FILLED
        return self if to is self.status else replace(self, status=to)

    def after_fill(self, fill_id: str, quantity: Decimal, *, last: bool = False) -> "OrderLife":
        """The life after a fill of ``quantity``; a fill that was counted already changes nothing.

        ``last`` ends the order although something is left of it: a venue cut it to what the account can carry.
        """
        if fill_id in self.fill_ids:
            return self
        if not quantity > 0:
            raise IllegalTransition(
                f"order {self.order_id}: fill {fill_id} of {money_text(quantity)}, expected above 0"
            )
        filled = self.filled + quantity
        if filled > self.quantity:
            raise IllegalTransition(
                f"order {self.order_id} over {money_text(self.quantity)}: fill {fill_id} would make it "
                f"{money_text(filled)}"
            )
        whole = last or filled == self.quantity
        moved = self.after(Happening.COMPLETE if whole else Happening.FILL)
        return replace(moved, filled=filled, fill_ids=self.fill_ids | {fill_id})
