"""The counter: where a person sees a desk of a running season that is traded by hand, tries a ticket and places it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from arena.seasons.snapshot import FloorSnapshot
from arena.tickets.board import PATIENCE_MS, TicketBoard
from arena.tickets.order import OrderTicket
from arena.tickets.preview import Preview, preview_of
from arena.tickets.ticket import Ticket
from trading.domain.account import AccountView
from trading.domain.errors import RequestError, TradingHalted
from trading.domain.instrument import Instrument
from trading.engine import Engine, Setup

PATIENCE_S = 10.0
"""How long a preview may wait for the season, which may be in the middle of a round."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A desk after a round: its account, what is left of each open order by its id, prices and the grid of orders."""

    account: AccountView
    left: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    instruments: Mapping[str, Instrument]


class Counter:
    """The season's thread attaches and shows; any thread may call the rest.

    ``snapshot`` gives the floor as it stands: its run, and whether it may trade.
    """

    def __init__(self, home: Path, snapshot: Callable[[], FloorSnapshot | None]) -> None:
        self.board = TicketBoard(home)
        self._snapshot = snapshot
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desks: tuple[str, ...] = ()
        self._instruments: tuple[str, ...] = ()
        self._stands: Mapping[str, Stand] = MappingProxyType({})

    # -- the season's side -----------------------------------------------------------------------------------------

    def expect(self, setup: Setup) -> None:
        """Know the desks and instruments of a season that is about to be played."""
        with self._lock:
            self._desks = tuple(entrant.desk for entrant in setup.entrants if entrant.kind == "person")
            self._instruments = tuple(setup.instruments)

    def attach(self, engine: Engine) -> None:
        """Stand at a season's side. Called on its loop."""
        self.expect(engine.setup)
        with self._lock:
            self._engine, self._loop = engine, asyncio.get_running_loop()
            self._stands = MappingProxyType({})

    def show(self) -> None:
        """Show the desks as they stand now. Called on the season's loop, after a round."""
        engine = self._engine
        if engine is None or not self._desks:
            return
        prices = {}
        for symbol in engine.setup.instruments:
            price = engine.last_price(symbol)
            if price is not None:
                prices[symbol] = price
        stands = {}
        for desk in self._desks:
            account = engine.account(desk)
            left = {order.order_id: engine.orders.left(order) for order in account.open_orders}
            stands[desk] = Stand(account=account, left=left, prices=prices, instruments=engine.setup.instruments)
        with self._lock:
            self._stands = MappingProxyType(stands)

    # -- a person's side -------------------------------------------------------------------------------------------

    @property
    def desks(self) -> Sequence[str]:
        """The desks that are traded by hand; none where the season has none."""
        with self._lock:
            return self._desks

    @property
    def instruments(self) -> Sequence[str]:
        """What the season trades."""
        with self._lock:
            return self._instruments

    def stand(self, desk: str) -> Stand | None:
        """A desk after the last round; None before the first."""
        with self._lock:
            return self._stands.get(desk)

    def tickets(self, desk: str, count: int = 60) -> list[Ticket]:
        """The newest tickets of a desk in this run, newest first."""
        snapshot = self._snapshot()
        return self.board.of(snapshot.run_id, desk, count) if snapshot is not None and snapshot.run_id else []

    def preview(self, desk: str, order: OrderTicket) -> Preview:
        """What the ticket would come to now.

        Raises RequestError for a desk that is not traded by hand or a ticket that cannot be, Unavailable where a price
        is not known, TradingHalted while nothing may trade.
        """
        self._check(desk)
        engine = self._engine
        if engine is None or self.stand(desk) is None:
            raise RequestError("the season has not played a round yet; try again in a moment")

        async def ruled() -> Preview:
            return preview_of(engine, desk, order)

        return self._on_season_loop(ruled())

    def place(
        self, desk: str, *, who: str, order: OrderTicket | None = None, cancels: str = "", ticket_id: str = ""
    ) -> Ticket:
        """Put a ticket on the board for the next round. Raises as :meth:`preview` does."""
        run_id = self._check(desk, cancels=bool(cancels))
        engine = self._engine
        if order is not None and engine is not None and order.instrument not in engine.setup.instruments:
            known = ", ".join(engine.setup.instruments)
            raise RequestError(f"{order.instrument[:60]!r} is not traded here; the instruments are {known}")
        every_ms = engine.setup.every_ms if engine is not None else 0
        return self.board.place(
            run_id=run_id,
            desk=desk,
            who=who,
            order=order,
            cancels=cancels,
            ticket_id=ticket_id,
            patience_ms=max(PATIENCE_MS, 2 * every_ms),
        )

    def withdraw(self, desk: str, ticket_id: str) -> Ticket:
        """Take a waiting ticket of a desk back. Raises RequestError where it does not wait any more."""
        run_id = self._check(desk, cancels=True)
        if all(ticket.ticket_id != ticket_id for ticket in self.board.of(run_id, desk)):
            raise RequestError(f"no ticket {ticket_id[:80]!r} of {desk}")
        return self.board.withdraw(run_id, ticket_id)

    def _check(self, desk: str, *, cancels: bool = False) -> str:
        """The run that trades now, for a desk of it that a person trades."""
        snapshot = self._snapshot()
        if snapshot is None or not snapshot.run_id or not self.desks:
            raise RequestError("no season with a desk that is traded by hand runs here; its file needs person = true")
        if desk not in self.desks:
            raise RequestError(f"{desk[:60]!r} is not traded by hand; that is {', '.join(self.desks)}")
        if snapshot.status not in ("starting", "running", "halted"):
            raise RequestError(f"the season is over ({snapshot.status}): no round will take a ticket")
        if snapshot.halt_reason is not None and not cancels:
            raise TradingHalted(f"trading is halted: {snapshot.halt_reason}; resume it first")
        return snapshot.run_id

    def _on_season_loop(self, work: Coroutine[Any, Any, Made]) -> Made:
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            raise RequestError("the season has ended")
        asked = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return asked.result(PATIENCE_S)
        except TimeoutError:
            asked.cancel()
            raise RequestError("the season is busy with a round; try again in a moment") from None
