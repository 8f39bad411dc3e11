"""What stands over the desks while they trade: limits in force, breakers, latches, the mode, and the gate's state."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from trading.domain.account import AccountView
from trading.domain.event import Event, EventKind
from trading.domain.market import Quote
from trading.domain.money import decimal_from_float
from trading.domain.order import FLATTEN, Order
from trading.engine import records
from trading.engine.setup import Setup
from trading.ledger.account import DeskAccount
from trading.marketdata.view import MarketView
from trading.risk.arena_book import ArenaBook
from trading.risk.breakers import Breakers
from trading.risk.gate_state import GateState
from trading.risk.kill_switch import Halt, KillSwitch, desk_scope
from trading.risk.limit_board import LimitBoard
from trading.risk.limits import Limits
from trading.risk.market_reference import MarketReference
from trading.risk.modes import Mode, Thresholds
from trading.risk.traffic import MessageCount
from trading.risk.trip import HALTED, Clears, Over, TripReason


class Supervision:
    """The state from which the gate rules, besides the desk's account. A fold over the journal.

    ``board`` are the live limits of the home folder: a change counts from the next round or decision on, and stands in
    the journal before anything is ruled by it.
    """

    def __init__(
        self,
        setup: Setup,
        limits: Limits,
        *,
        kill_switch: KillSwitch | None,
        run_id: str,
        mode: Mode | None = None,
        board: LimitBoard | None = None,
    ) -> None:
        self.limits = limits
        self.breakers = Breakers(limits)
        self._declared = limits
        self._setup = setup
        self._kill_switch = kill_switch
        self._run_id = run_id
        self._board = board
        self._thresholds = Thresholds(mode) if mode is not None else None
        self._judged = {entrant.desk for entrant in setup.entrants if entrant.kind == "llm"}
        # Where accounts are isolated no order of one desk can meet another's; at a real venue all desks are one trader.
        self._one_account = setup.source not in ("simulated", "replay", "paper")
        self._messages = MessageCount(limits)
        self._book: ArenaBook | None = None
        self._reference: MarketReference | None = None

    def apply(self, event: Event) -> None:
        """Take an event in."""
        self.breakers.apply(event)
        self._messages.apply(event)
        if self._thresholds is not None:
            self._thresholds.apply(event)
        if event.kind is EventKind.WORK_ENDED:
            self._book = None  # what was still to leave is not in flight any more
        elif event.kind is EventKind.LIMITS_CHANGED:
            self._use(self.limits.checked({each["name"]: _value(each) for each in event.payload["changes"]}))

    # -- between rounds --------------------------------------------------------------------------------------------

    def changed_limits(self, ts_ms: int) -> Iterator[Event]:
        """The change of limits that counts from now on, if there is one, to be written down."""
        wanted = self.effective()
        if wanted == self.limits:
            return
        changes = []
        for name, new in wanted:
            old = getattr(self.limits, name)
            if new != old:
                cause = self._board.why(name) if self._board is not None else None
                changes.append(records.limit_change(name, old, new, cause))
        yield Event(ts_ms=ts_ms, kind=EventKind.LIMITS_CHANGED, payload={"changes": changes})

    def effective(self) -> Limits:
        """The declared limits with what the board says now; without a board, those in force by the record."""
        return self.limits if self._board is None else self._board.effective(self._declared)

    def check(self, as_of_ms: int) -> Iterator[Event]:
        """What breakers and latches say at the start of a round, each to be written down before the next is made."""
        self._book = self._reference = None
        yield from self.changed_limits(as_of_ms)
        for clearance in self.breakers.clearances():
            yield records.cleared_event(clearance, as_of_ms)
        for trip in self.breakers.due():
            self._latch(trip)
            yield records.tripped_event(trip, as_of_ms)
        yield from self._read_latches(as_of_ms)

    def barred(self, orders: Iterable[Order]) -> Iterator[tuple[Order, str]]:
        """The resting orders that have to go, with the reason: what rests may open a position when it fills.

        What only guards or closes a position stays.
        """
        instruments = self.breakers.barred_instruments()
        for order in orders:
            if order.is_protective or order.origin == FLATTEN:
                continue
            if self.breakers.halted:
                yield order, "trading is halted"
            elif self.breakers.desk_halt(order.desk) is not None:
                yield order, "the desk is halted"
            elif order.reduce_only:
                continue
            elif self.breakers.reduce_only(order.desk):
                yield order, "the desk may only reduce"
            elif order.instrument in instruments:
                yield order, "the instrument may only be reduced"

    def breaches(self) -> list[TripReason]:
        """Limits that are broken after the trade, desk by desk, as the last mark shows them."""
        return self.breakers.breaches()

    def _latch(self, trip: TripReason) -> None:
        # The latch is thrown before the event is durable: a crash in between trips it again, never frees it.
        if self._kill_switch is None or trip.clears is not Clears.PERSON:
            return
        scope = self._run_id if trip.over is Over.ARENA else desk_scope(self._run_id, trip.scope)
        self._kill_switch.halt(trip.text(), scope=scope, state=trip.state)

    def _read_latches(self, as_of_ms: int) -> Iterator[Event]:
        if self._kill_switch is None:
            return
        halt = self._kill_switch.state(self._run_id)
        if halt is not None and not self.breakers.halted:
            payload = {"scope": halt.scope, "reason": halt.reason} | ({"flatten": True} if halt.flatten else {})
            yield Event(ts_ms=as_of_ms, kind=EventKind.HALTED, payload=payload)
        elif halt is None and self.breakers.halted:
            yield Event(ts_ms=as_of_ms, kind=EventKind.RESUMED, payload={"by": "person"})
        for entrant in self._setup.entrants:
            yield from self._read_desk_latch(entrant.desk, self._kill_switch, as_of_ms)

    def _read_desk_latch(self, desk: str, switch: KillSwitch, as_of_ms: int) -> Iterator[Event]:
        latch = switch.desk_state(self._run_id, desk)
        waits = [trip for trip in self.breakers.standing(Over.DESK, desk) if trip.clears is Clears.PERSON]
        if latch is None and waits:
            yield Event(ts_ms=as_of_ms, kind=EventKind.RESUMED, payload={"by": "person", "desk": desk})
        elif latch is not None and not waits:
            yield records.tripped_event(_latched(desk, latch), as_of_ms)

    # -- within a round --------------------------------------------------------------------------------------------

    def gate_state(
        self,
        account: AccountView,
        quotes: Mapping[str, Quote],
        *,
        view: MarketView,
        orders: Sequence[Order],
        accounts: Mapping[str, DeskAccount],
        taker_fee: Decimal,
        trial: bool,
        leaving: bool = False,
    ) -> GateState:
        """What the gate weighs a desk's intents against; ``trial`` where nothing that is allowed is to be counted.

        ``orders`` are those of all desks that may still fill. With ``leaving`` it weighs a part of an order that was
        let through before: at an instant of its own, and however often the desk has sent something.
        """
        desk = account.desk
        reason = self._halt_reason(desk)
        if leaving:
            book, reference = self._arena_book(quotes, orders, accounts), MarketReference(view)
        else:
            self._book = book = self._book or self._arena_book(quotes, orders, accounts)
            self._reference = reference = self._reference or MarketReference(view)
        judged = self._thresholds is not None and desk in self._judged
        standing = self.breakers.standing(Over.DESK, desk)
        return GateState(
            account=account,
            instruments=self._setup.instruments,
            quotes=quotes,
            step_ms=view.step_ms,
            taker_fee=taker_fee,
            limits=self.effective() if trial else self.limits,
            halted=reason is not None,
            halt_reason=reason,
            arena=book.copy() if trial else book,
            arena_orders=tuple(order for order in orders if self._one_account or order.desk == desk),
            reference=reference,
            conditions=self.breakers.conditions,
            traffic=None if leaving else self._messages.traffic(desk, account.as_of_ms),
            repeats={} if leaving else self.breakers.repeats.of(desk),
            ends_ms=self._setup.end_ms,
            barred_instruments=self.breakers.barred_instruments(),
            barred_reason=standing[0].text() if standing else None,
            full_confidence=self._thresholds.of(desk) if judged and self._thresholds is not None else None,
            refuses_doubt=self._thresholds is not None and self._thresholds.mode.below == "refuse",
        )

    def _halt_reason(self, desk: str) -> str | None:
        if self.breakers.halt_reason is not None:
            return self.breakers.halt_reason
        if (of_desk := self.breakers.desk_halt(desk)) is not None:
            return f"the desk is halted by {of_desk}"
        if self._kill_switch is None:
            return None
        halt = self._kill_switch.state(self._run_id)
        if halt is None:
            latch = self._kill_switch.desk_state(self._run_id, desk)
            halt = latch if latch is not None and latch.state == HALTED else None
        return None if halt is None else halt.reason

    def _arena_book(
        self, quotes: Mapping[str, Quote], orders: Sequence[Order], accounts: Mapping[str, DeskAccount]
    ) -> ArenaBook:
        book = ArenaBook(
            equity=self.breakers.arena_equity(),
            prices={symbol: decimal_from_float(quote.price) for symbol, quote in quotes.items()},
            venues=dict.fromkeys(self._setup.instruments, self._setup.source),
        )
        for desk, account in accounts.items():
            for symbol, position in account.positions.items():
                book.hold(desk, symbol, position.quantity)
        for order in orders:
            book.work(order.desk, order.instrument, order.side, order.quantity)
        return book

    def _use(self, limits: Limits) -> None:
        self.limits = self.breakers.limits = self._messages.limits = limits


def _latched(desk: str, latch: Halt) -> TripReason:
    """A breaker of which only the latch is left, or that a person threw."""
    return TripReason(scope=desk, rule="latched", state=latch.state, limit=Decimal(0), value=Decimal(0))


def _value(change: Mapping[str, str]) -> object:
    new = change["new"]
    return tuple(part for part in new.split(",") if part) if change["name"] == "allowed_instruments" else new
