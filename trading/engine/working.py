"""Orders that are worked over a window: their parts leave as the clock reaches them, each past the gate once more.

The plan of a part's time and size is fixed when the order is decided and stands in the record, so a restart goes on
with it. What the gate does not let through when a part is due ends the order: no part leaves after it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from trading.domain.decision import Decision, DecisionStatus
from trading.domain.event import Event, EventKind
from trading.domain.intent import TradeIntent, shape_problem, style_payload
from trading.domain.money import decimal_from_float
from trading.domain.order import Order
from trading.domain.verdict import Verdict
from trading.engine.interventions import cancelled_event
from trading.engine.outgoing import ordered_event
from trading.engine.setup import Setup
from trading.engine.supervision import Supervision
from trading.execution.algos.plan import PlanRules, UsualVolume, plan_children
from trading.execution.algos.volume_curve import DAY_MS, volume_curve
from trading.execution.orders import OpenOrders
from trading.execution.worked_orders import WorkedOrder, WorkedOrders, ended_event, started_event
from trading.ledger.ledger import Ledger
from trading.marketdata.tape import Tape
from trading.marketdata.view import MarketView
from trading.risk.market_reference import VOLUME_DAYS, MarketReference
from trading.venues.simulated.costs import Costs

MOST_PARTS = 120
"""An order leaves in no more parts than this, however long its window."""

LATE_MS = 60_000
"""A part that could not leave for so long after its time does not leave any more."""

SETTLING_MS = 20_000
"""So long after its close a bar of a followed market may still be on its way to the tape."""

SMALLER = Decimal("0.9")
"""Parts are cut so that they are worth the least order even where the price falls to this share of itself."""

Judge = Callable[[Order, int], Verdict]
"""What the gate says at an instant of a part that is to leave then."""


class Working:
    """Has ``orders`` worked. Each answer is events to be written down one by one, as with the house's other doings.

    ``guard`` gives the order of an id where it guards a position. At a venue that ``is_elsewhere`` a part leaves when
    the clock is looked at; on a tape at its own time.
    """

    def __init__(
        self,
        setup: Setup,
        costs: Costs,
        orders: WorkedOrders,
        open_orders: OpenOrders,
        ledger: Ledger,
        supervision: Supervision,
        *,
        judge: Judge,
        guard: Callable[[str], Order | None],
        is_elsewhere: bool,
    ) -> None:
        self.orders = orders
        self._setup = setup
        self._costs = costs
        self._open = open_orders
        self._ledger = ledger
        self._supervision = supervision
        self._judge = judge
        self._guard = guard
        self._is_elsewhere = is_elsewhere
        self._is_awake = False

    @property
    def next_ms(self) -> int | None:
        """When the next part is due; None where none is."""
        work = self.orders.next_due()
        return None if work is None else work.due_ms

    # -- sending -----------------------------------------------------------------------------------------------------

    def start(self, order: Order, intent: TradeIntent, view: MarketView, decision_id: str) -> Iterator[Event]:
        """Begin to work ``order``, which the gate has just let through; what is due at once leaves with it."""
        instrument = self._setup.instruments[order.instrument]
        assert intent.window_s is not None, "only such an intent is worked"
        until_ms = order.sent_ms + 1000 * intent.window_s
        volume = usual_volume(view, order.instrument)
        price, rules = _least_price(intent, view), _rules(intent.window_s, view.step_ms)
        plan = plan_children(order, intent, instrument, price=price, volume=volume, rules=rules)
        yield started_event(order, plan, until_ms, style_payload(intent), decision_id)
        work = self.orders.get(order.order_id)
        assert work is not None, "it has just begun"
        if work.due_ms == order.sent_ms:
            yield ordered_event(work.part(0), decision_id)
        yield from self._end_exhausted(order.sent_ms)

    def is_due(self, now_ms: int, tape: Tape) -> bool:
        """On a followed market, whether a part can leave now: it is due, and the tape has come up to ``now_ms``."""
        due_ms = self.next_ms
        if due_ms is None or due_ms > now_ms or not len(tape):
            return False
        if not self._is_elsewhere:
            return tape.bars_known_at(due_ms) < tape.bars_known_at(now_ms)
        return now_ms < int(tape.open_ms[-1]) + 2 * tape.step_ms + SETTLING_MS

    def send_now(self, now_ms: int) -> Iterator[Event]:
        """Send what is due by ``now_ms``; at a venue elsewhere it leaves now, and what is late not at all."""
        if self._is_elsewhere:
            yield from self.pass_over(now_ms)
        yield from self.send_due(now_ms + 1, now_ms=now_ms if self._is_elsewhere else None)

    def send_due(self, before_ms: int, *, now_ms: int | None = None) -> Iterator[Event]:
        """Send the parts that are due before an instant: each at its own time, or all at ``now_ms``."""
        while (work := self.orders.next_due()) is not None and work.due_before(before_ms):
            yield from self._send(work, work.parts[work.gone][0] if now_ms is None else now_ms)

    def pass_over(self, now_ms: int, *, late_ms: int = LATE_MS) -> Iterator[Event]:
        """Give up the parts that should have left more than ``late_ms`` ago."""
        self.orders.pass_over(now_ms - late_ms)
        yield from self._end_exhausted(now_ms)

    def wake(self, now_ms: int) -> Iterator[Event]:
        """Once a process: give up the parts that should have left before it began."""
        if not self._is_awake:
            self._is_awake = True
            yield from self.pass_over(now_ms)

    def _send(self, work: WorkedOrder, at_ms: int) -> Iterator[Event]:
        planned = work.part(work.gone)
        latency_ms = self._costs.latency_of(planned.order_id, self._setup.seed)
        part = replace(planned, sent_ms=at_ms, arrives_ms=at_ms + latency_ms)
        verdict = self._judge(part, at_ms)
        if verdict.quantity_after > 0:
            yield ordered_event(replace(part, quantity=verdict.quantity_after), work.decision_id)
        if verdict.quantity_after < part.quantity:
            yield ended_event(work, at_ms, verdict.message.rstrip("."), rule=verdict.rule)
        else:
            yield from self._end_exhausted(at_ms)

    def _end_exhausted(self, at_ms: int) -> Iterator[Event]:
        for work in self.orders.exhausted():
            planned = sum((quantity for _, quantity in work.parts), Decimal(0))
            thin = "the usual volume of the window allows no more" if work.sent == planned else ""
            yield ended_event(work, at_ms, thin or "parts were due while none could leave")

    # -- ending ------------------------------------------------------------------------------------------------------

    def take_back(self, as_of_ms: int) -> Iterator[Event]:
        """End the orders that have to go, as halts and breakers say; their open parts go by the same rule."""
        for rest, reason in tuple(self._supervision.barred(self.orders.rests())):
            yield from self._ended(rest.order_id, as_of_ms, reason)

    def end(self, works: Iterable[WorkedOrder], as_of_ms: int, reason: str) -> Iterator[Event]:
        """Nothing more of ``works`` leaves, and what stands of their parts is taken back."""
        ending = {work.order.order_id for work in works}
        for order_id in ending:
            yield from self._ended(order_id, as_of_ms, reason)
        for order in self._open.all() if ending else ():
            if order.parent_id in ending:
                yield cancelled_event(order, as_of_ms, reason)

    def withdraw(self, desk: str, order_id: str, as_of_ms: int, reason: str) -> Iterator[Event]:
        """Take back an open order of a desk, or what is left of one that is worked; nothing where it has no such."""
        order, work = self._open.get(order_id), self.orders.get(order_id)
        if work is not None and work.order.desk == desk:
            yield from self.end((work,), as_of_ms, reason)
        elif order is not None and order.desk == desk:
            yield cancelled_event(order, as_of_ms, reason)

    def contradicted(self, desk: str, intents: Iterable[TradeIntent]) -> list[WorkedOrder]:
        """The orders of a desk that its new intents end: those that close the position, or go the other way."""
        works = self.orders.of(desk)
        if not works:
            return []
        account = self._ledger.accounts[desk]
        found = {}
        for intent in intents:
            if shape_problem(intent) is not None or not (intent.quantity.is_finite() and intent.quantity > 0):
                continue
            held = account.position(intent.instrument).quantity
            closes = intent.reduce_only or held * intent.side.sign < 0
            for work in works:
                if work.order.instrument == intent.instrument and (closes or work.order.side is not intent.side):
                    found[work.order.order_id] = work
        return list(found.values())

    def supersede(self, decision: Decision, as_of_ms: int) -> Iterator[Event]:
        """End what the desk's new decision contradicts, before it is ruled on."""
        if decision.status is DecisionStatus.ACTED:
            ending = self.contradicted(decision.desk, decision.intents)
            yield from self.end(ending, as_of_ms, "the desk closes the position or goes the other way")

    def follow(self, event: Event) -> Iterator[Event]:
        """What ends an order that is worked: a part rejected, a liquidation, a guard that closed the position."""
        if not len(self.orders):
            return
        payload = event.payload
        if event.kind is EventKind.LIQUIDATED:
            hit = [work for work in self.orders.of(payload["desk"]) if work.order.instrument in payload["positions"]]
            yield from self.end(hit, event.ts_ms, "the position was liquidated")
        elif event.kind is EventKind.ORDER_REJECTED and "parent_id" in payload:
            work = self.orders.get(payload["parent_id"])
            yield from self.end([work] if work else [], event.ts_ms, f"a part was rejected: {payload['reason']}")
        elif event.kind in (EventKind.FILLED, EventKind.ORDER_REJECTED):
            guard = self._guard(payload["order_id"])
            if guard is not None:
                under = [work for work in self.orders.of(guard.desk) if work.order.instrument == guard.instrument]
                yield from self.end(under, event.ts_ms, "the position was closed by what guards it")

    def _ended(self, order_id: str, as_of_ms: int, reason: str) -> Iterator[Event]:
        work = self.orders.get(order_id)
        if work is not None:
            yield ended_event(work, as_of_ms, reason)


def usual_volume(view: MarketView, symbol: str) -> UsualVolume | None:
    """What trades of an instrument on a usual day, by the bars before the instant of ``view``; None where none does."""
    a_day = MarketReference(view).daily_volume(symbol)
    if a_day is None:
        return None
    bars = view.bars(symbol, max(1, round(VOLUME_DAYS * DAY_MS / view.step_ms)))
    bucket_ms = view.step_ms if DAY_MS % view.step_ms == 0 else DAY_MS
    return UsualVolume(a_day=a_day, curve=volume_curve(bars.open_ms, bars.volume, bucket_ms=bucket_ms))


def _least_price(intent: TradeIntent, view: MarketView) -> Decimal:
    last = decimal_from_float(view.quote(intent.instrument).price)
    return SMALLER * min(last, intent.limit_price or last)


def _rules(window_s: int, step_ms: int) -> PlanRules:
    bars = math.ceil(1000 * window_s / step_ms)
    return PlanRules(slice_ms=step_ms * math.ceil(bars / MOST_PARTS))
