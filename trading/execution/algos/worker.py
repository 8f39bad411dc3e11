"""The worker of a parent: it sends children, follows them, and keeps to window, collar and whole lots."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from trading.domain import ids
from trading.domain.intent import OrderType, TimeInForce, TradeIntent
from trading.domain.money import ZERO
from trading.domain.order import Order
from trading.execution.algos.parent import Algorithm, MarketState, Parent, Progress, Wish
from trading.execution.orders import OpenOrders
from trading.execution.patience import NextStep, Patience
from trading.execution.sender import OrderSender

Allow = Callable[[TradeIntent], Decimal]
"""What the gate lets through of an intent: its quantity, less, or 0."""

RETRIES = 3
"""A child that rests in vain is quoted anew so often; the next one takes."""


class Worker:
    """Works one parent by an algorithm, one child at a time. Call :meth:`step` as time passes, after polling.

    Children that take are limit orders at the collar that do not rest, so that none trades beyond it. Their ids derive
    from the parent and their number: a restart that counts them in ``orders`` goes on without sending one twice.
    """

    def __init__(
        self, parent: Parent, algorithm: Algorithm, sender: OrderSender, orders: OpenOrders, *, allow: Allow
    ) -> None:
        self.parent = parent
        self.children: list[Order] = []
        self._algorithm = algorithm
        self._sender = sender
        self._orders = orders
        self._allow = allow
        self._patience = Patience(wait_ms=algorithm.patience_ms, retries=RETRIES)
        self._settled = ZERO
        self._counted = 0
        self._rested = 0

    @property
    def filled(self) -> Decimal:
        """What was filled so far."""
        return self._settled + sum((self._life_filled(child) for child in self.children[self._counted :]), ZERO)

    def is_done(self, now_ms: int) -> bool:
        """Whether nothing is left to do: all filled, or the window over and no child standing."""
        return self.filled >= self.parent.quantity or (now_ms >= self.parent.end_ms and self._standing() is None)

    async def step(self, market: MarketState) -> None:
        """Take back what waited too long, and send what is due. Nothing is sent outside the window."""
        standing = self._standing()
        if standing is not None:
            over = market.now_ms >= self.parent.end_ms
            waited = self._patience.next_step(market.now_ms - standing.sent_ms, self._rested)
            if not over and (waited is NextStep.WAIT or not standing.rests):
                return
            self._rested += 1
            await self._sender.cancel(standing)
            if self._standing() is not None:
                return  # not known to be gone: nothing goes out beside it
        self._settle()
        if not self.parent.start_ms <= market.now_ms < self.parent.end_ms or self._sender.unknown():
            return
        wish = self._algorithm.wish(self.parent, Progress(filled=self.filled), market)
        if wish is not None:
            await self._send(wish, market.now_ms)

    async def _send(self, wish: Wish, now_ms: int) -> None:
        left = self.parent.quantity - self.filled
        if wish.limit is not None and self._rested > RETRIES:
            wish = replace(wish, limit=None)
            self._rested = 0
        rests = wish.limit is not None
        limit = self.parent.worst_price if wish.limit is None else wish.limit
        intent = TradeIntent(
            instrument=self.parent.instrument.symbol,
            side=self.parent.side,
            quantity=min(wish.quantity, left),
            order_type=OrderType.LIMIT,
            limit_price=limit,
            time_in_force=TimeInForce.GTC if rests else TimeInForce.IOC,
            reason=f"child {len(self.children)} of {self.parent.parent_id}",
        )
        quantity = min(self._allow(intent), left)
        if quantity <= 0:
            return
        role = f"slice:{len(self.children)}"
        child = Order(
            order_id=ids.child_order_id(self.parent.parent_id, role),
            client_order_id=ids.child_client_order_id(self.parent.client_id, role),
            intent_id=self.parent.parent_id,
            desk=self.parent.desk,
            instrument=intent.instrument,
            side=intent.side,
            order_type=intent.order_type,
            quantity=quantity,
            limit_price=limit,
            sent_ms=now_ms,
            arrives_ms=now_ms,
            time_in_force=intent.time_in_force,
        )
        self.children.append(child)
        await self._sender.send(child)

    def _standing(self) -> Order | None:
        if not self.children:
            return None
        return self._orders.get(self.children[-1].order_id)

    def _settle(self) -> None:
        """Count what ended for good, so that the fold may forget it."""
        for child in self.children[self._counted :]:
            if self._orders.get(child.order_id) is None:
                self._settled += self._life_filled(child)
                self._counted += 1

    def _life_filled(self, child: Order) -> Decimal:
        life = self._orders.life(child.order_id)
        return ZERO if life is None else life.filled
