"""A season takes tickets: once a round, after its desks have decided, each ticket once whatever is killed when."""

from collections.abc import Sequence

from arena.tickets.board import TicketBoard
from arena.tickets.order import Sizes
from arena.tickets.outcomes import TicketOutcomes
from arena.tickets.ticket import Ticket
from trading.domain import ids
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.errors import RequestError, Unavailable
from trading.domain.event import Event, EventKind
from trading.domain.intent import TradeIntent
from trading.domain.money import decimal_from_float
from trading.engine import Engine, Round

PATH = ("by hand",)
"""The path of a decision that no graph was asked for."""


class TicketTaker:
    """Carries out the tickets of the desks that people trade.

    A ticket is taken in the same commit as its orders: what the journal holds was carried out, and nothing else was.
    ``outcomes`` must have seen every event of the run.
    """

    def __init__(self, *, engine: Engine, board: TicketBoard, run_id: str, desks: Sequence[str]) -> None:
        self.desks = tuple(desks)
        self.outcomes = TicketOutcomes()
        self._engine = engine
        self._board = board
        self._run_id = run_id

    def play(self, opened: Round) -> None:
        """Take what waits, cancels first, and submit the orders of each desk as its decision of the round."""
        for desk in self.desks:
            tickets = self._board.claim(self._run_id, desk, self.outcomes.taken)
            for ticket in tickets:
                if ticket.order is None:
                    self._cancel(ticket, opened)
            self._order([ticket for ticket in tickets if ticket.order is not None], desk, opened)

    def tell(self) -> None:
        """Write on the board what the journal holds, once that is durable."""
        self._board.tell(self._run_id, self.outcomes.untold())

    def _cancel(self, ticket: Ticket, opened: Round) -> None:
        open_ids = {order.order_id for order in self._engine.orders.of(ticket.desk)}
        refused = "" if ticket.cancels in open_ids else "the order is not open any more"
        self._record(ticket, opened, refused=refused)
        if not refused:
            self._engine.cancel(ticket.desk, ticket.cancels, f"cancelled by {ticket.who}")

    def _order(self, tickets: Sequence[Ticket], desk: str, opened: Round) -> None:
        decision_id = ids.decision_id(self._engine.setup.season, desk, opened.index)
        intents: list[TradeIntent] = []
        said: list[str] = []
        for ticket in tickets:
            try:
                intent = self._intent(ticket)
            except (RequestError, Unavailable) as error:
                self._record(ticket, opened, refused=str(error))
                continue
            self._record(ticket, opened, intent_id=ids.intent_id(decision_id, 0, len(intents)), decision_id=decision_id)
            intents.append(intent)
            said.append(f"{ticket.who} asked to {ticket.what}")
        if intents:
            decision = Decision(
                decision_id=decision_id,
                desk=desk,
                round_index=opened.index,
                status=DecisionStatus.ACTED,
                intents=tuple(intents),
                rationale="; ".join(said),
                path=PATH,
            )
            self._engine.submit(decision)

    def _intent(self, ticket: Ticket) -> TradeIntent:
        engine = self._engine
        if engine.halted:
            raise RequestError("trading is halted")
        assert ticket.order is not None, "only orders come here"
        return ticket.order.intent(sizes_of(engine, ticket.desk, ticket.order.instrument))

    def _record(
        self, ticket: Ticket, opened: Round, *, refused: str = "", intent_id: str = "", decision_id: str = ""
    ) -> None:
        payload = {
            "ticket": ticket.ticket_id,
            "desk": ticket.desk,
            "what": ticket.what,
            "cancels": ticket.cancels,
            "who": ticket.who,
            "placed_ms": ticket.placed_ms,
            "intent_id": intent_id,
            "refused": refused,
        }
        event = Event(ts_ms=opened.as_of_ms, kind=EventKind.TICKET_TAKEN, payload=payload, decision_id=decision_id)
        self._engine.record(event)


def sizes_of(engine: Engine, desk: str, symbol: str) -> Sizes:
    """What the size of a ticket is measured by in the open round, or the last one.

    Raises RequestError for an instrument that the season does not trade, Unavailable for one without a price.
    """
    instrument = engine.setup.instruments.get(symbol)
    if instrument is None:
        known = ", ".join(engine.setup.instruments)
        raise RequestError(f"{symbol[:60]!r} is not traded here; the instruments are {known}")
    account, view = engine.account(desk), engine.seen_view
    return Sizes(account=account, price=decimal_from_float(view.quote(symbol).price), instrument=instrument)
