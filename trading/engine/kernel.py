"""The one kernel: it moves the clock over the tape, lets the venue fill, posts, marks, and passes intents by the gate.

A round is opened, decided on and closed; closing commits its events together. Between rounds the kernel skips what the
venue declares quiet, so a bar on which nothing trades costs next to nothing. Everything it knows besides the tape is a
fold over the journal: a restart folds the committed events again and goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trading.domain import ids
from trading.domain.account import AccountView
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.event import Event, EventKind
from trading.domain.intent import TradeIntent
from trading.domain.market import Quote
from trading.domain.money import decimal_from_float, money_text
from trading.domain.order import Order, order_payload
from trading.domain.verdict import Ruling, Verdict
from trading.engine import records
from trading.engine.feedback import Feedback
from trading.engine.setup import Setup
from trading.execution.orders import OpenOrders
from trading.ledger.ledger import Ledger
from trading.ledger.marking import mark_account
from trading.marketdata.tape import Tape
from trading.marketdata.view import TapeView
from trading.risk.breakers import HALTED, Breakers
from trading.risk.gate import Gate
from trading.risk.gate_state import GateState
from trading.risk.kill_switch import KillSwitch
from trading.risk.limits import Limits
from trading.storage.journal.writer import JournalSink
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.venue import SimulatedVenue


class Fold(Protocol):
    """State that is a function of the events so far."""

    def apply(self, event: Event) -> None:
        """Take an event in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """An opened round: the one market view that every desk decides on."""

    index: int
    as_of_ms: int
    view: TapeView


class Engine:
    """Runs one season or backtest over a tape.

    ``run_id`` names the run to the kill switch. Time moves only forward, by :meth:`advance` and :meth:`open_round`.
    """

    def __init__(
        self,
        *,
        setup: Setup,
        tape: Tape,
        limits: Limits,
        costs: Costs,
        journal: JournalSink,
        kill_switch: KillSwitch | None = None,
        run_id: str = "",
    ) -> None:
        self.setup = setup
        self.tape = tape
        self.limits = limits
        self.costs = costs
        self.ledger = Ledger()
        self.orders = OpenOrders()
        self.breakers = Breakers(limits)
        self.feedback = Feedback()
        if kill_switch is not None and not run_id:
            raise ValueError("a kill switch needs the run's id: without one a breaker could not latch")
        self.rounds_closed = 0
        self.is_closed = False
        self.round: Round | None = None
        self.row = 0
        self._venue = SimulatedVenue(tape, setup.instruments, costs)
        self._gate = Gate()
        self._journal = journal
        self._kill_switch = kill_switch
        self._run_id = run_id
        self._folds: tuple[Fold, ...] = (self.ledger, self.orders, self.breakers, self.feedback)
        self._watchers: list[Fold] = []
        self._gates: dict[str, GateState] = {}
        self._quotes: dict[str, Quote] = {}
        self._wake = 0

    # -- the record ------------------------------------------------------------------------------------------------

    def watch(self, fold: Fold) -> None:
        """Let ``fold`` see every event from here on."""
        self._watchers.append(fold)

    def record(self, event: Event) -> None:
        """Write an event down and let every fold take it in: the only way in which state changes."""
        self._journal.append(event)
        self._take_in(event)

    def _take_in(self, event: Event) -> None:
        for fold in self._folds:
            fold.apply(event)
        for watcher in self._watchers:
            watcher.apply(event)

    def restore(self, events: Iterable[Event]) -> None:
        """Fold the events of an interrupted run; afterwards the engine stands where its last commit left it."""
        for event in events:
            self._take_in(event)
            if event.kind in (EventKind.SEASON_OPENED, EventKind.ROUND_OPENED, EventKind.QUIET):
                self.row = self.tape.bars_known_at(event.ts_ms)
            if event.kind is EventKind.ROUND_OPENED:
                self.rounds_closed = min(event.payload["round"] + 1, self.setup.rounds)
            if event.kind is EventKind.SEASON_CLOSED:
                self.is_closed = True

    # -- the season ------------------------------------------------------------------------------------------------

    def open_season(self) -> None:
        """Register the rules and fund the desks."""
        setup, start = self.setup, self.setup.start_ms
        limits, costs = self.limits.model_dump(mode="json"), self.costs.model_dump(mode="json")
        self.row = self.tape.bars_known_at(start)
        self.record(Event(ts_ms=start, kind=EventKind.SEASON_OPENED, payload=setup.opening_payload(limits, costs)))
        for entrant in setup.entrants:
            payload = {"desk": entrant.desk, "amount": money_text(setup.capital)}
            self.record(Event(ts_ms=start, kind=EventKind.DEPOSITED, payload=payload))

    def close_season(self) -> None:
        """Cancel what still rests, mark everything at the end, and say that the run is complete.

        A season that was closed already, before a restart, stays as it is.
        """
        if not self.is_closed:
            end = self.setup.end_ms
            self.advance(end)
            self._cancel(self.orders.all(), end, "season ended")
            self._mark_all(self.setup.rounds, end)
            facts = {"rounds": self.setup.rounds, "data_sha256": self.tape.sha256}
            self.record(Event(ts_ms=end, kind=EventKind.SEASON_CLOSED, payload=facts))
            self._journal.commit()
            self.is_closed = True
        if self._kill_switch is not None:
            self._kill_switch.release(self._run_id)

    # -- time ------------------------------------------------------------------------------------------------------

    def advance(self, as_of_ms: int) -> None:
        """Let everything happen that happens in bars closed at ``as_of_ms``."""
        end = self.tape.bars_known_at(as_of_ms)
        if end < self.row:
            raise ValueError(f"the engine stands after bar {self.row} and cannot go back to {as_of_ms}")
        while self.row < end:
            quiet = self._venue.quiet_until(self.row, self.orders, self.ledger.accounts)
            if quiet >= end:
                self.row = end
                return
            self.row = quiet
            self.process_bar()

    def process_bar(self) -> None:
        """Let the venue work through the next bar."""
        for event in self._venue.process_bar(self.row, self.orders, self.ledger.accounts):
            self.record(event)
        self.row += 1

    def wake_row(self) -> int:
        """The next bar that needs :meth:`process_bar`; the bars before it are quiet."""
        return self._venue.quiet_until(self.row, self.orders, self.ledger.accounts)

    def note_quiet(self, as_of_ms: int, bars: int) -> None:
        """Say that bars passed without a decision, mark the accounts, and make it durable."""
        prices = self._look_up_prices(as_of_ms)
        payload = {"bars": bars, "prices": records.price_row(prices)}
        self.record(Event(ts_ms=as_of_ms, kind=EventKind.QUIET, payload=payload))
        self._mark_accounts(None, as_of_ms, prices)
        self._journal.commit()

    # -- a round ---------------------------------------------------------------------------------------------------

    def open_round(self, index: int, as_of_ms: int) -> Round:
        """Move to ``as_of_ms``, mark every account, check the breakers; desks may decide from here on."""
        self.advance(as_of_ms)
        self._mark_all(index, as_of_ms)
        self._check_halts(as_of_ms)
        self._gates.clear()
        self.round = Round(index=index, as_of_ms=as_of_ms, view=TapeView(self.tape, as_of_ms))
        return self.round

    def close_round(self) -> None:
        """Make the round durable, all of it or none."""
        self._journal.commit()
        if self.round is not None:
            self.rounds_closed = self.round.index + 1
        self.round = None

    @property
    def halted(self) -> bool:
        """Whether no order may leave."""
        return self.breakers.halted

    def account(self, desk: str) -> AccountView:
        """A desk's account at the prices of the open round."""
        account = self.ledger.accounts[desk]
        marks = {symbol: self._price(symbol) for symbol in account.positions}
        mark = mark_account(account, marks, self.setup.instruments)
        return AccountView(
            desk=desk,
            as_of_ms=self._opened().as_of_ms,
            quote=account.quote,
            cash=account.cash,
            positions=dict(account.positions),
            marks=marks,
            equity=mark.equity,
            peak_equity=max(self.breakers.peak(desk), mark.equity),
            gross=mark.gross,
            net=mark.net,
            open_orders=self.orders.of(desk),
            reduce_only=self.breakers.reduce_only(desk),
            halted=self.halted,
        )

    def preview(self, desk: str, intents: Sequence[TradeIntent]) -> list[Verdict]:
        """What the gate would say now. Nothing is sent and nothing is remembered."""
        return self._gate.rule(intents, self._gate_state(desk))

    def submit(self, decision: Decision) -> list[Verdict]:
        """Write a decision down, let the gate rule on it, and send what it lets through.

        A desk decides once a round; a second submission of the same round is an error of the caller.
        """
        opened = self._opened()
        ts_ms = opened.as_of_ms
        if decision.desk in self._gates:
            raise ValueError(f"desk {decision.desk} has already decided in round {opened.index}")
        state = self._gates[decision.desk] = self._gate_state(decision.desk)
        for event in records.call_events(decision, ts_ms):
            self.record(event)
        self.record(records.decided_event(decision, ts_ms))
        for leg, ruled in enumerate(decision.superseded):
            intent_id = ids.intent_id(decision.decision_id, ruled.attempt, leg)
            self._write_ruling(decision, ruled.intent, ruled.verdict, intent_id, ruled.attempt, superseded=True)
        if decision.status is not DecisionStatus.ACTED:
            return []
        verdicts = self._gate.rule(decision.intents, state)
        attempt = 1 + max((ruled.attempt for ruled in decision.superseded), default=-1)
        for leg, (intent, verdict) in enumerate(zip(decision.intents, verdicts, strict=True)):
            intent_id = ids.intent_id(decision.decision_id, attempt, leg)
            self._write_ruling(decision, intent, verdict, intent_id, attempt, superseded=False)
            if verdict.ruling is not Ruling.REFUSED:
                self._send(decision, intent, verdict.quantity_after, intent_id, leg)
        return verdicts

    # -- inside ----------------------------------------------------------------------------------------------------

    def _opened(self) -> Round:
        if self.round is None:
            raise ValueError("no round is open")
        return self.round

    def _write_ruling(
        self,
        decision: Decision,
        intent: TradeIntent,
        verdict: Verdict,
        intent_id: str,
        attempt: int,
        *,
        superseded: bool,
    ) -> None:
        ts_ms = self._opened().as_of_ms
        self.record(records.intended_event(decision, intent, intent_id=intent_id, attempt=attempt, ts_ms=ts_ms))
        self.record(
            records.ruled_event(decision, intent, verdict, intent_id=intent_id, superseded=superseded, ts_ms=ts_ms)
        )

    def _send(self, decision: Decision, intent: TradeIntent, quantity: Decimal, intent_id: str, leg: int) -> None:
        opened = self._opened()
        rests = intent.limit_price is not None
        lifetime_ms = self.setup.every_ms * min(max(1, intent.good_for_rounds), self.setup.rounds + 1)
        order = Order(
            order_id=ids.order_id(intent_id),
            client_order_id=ids.client_order_id(self.setup.season, decision.desk, opened.index, leg),
            intent_id=intent_id,
            desk=decision.desk,
            instrument=intent.instrument,
            side=intent.side,
            order_type=intent.order_type,
            quantity=quantity,
            limit_price=None
            if intent.limit_price is None
            else self.setup.instruments[intent.instrument].limit_price(intent.limit_price, intent.side.sign),
            reduce_only=intent.reduce_only or self.breakers.reduce_only(decision.desk),
            sent_ms=opened.as_of_ms,
            arrives_ms=opened.as_of_ms + self.costs.latency_ms,
            expires_ms=opened.as_of_ms + lifetime_ms if rests else None,
        )
        self.record(
            Event(
                ts_ms=opened.as_of_ms,
                kind=EventKind.ORDERED,
                payload=order_payload(order),
                decision_id=decision.decision_id,
            )
        )

    def _gate_state(self, desk: str) -> GateState:
        halt = self._kill_switch.state(self._run_id) if self._kill_switch is not None else None
        account = self.account(desk)
        state = GateState(
            account=account,
            instruments=self.setup.instruments,
            quotes=self._quotes,
            step_ms=self.tape.step_ms,
            taker_fee=self.costs.taker_fee,
            limits=self.limits,
            halted=self.halted or halt is not None,
            halt_reason=self.breakers.halt_reason or (halt.reason if halt else None),
        )
        for order in account.open_orders:
            state.count_working(order.side, order.instrument, order.quantity, order.limit_price)
        return state

    def _price(self, symbol: str) -> Decimal:
        return decimal_from_float(self._quotes[symbol].price)

    def _cancel(self, orders: Iterable[Order], as_of_ms: int, reason: str) -> None:
        for order in orders:
            payload = {"order_id": order.order_id, "desk": order.desk, "reason": reason}
            self.record(Event(ts_ms=as_of_ms, kind=EventKind.ORDER_CANCELLED, payload=payload))

    def _mark_all(self, index: int, as_of_ms: int) -> None:
        prices = self._look_up_prices(as_of_ms)
        payload = {
            "round": index,
            "prices": records.price_row(prices),
            "printed_ms": {symbol: quote.ts_ms for symbol, quote in self._quotes.items()},
        }
        self.record(Event(ts_ms=as_of_ms, kind=EventKind.ROUND_OPENED, payload=payload))
        self._mark_accounts(index, as_of_ms, prices)

    def _look_up_prices(self, as_of_ms: int) -> dict[str, Decimal]:
        view = TapeView(self.tape, as_of_ms)
        known = self.tape.bars_known_at(as_of_ms)
        self._quotes = {
            symbol: view.quote(symbol)
            for row, symbol in enumerate(self.tape.symbols)
            if known and self.tape.last_row[row, known - 1] >= 0
        }
        return {symbol: decimal_from_float(quote.price) for symbol, quote in self._quotes.items()}

    def _mark_accounts(self, index: int | None, as_of_ms: int, prices: Mapping[str, Decimal]) -> None:
        marks = {
            desk: records.mark_row(mark_account(account, prices, self.setup.instruments))
            for desk, account in self.ledger.accounts.items()
        }
        self.record(Event(ts_ms=as_of_ms, kind=EventKind.MARKED, payload={"round": index, "desks": marks}))

    def _check_halts(self, as_of_ms: int) -> None:
        for trip in self.breakers.due():
            if trip.state == HALTED and self._kill_switch is not None:
                # The latch is thrown before the event is durable: a crash in between trips it again, never frees it.
                self._kill_switch.halt(trip.text(), scope=self._run_id)
            self.record(records.tripped_event(trip, as_of_ms))
        self._read_kill_switch(as_of_ms)
        # What rests may open a position when it fills: it goes with the right to open one.
        if self.halted:
            self._cancel(self.orders.all(), as_of_ms, "trading is halted")
        else:
            barred = [order for order in self.orders.all() if self.breakers.reduce_only(order.desk)]
            self._cancel((order for order in barred if not order.reduce_only), as_of_ms, "the desk may only reduce")

    def _read_kill_switch(self, as_of_ms: int) -> None:
        if self._kill_switch is None:
            return
        halt = self._kill_switch.state(self._run_id)
        if halt is not None and not self.halted:
            payload = {"scope": halt.scope, "reason": halt.reason}
            self.record(Event(ts_ms=as_of_ms, kind=EventKind.HALTED, payload=payload))
        elif halt is None and self.halted:
            self.record(Event(ts_ms=as_of_ms, kind=EventKind.RESUMED, payload={"by": "person"}))
