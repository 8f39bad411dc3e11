"""``tradefloor order``: tickets of a desk that is traded by hand, from any terminal, while its season plays."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from arena.commands.output import print_json
from arena.settings import Settings
from arena.tickets import Ticket, TicketBoard
from arena.tickets.order import order_ticket
from trading.domain.errors import RequestError, TradingHalted
from trading.domain.instants import iso
from trading.risk import KillSwitch
from trading.storage.runs import RunFolder, Runs


class HandDesk:
    """A desk of an unfinished run that a person trades, found under a home folder."""

    def __init__(self, home: Path | None, run: str | None, desk: str | None) -> None:
        """Raises RequestError where there is none such, or several and none is named."""
        self.home = Settings.load({"home": home}).home
        self.run = _run(Runs(self.home), run)
        names = _by_hand(self.run)
        if desk is not None and desk not in names:
            raise RequestError(f"desk {desk[:60]!r} of {self.run.run_id} is not traded by hand; {_listed(names)}")
        if desk is None and len(names) > 1:
            raise RequestError(f"several desks of {self.run.run_id} are traded by hand; name one with --desk: {names}")
        self.name = desk or names[0]
        self.board = TicketBoard(self.home)

    def place(self, *, who: str, **ticket: Any) -> Ticket:
        """Put a ticket on the board. Raises TradingHalted where it is an order and nothing may trade."""
        if not " ".join(who.split()):
            raise RequestError("--who is needed: nothing is traded by nobody")
        if self.run.is_finished:
            raise RequestError(f"run {self.run.run_id} is over: no round will take a ticket")
        halt = KillSwitch(self.home).state(self.run.run_id)
        if halt is not None and ticket.get("order") is not None:
            raise TradingHalted(f"trading is halted: {halt.reason}; `tradefloor resume --reason ...` lets it go on")
        return self.board.place(run_id=self.run.run_id, desk=self.name, who=who, **ticket)


def place(desk: HandDesk, *, who: str, ticket_id: str, as_json: bool, **fields: object) -> None:
    """Put an order up for the next round."""
    order = order_ticket(**fields)
    traded = desk.run.manifest.get("rules", {}).get("market", {})
    if order.instrument not in traded.get("instruments", ()) and not traded.get("mask"):
        known = ", ".join(traded.get("instruments", ()))
        raise RequestError(f"{order.instrument!r} is not traded there; the instruments are {known}")
    _said(desk.place(who=who, order=order, ticket_id=ticket_id), as_json=as_json)


def cancel(desk: HandDesk, order_id: str, *, who: str, as_json: bool) -> None:
    """Ask the next round to take an open order back."""
    _said(desk.place(who=who, cancels=order_id), as_json=as_json)


def withdraw(desk: HandDesk, ticket_id: str, *, as_json: bool) -> None:
    """Take back a ticket that still waits."""
    _said(desk.board.withdraw(desk.run.run_id, ticket_id), as_json=as_json)


def show(desk: HandDesk, *, as_json: bool) -> None:
    """The newest tickets with what became of them, newest first."""
    found = desk.board.of(desk.run.run_id, desk.name)
    if as_json:
        print_json({"run_id": desk.run.run_id, "desk": desk.name, "tickets": [_document(one) for one in found]})
        return
    for one in found:
        typer.echo(_line(one))


def _said(ticket: Ticket, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(ticket))
    else:
        typer.echo(_line(ticket))


def _document(ticket: Ticket) -> dict[str, Any]:
    order = None if ticket.order is None else ticket.order.model_dump(mode="json", exclude_unset=True)
    return {**asdict(ticket), "order": order, "state": ticket.state.value}


def _line(ticket: Ticket) -> str:
    words = f" ({ticket.words})" if ticket.words else ""
    return f"{iso(ticket.placed_ms)}  {ticket.ticket_id}  {ticket.what}, by {ticket.who}: {ticket.state.value}{words}"


def _run(runs: Runs, named: str | None) -> RunFolder:
    if named is not None:
        found = runs.get(named)
        if not _by_hand(found):
            raise RequestError(f"no desk of {found.run_id} is traded by hand; its season file needs person = true")
        return found
    open_ones = [run for run in runs.all() if not run.is_finished and _by_hand(run)]
    if not open_ones:
        raise RequestError(
            "no unfinished run has a desk that is traded by hand; `tradefloor serve` starts one, or a season file with "
            "person = true"
        )
    return open_ones[-1]


def _by_hand(run: RunFolder) -> list[str]:
    desks = run.manifest.get("rules", {}).get("desk", ())
    return [str(desk.get("name")) for desk in desks if desk.get("person") is True]


def _listed(names: list[str]) -> str:
    return f"that is {', '.join(names)}" if names else "none of it is"
