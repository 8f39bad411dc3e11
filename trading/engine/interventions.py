"""What the house does unasked: it cuts back what broke a limit, guards positions, and closes them when it is told to.

Each answers with events to be written down one by one: the next is made from what the one before it changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from trading.domain import ids
from trading.domain.account import AccountView
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.event import Event, EventKind
from trading.domain.order import FLATTEN, RISK, Order, part_of
from trading.domain.position import Position
from trading.engine.outgoing import order_for, ordered_event
from trading.engine.protection import Protection, ProtectionPolicy
from trading.engine.round import Round
from trading.engine.setup import Setup
from trading.engine.supervision import Supervision
from trading.execution.orders import OpenOrders
from trading.ledger.ledger import Ledger
from trading.risk.kill_switch import Halt
from trading.risk.post_trade import reducing_intents
from trading.venues.simulated.costs import Costs

FORCED_LEG = 10_000
"""Legs from here on are the house's own: no desk may send so many in a round."""

CLOSING_PATIENCE_MS = 5_000
"""A venue elsewhere that refused to close a position is not asked again sooner."""


class Interventions:
    """The house's own orders and cancellations. ``account`` gives a desk's account in the open round.

    A position that a halt closed, and that stands without an order of it, is closed again after ``patience_ms``.
    """

    def __init__(
        self,
        setup: Setup,
        costs: Costs,
        orders: OpenOrders,
        ledger: Ledger,
        supervision: Supervision,
        protection: Protection,
        account: Callable[[str], AccountView],
        *,
        patience_ms: int = 0,
    ) -> None:
        self._setup = setup
        self._costs = costs
        self._orders = orders
        self._ledger = ledger
        self._supervision = supervision
        self._protection = protection
        self._account = account
        self._patience_ms = patience_ms
        self._closed_ms: dict[tuple[str, str], int] = {}

    def cut_back(self, opened: Round) -> Iterator[Event]:
        """What brings desks back within limits that were broken after the trade; nobody is asked."""
        breakers = self._supervision.breakers
        for breach in () if breakers.halted else self._supervision.breaches():
            desk = breach.scope
            decision_id = ids.decision_id(self._setup.season, desk, opened.index)
            cause = Decision(decision_id=decision_id, desk=desk, round_index=opened.index, status=DecisionStatus.ACTED)
            # What is still to leave of an order that is worked comes too late to be counted on.
            account = replace(self._account(desk), open_orders=self._orders.of(desk))
            intents = reducing_intents(account, breach, self._setup.instruments)
            for leg, intent in enumerate(intents, start=FORCED_LEG):
                order = order_for(
                    cause,
                    intent,
                    intent.quantity,
                    intent_id=ids.intent_id(decision_id, FORCED_LEG, leg),
                    leg=leg,
                    as_of_ms=opened.as_of_ms,
                    setup=self._setup,
                    costs=self._costs,
                    reduce_only=breakers.reduce_only(desk),
                    origin=RISK,
                )
                yield ordered_event(order, decision_id)

    def guard(self, policy: ProtectionPolicy, opened: Round) -> Iterator[Event]:
        """Set the stops of every position where ``policy`` says."""
        for desk, account in self._ledger.accounts.items():
            for position in tuple(account.positions.values()):
                levels = policy.levels(desk, position, opened.view)
                if levels is not None:
                    yield from self._protection.guard(desk, position, levels, opened.as_of_ms)

    def take_back(self, as_of_ms: int) -> Iterator[Event]:
        """Cancel the resting orders that have to go, as halts and breakers say."""
        for order, reason in tuple(self._supervision.barred(self._orders.all())):
            yield cancelled_event(order, as_of_ms, reason)

    def flatten(self, as_of_ms: int) -> Iterator[Event]:
        """Close at the market every position that nothing closes yet."""
        for desk, position in tuple(self._unclosed(as_of_ms)):
            self._closed_ms[desk, position.instrument] = as_of_ms
            yield from self._protection.close(desk, position, as_of_ms)

    def has_to_flatten(self, halt: Halt, as_of_ms: int) -> bool:
        """Whether a halt asks for positions to be closed that nothing closes yet."""
        return halt.flatten and any(self._unclosed(as_of_ms))

    def _unclosed(self, as_of_ms: int) -> Iterator[tuple[str, Position]]:
        """Positions for which no closing order is on its way."""
        closing = {(order.desk, order.instrument) for order in self._orders.all() if order.origin == FLATTEN}
        for desk, account in self._ledger.accounts.items():
            for position in tuple(account.positions.values()):
                key = desk, position.instrument
                waits = (
                    self._patience_ms and as_of_ms - self._closed_ms.get(key, -self._patience_ms) < self._patience_ms
                )
                if key not in closing and not waits:
                    yield desk, position


def cancelled_event(order: Order, as_of_ms: int, reason: str) -> Event:
    """The end of an order that the house takes back."""
    payload = {"order_id": order.order_id, "desk": order.desk, "reason": reason, **part_of(order)}
    return Event(ts_ms=as_of_ms, kind=EventKind.ORDER_CANCELLED, payload=payload)
