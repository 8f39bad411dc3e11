"""Every desk as it stands at an instant: its account, what of it is in flight, and what the gate weighs it by."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal

from trading.domain.account import AccountView
from trading.domain.intent import TradeIntent
from trading.domain.market import Quote
from trading.domain.money import decimal_from_float
from trading.domain.order import Order
from trading.domain.verdict import Verdict
from trading.engine.pricing import Pricing
from trading.engine.setup import Setup
from trading.engine.supervision import Supervision
from trading.execution.orders import OpenOrders
from trading.execution.worked_orders import WorkedOrders
from trading.ledger.ledger import Ledger
from trading.ledger.marking import mark_account
from trading.marketdata.tape import Tape
from trading.marketdata.view import MarketView, TapeView
from trading.risk.gate import Gate
from trading.risk.gate_state import GateState


class Desks:
    """Accounts and gates. What is still to leave of an order that is worked counts like an order that rests."""

    def __init__(
        self,
        setup: Setup,
        tape: Tape,
        ledger: Ledger,
        orders: OpenOrders,
        works: WorkedOrders,
        supervision: Supervision,
        taker_fee: Decimal,
    ) -> None:
        self._setup = setup
        self._tape = tape
        self._ledger = ledger
        self._orders = orders
        self._works = works
        self._supervision = supervision
        self._taker_fee = taker_fee
        self._gate = Gate()

    def account(self, desk: str, quotes: Mapping[str, Quote], as_of_ms: int) -> AccountView:
        """A desk's account at the prices of ``quotes``. KeyError where it holds what has none."""
        account = self._ledger.accounts[desk]
        marks = {symbol: decimal_from_float(quotes[symbol].price) for symbol in account.positions}
        mark = mark_account(account, marks, self._setup.instruments)
        breakers = self._supervision.breakers
        return AccountView(
            desk=desk,
            as_of_ms=as_of_ms,
            quote=account.quote,
            cash=account.cash,
            positions=dict(account.positions),
            marks=marks,
            equity=mark.equity,
            peak_equity=max(breakers.peak(desk), mark.equity),
            gross=mark.gross,
            net=mark.net,
            open_orders=(*self._orders.of(desk), *self._works.rests(self._works.of(desk))),
            reduce_only=breakers.reduce_only(desk),
            halted=breakers.halted,
        )

    def gate_state(
        self,
        account: AccountView,
        quotes: Mapping[str, Quote],
        view: MarketView,
        *,
        trial: bool = False,
        part_of: str = "",
        without: Collection[str] = (),
    ) -> GateState:
        """What the gate weighs a desk's intents against; ``trial`` where nothing that is allowed is to be counted.

        ``part_of`` names the order of which a part is to leave: what is still to leave of it does not count, and how
        often the desk sends was judged when it was let through. Orders in ``without``, which are worked, do not count
        at all.
        """
        rests = [rest for rest in self._works.rests() if rest.order_id not in (part_of, *without)]
        standing = [order for order in self._orders.all() if order.parent_id not in without or not order.parent_id]
        mine = [order for order in (*standing, *rests) if order.desk == account.desk]
        state = self._supervision.gate_state(
            replace(account, open_orders=() if part_of else tuple(mine)),
            quotes,
            view=view,
            orders=(*standing, *rests),
            accounts=self._ledger.accounts,
            taker_fee=self._taker_fee,
            trial=trial,
            leaving=bool(part_of),
        )
        for order in mine:
            # What only guards a position opens nothing, and must not stand in the way of closing it.
            if not order.is_protective:
                price = order.limit_price or order.trigger_price
                state.count_working(order.side, order.instrument, self._orders.left(order), price)
        return state

    def judge(self, pricing: Pricing, part: Order, at_ms: int) -> Verdict:
        """What the gate says of a part of an order at the instant at which it is to leave."""
        quotes, view = pricing.quotes_at(at_ms), TapeView(self._tape, at_ms)
        account = self.account(part.desk, quotes, at_ms)
        state = self.gate_state(account, quotes, view, part_of=part.parent_id)
        wish = TradeIntent(
            instrument=part.instrument,
            side=part.side,
            quantity=part.quantity,
            order_type=part.order_type,
            limit_price=part.limit_price,
            reduce_only=part.reduce_only,
        )
        return self._gate.rule([wish], state)[0]
