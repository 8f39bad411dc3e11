"""The one kernel: it moves the clock over the tape, lets the venue fill, posts, marks, and passes intents by the gate.

A round is opened, decided on and closed; closing commits its events together. Between rounds the kernel skips what the
venue declares quiet, so a bar on which nothing trades costs next to nothing. Everything it knows besides the tape is a
fold over the journal: a restart folds the committed events again and goes on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from threading import Lock

from trading.domain import ids
from trading.domain.account import AccountView
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.event import Event, EventKind
from trading.domain.intent import TradeIntent
from trading.domain.market import Quote
from trading.domain.verdict import Ruling, Verdict
from trading.engine import records
from trading.engine.desks import Desks
from trading.engine.dispatch import Dispatch, Outlet
from trading.engine.feedback import Feedback
from trading.engine.interventions import CLOSING_PATIENCE_MS, FORCED_LEG, Interventions, cancelled_event
from trading.engine.outgoing import order_for, ordered_event
from trading.engine.pricing import Pricing
from trading.engine.protection import Protection, ProtectionPolicy
from trading.engine.round import Fold, Round
from trading.engine.setup import Setup
from trading.engine.standing_stops import StandingStops
from trading.engine.supervision import Supervision
from trading.engine.working import Working
from trading.execution.orders import OpenOrders
from trading.execution.worked_orders import WorkedOrders
from trading.ledger.ledger import Ledger
from trading.ledger.turnover import RecentTurnover
from trading.marketdata.depth import BookTape
from trading.marketdata.growing import GrowingTape
from trading.marketdata.tape import Tape
from trading.marketdata.view import MarketView, TapeView
from trading.risk.gate import Gate
from trading.risk.gate_state import GateState
from trading.risk.kill_switch import KillSwitch
from trading.risk.limit_board import LimitBoard
from trading.risk.limits import Limits
from trading.risk.market_condition import MarketCondition, Watcher, condition_event
from trading.risk.modes import Mode
from trading.risk.stops import StopRules
from trading.storage.journal.writer import JournalSink
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.margin_rules import MarginRules
from trading.venues.simulated.venue import SimulatedVenue

__all__ = ["FORCED_LEG", "Engine"]


class Engine:
    """Runs one season or backtest over a tape.

    ``run_id`` names the run to the kill switch. ``books`` are recorded order books, met instead of bars where they
    reach. ``guard`` says at each round where positions are protected; ``stops`` has the house do so by volatility.
    ``watcher`` says at each round how the markets stand. ``dispatch`` carries orders to a venue elsewhere, whose
    answers come back by :meth:`hear`; without it the simulated venue fills them on the tape. Time moves only forward,
    by :meth:`advance` and :meth:`open_round`.
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
        mode: Mode | None = None,
        board: LimitBoard | None = None,
        margin: MarginRules | None = None,
        books: Mapping[str, BookTape] | None = None,
        guard: ProtectionPolicy | None = None,
        watcher: Watcher | None = None,
        stops: StopRules | None = None,
        dispatch: Dispatch | None = None,
    ) -> None:
        self.setup = setup
        self.tape = tape
        self.costs = costs
        self.ledger = Ledger()
        self.orders = OpenOrders()
        self.supervision = Supervision(setup, limits, kill_switch=kill_switch, run_id=run_id, mode=mode, board=board)
        self.breakers = self.supervision.breakers
        self.feedback = Feedback()
        if kill_switch is not None and not run_id:
            raise ValueError("a kill switch needs the run's id: without one a breaker could not latch")
        self.rounds_closed = 0
        self.is_closed = False
        self.round: Round | None = None
        self._seen: Round | None = None
        self.row = 0
        self.margin = margin or MarginRules()
        self._turnover = RecentTurnover()
        self._venue = SimulatedVenue(
            tape, setup.instruments, costs, margin=self.margin, turnover=self._turnover, books=books
        )
        self._protection = Protection(setup, costs, self.orders, self.ledger, tape.step_ms)
        self._interventions = Interventions(
            setup,
            costs,
            self.orders,
            self.ledger,
            self.supervision,
            self._protection,
            self.account,
            patience_ms=0 if dispatch is None else CLOSING_PATIENCE_MS,
        )
        self._pricing = Pricing(tape, self.ledger, setup.instruments)
        works = WorkedOrders()
        self._desks = Desks(setup, tape, self.ledger, self.orders, works, self.supervision, costs.taker_fee)
        self._working = Working(
            setup,
            costs,
            works,
            self.orders,
            self.ledger,
            self.supervision,
            judge=partial(self._desks.judge, self._pricing),
            guard=self._protection.guarding,
            is_elsewhere=dispatch is not None,
        )
        self._dispatch = dispatch
        self._carry_out = Outlet(self.record, self.orders, dispatch).carry_out
        self._guard = guard
        self._watcher = watcher
        self._gate = Gate()
        self._journal = journal
        self._kill_switch = kill_switch
        self._run_id = run_id
        self._folds: tuple[Fold, ...] = (
            self.ledger,
            self.orders,
            self._working.orders,
            self.supervision,
            self.feedback,
            self._protection,
        )
        if stops is not None:
            self._guard = standing = StandingStops(tape, self.ledger, setup, stops)
            self._folds += (standing,)
        if isinstance(tape, GrowingTape):
            self._folds = (tape, *self._folds)
        if costs.fee_tiers:
            self._folds += (self._turnover,)
        if books:
            self._folds += (self._venue,)
        self._watchers: list[Fold] = []
        self._ruling = Lock()
        self._gates: dict[str, GateState] = {}

    # -- the record ------------------------------------------------------------------------------------------------

    def watch(self, fold: Fold) -> None:
        """Let ``fold`` see every event from here on."""
        self._watchers.append(fold)

    def record(self, event: Event) -> None:
        """Write an event down and let every fold take it in: the only way in which state changes."""
        self._journal.append(event)
        self._take_in(event)

    def hear(self, event: Event) -> None:
        """Write down what a venue tells, with what it brings about: a bracket after a fill, a close for a lost stop."""
        self.record(event)
        self._carry_out(self._working.follow(event))
        self._carry_out(self._protection.follow(event))

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

    def reopen(self) -> Round:
        """The last round that was restored, to be looked at: accounts and previews answer as they stood after it."""
        as_of_ms = self.setup.end_ms if self.is_closed else self.setup.round_ms(self.rounds_closed - 1)
        self._pricing.look_up(as_of_ms)
        view = TapeView(self.tape, as_of_ms)
        self.round = self._seen = Round(index=self.rounds_closed - 1, as_of_ms=as_of_ms, view=view)
        return self.round

    # -- the season ------------------------------------------------------------------------------------------------

    def open_season(self) -> None:
        """Register the rules and fund the desks."""
        costs = self.costs.model_dump(mode="json", exclude_defaults=True)
        margin = None if self.margin.isolated_leverage is None else self.margin.model_dump(mode="json")
        self.row = self.tape.bars_known_at(self.setup.start_ms)
        for event in self.setup.opening_events(self.limits.model_dump(mode="json"), costs, margin):
            self.record(event)

    def close_season(self) -> None:
        """Cancel what still rests, mark everything at the end, and say that the run is complete.

        A season that was closed already, before a restart, stays as it is. At a venue elsewhere nothing is cancelled:
        that takes time, and whoever plays the season has seen to it.
        """
        if not self.is_closed:
            end = self.setup.end_ms
            self.advance(end)
            self._carry_out(self._working.end(self._working.orders.all(), end, "season ended"))
            if self._dispatch is None:
                self._carry_out(cancelled_event(order, end, "season ended") for order in self.orders.all())
            self._mark_all(self.setup.rounds, end)
            facts = {"rounds": self.setup.rounds, "data_sha256": self.tape.sha256}
            self.record(Event(ts_ms=end, kind=EventKind.SEASON_CLOSED, payload=facts))
            self._journal.commit()
            self.is_closed = True
        if self._kill_switch is not None:
            self._kill_switch.release_run(self._run_id)

    # -- time ------------------------------------------------------------------------------------------------------

    def advance(self, as_of_ms: int) -> None:
        """Let everything happen that happens in bars closed at ``as_of_ms``."""
        end = self.tape.bars_known_at(as_of_ms)
        if end < self.row:
            raise ValueError(f"the engine stands after bar {self.row} and cannot go back to {as_of_ms}")
        if self._dispatch is not None:
            self.row = end
        while self.row < end:
            quiet = self.wake_row()
            if quiet >= end:
                self.row = end
                return
            self.row = quiet
            self.process_bar()

    def process_bar(self) -> None:
        """Let what is due in the next bar leave, and the venue work through it."""
        self._carry_out(self._working.send_due(int(self.tape.open_ms[self.row]) + self.tape.step_ms))
        for event in self._venue.process_bar(self.row, self.orders, self.ledger.accounts):
            self.hear(event)
        self.row += 1

    def wake_row(self) -> int:
        """The next bar that needs :meth:`process_bar`; the bars before it are quiet."""
        quiet = self._venue.quiet_until(self.row, self.orders, self.ledger.accounts)
        due_ms = self._working.next_ms
        return quiet if due_ms is None else min(quiet, max(self.row, self.tape.bars_known_at(due_ms)))

    def note_quiet(self, as_of_ms: int, bars: int) -> None:
        """Say that bars passed without a decision, mark the accounts, and make it durable."""
        self.record(self._pricing.quiet(as_of_ms, bars))
        self.record(self._pricing.marked(None, as_of_ms))
        self._journal.commit()

    # -- a round ---------------------------------------------------------------------------------------------------

    def open_round(self, index: int, as_of_ms: int) -> Round:
        """Move to ``as_of_ms``, mark every account, check the breakers; desks may decide from here on."""
        self.advance(as_of_ms)
        self._mark_all(index, as_of_ms)
        self._look_at_markets(as_of_ms)
        self._check_halts(as_of_ms)
        self._gates.clear()
        self.round = self._seen = Round(index=index, as_of_ms=as_of_ms, view=TapeView(self.tape, as_of_ms))
        self._carry_out(self._interventions.cut_back(self.round))
        if self._guard is not None:
            self._carry_out(self._interventions.guard(self._guard, self.round))
        self._carry_out(self._working.send_now(as_of_ms))
        return self.round

    def miss_round(self, index: int, as_of_ms: int, reason: str) -> None:
        """Let a round pass that nobody could decide in: accounts are marked, and the record says why."""
        self.advance(as_of_ms)
        self._mark_all(index, as_of_ms, missed=reason)
        self._journal.commit()
        self.rounds_closed = index + 1

    def enforce_halt(self, as_of_ms: int) -> bool:
        """Between rounds: do now what a thrown switch asks for, durably; whether there was anything to do."""
        if self._kill_switch is None:
            return False
        thrown = self._kill_switch.state(self._run_id)
        if thrown is None or (self.halted and not self._interventions.has_to_flatten(thrown, as_of_ms)):
            return False
        self.advance(as_of_ms)
        self._check_halts(as_of_ms)
        self.note_quiet(as_of_ms, 0)
        return True

    def send_due(self, now_ms: int) -> bool:
        """On a followed market, at any time: send, durably, what of worked orders is due; whether anything was."""
        if self._dispatch is None:
            self._carry_out(self._working.wake(now_ms - self.tape.step_ms))
        if not self._working.is_due(now_ms, self.tape):
            return False
        if self._dispatch is None:
            self.advance(now_ms)
            self.note_quiet(now_ms, 0)
        else:
            self._carry_out(self._working.send_now(now_ms))
            self._journal.commit()
        return True

    def end_work(self, as_of_ms: int, reason: str) -> None:
        """End, durably, every order that is worked: no further part of it leaves."""
        self._carry_out(self._working.end(self._working.orders.all(), as_of_ms, reason))
        self._journal.commit()

    def close_round(self) -> None:
        """Make the round durable, all of it or none."""
        self._journal.commit()
        if self.round is not None:
            self.rounds_closed = self.round.index + 1
        self.round = None

    @property
    def limits(self) -> Limits:
        """The limits in force: what was declared, as far as no live change has replaced it."""
        return self.supervision.limits

    def note_condition(self, condition: MarketCondition) -> None:
        """Write down what is known of an instrument's market; it counts from the next round or decision on."""
        ts_ms = int(self.tape.open_ms[self.row - 1]) + self.tape.step_ms if self.row else self.setup.start_ms
        self.record(condition_event(condition, max(ts_ms, self.round.as_of_ms if self.round else 0)))

    @property
    def seen_view(self) -> MarketView:
        """The market view of the open round, between rounds that of the last one."""
        return self._looked_at().view

    def last_price(self, symbol: str) -> Decimal | None:
        """What an instrument was valued at last; None where it has no price yet."""
        return self._pricing.price(symbol) if symbol in self._quotes else None

    @property
    def halted(self) -> bool:
        """Whether no order may leave."""
        return self.breakers.halted

    def account(self, desk: str) -> AccountView:
        """A desk's account at the prices of the open round, between rounds at those of the last one."""
        return self._desks.account(desk, self._quotes, self._looked_at().as_of_ms)

    def preview(self, desk: str, intents: Sequence[TradeIntent]) -> list[Verdict]:
        """What the gate would say now, between rounds by the last one. Nothing is sent and nothing is remembered."""
        ended = [work.order.order_id for work in self._working.contradicted(desk, intents)]
        state = self._gate_state(desk, trial=True, without=ended)
        return self._gate.rule(intents, state)

    def cancel(self, desk: str, order_id: str, reason: str) -> bool:
        """Take back an open order of a desk in the open round, or what is left of one that is worked.

        False where it has none such any more.
        """
        events = tuple(self._working.withdraw(desk, order_id, self._opened().as_of_ms, reason))
        self._carry_out(events)
        return bool(events)

    def submit(self, decision: Decision, *, delay_ms: int = 0) -> list[Verdict]:
        """Write a decision down, let the gate rule on it, and send what it lets through.

        ``delay_ms`` is how long after the round's instant it was made, where that is measured: its orders arrive as
        much later.

        A desk decides once a round; a second submission of the same round is an error of the caller. Desks may submit
        from several threads: one is ruled on after the other, and what it may send counts before the next is weighed.
        """
        with self._ruling:
            return self._submit(decision, delay_ms)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _submit(self, decision: Decision, delay_ms: int) -> list[Verdict]:
        opened = self._opened()
        ts_ms = opened.as_of_ms
        if decision.desk in self._gates:
            raise ValueError(f"desk {decision.desk} has already decided in round {opened.index}")
        for event in self.supervision.changed_limits(ts_ms):
            self.record(event)
        self._carry_out(self._working.supersede(decision, ts_ms))
        state = self._gates[decision.desk] = self._gate_state(decision.desk)
        for event in records.decision_events(decision, ts_ms):
            self.record(event)
        if decision.status is not DecisionStatus.ACTED:
            return []
        stated = [replace(intent, confidence=decision.confidence) for intent in decision.intents]
        verdicts = self._gate.rule(stated, state)
        attempt = 1 + max((ruled.attempt for ruled in decision.superseded), default=-1)
        for leg, (intent, verdict) in enumerate(zip(decision.intents, verdicts, strict=True)):
            intent_id = ids.intent_id(decision.decision_id, attempt, leg)
            for event in records.ruling_events(decision, intent, verdict, attempt=attempt, leg=leg, ts_ms=ts_ms):
                self.record(event)
            if verdict.ruling is not Ruling.REFUSED:
                self._send(decision, intent, verdict.quantity_after, intent_id, leg, delay_ms=delay_ms)
        return verdicts

    def _opened(self) -> Round:
        if self.round is None:
            raise ValueError("no round is open")
        return self.round

    def _looked_at(self) -> Round:
        """The open round, or the last one."""
        if self._seen is None:
            raise ValueError("no round was opened yet")
        return self._seen

    def _send(
        self,
        decision: Decision,
        intent: TradeIntent,
        quantity: Decimal,
        intent_id: str,
        leg: int,
        *,
        delay_ms: int,
    ) -> None:
        order = order_for(
            decision,
            intent,
            quantity,
            intent_id=intent_id,
            leg=leg,
            as_of_ms=self._opened().as_of_ms,
            setup=self.setup,
            costs=self.costs,
            reduce_only=self.breakers.reduce_only(decision.desk),
            delay_ms=delay_ms,
        )
        if intent.window_s is None:
            self._carry_out((ordered_event(order, decision.decision_id),))
        else:
            self._carry_out(self._working.start(order, intent, self._opened().view, decision.decision_id))

    def _gate_state(self, desk: str, *, trial: bool = False, without: Collection[str] = ()) -> GateState:
        view = self._looked_at().view
        return self._desks.gate_state(self.account(desk), self._quotes, view, trial=trial, without=without)

    @property
    def _quotes(self) -> Mapping[str, Quote]:
        return self._pricing.quotes

    def _look_at_markets(self, as_of_ms: int) -> None:
        for condition in () if self._watcher is None else self._watcher.conditions(TapeView(self.tape, as_of_ms)):
            if condition != self.breakers.conditions.get(condition.instrument):
                self.record(condition_event(condition, as_of_ms))

    def _mark_all(self, index: int, as_of_ms: int, *, missed: str = "") -> None:
        self.record(self._pricing.round_opened(index, as_of_ms, missed=missed))
        self.record(self._pricing.marked(index, as_of_ms))

    def _check_halts(self, as_of_ms: int) -> None:
        for event in self.supervision.check(as_of_ms):
            self.record(event)
        self._carry_out(self._interventions.take_back(as_of_ms))
        self._carry_out(self._working.take_back(as_of_ms))
        thrown = self._kill_switch.state(self._run_id) if self._kill_switch is not None and self.halted else None
        if thrown is not None and self._interventions.has_to_flatten(thrown, as_of_ms):
            self._carry_out(self._interventions.flatten(as_of_ms))
