"""A person's desk in a season that plays: tickets are carried out at the next round, each once, whatever is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from arena.tickets import TicketBoard, TicketState
from arena.tickets.order import order_ticket
from trading.domain.event import EventKind
from trading.risk import KillSwitch
from trading.storage.journal import read_verified

DEMO = CONFIG / "seasons" / "demo.toml"
BTC = "BTC-USDT-PERP"
SIX_HOURS = ["season.end=2026-01-01T06:00:00Z"]


class Table:
    """A short season with a desk by hand; ``play`` plays ``rounds`` of it and calls ``between`` after each."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.load({"home": home})
        self.prepared = wiring.prepare(load_rules(DEMO, SIX_HOURS).with_person("you"), self.settings)
        self.folder = wiring.open_run(self.prepared, self.settings, even_halted=True)
        self.board = TicketBoard(home)

    def place(self, **fields):
        """A ticket on the board."""
        return self.board.place(run_id=self.folder.run_id, desk="you", who="ann", order=order_ticket(**fields))

    def cancel(self, order_id):
        """A ticket that cancels."""
        return self.board.place(run_id=self.folder.run_id, desk="you", who="ann", cancels=order_id)

    def play(self, rounds=6, between=None, crash=None):
        """Play on from where the journal stands; ``between`` is called after each, ``crash`` is a commit that dies."""

        async def played():
            seen = {}

            def watch(engine, _journal, _telemetry):
                seen["engine"] = engine
                return on_round

            def on_round(index):
                if between is not None:
                    between(index, seen["engine"])
                if index + 1 >= rounds:
                    seen["run"].stop()

            async with wiring.season_run(self.prepared, self.folder, self.settings, watch=watch) as playable:
                seen["run"] = playable.run
                if crash is not None:
                    commit = seen["engine"]._journal.commit
                    calls = iter(range(100))

                    def dies():
                        if next(calls) == crash:
                            raise KeyboardInterrupt
                        commit()

                    seen["engine"]._journal.commit = dies
                return await playable.play()

        return asyncio.run(played())

    def events(self, *kinds):
        """Payloads of the journal's events of the person's desk, of some kinds."""
        found = [stored.event() for stored in read_verified(self.folder.journal)]
        return [
            (event.kind.value, event.payload)
            for event in found
            if event.kind in kinds and event.payload.get("desk") == "you"
        ]

    def state(self, ticket):
        """State and words of a ticket on the board."""
        (found,) = (one for one in self.board.of(self.folder.run_id, "you") if one.ticket_id == ticket.ticket_id)
        return found.state, found.words


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path)


def test_a_market_ticket_fills_at_the_next_round_and_stands_in_the_journal(table):
    ticket = table.place(instrument=BTC, side="buy", quantity="0.01")
    table.play(3)
    state, words = table.state(ticket)
    assert state is TicketState.FILLED
    assert words.startswith("0.01 at ")
    taken = table.events(EventKind.TICKET_TAKEN)
    assert [(payload["who"], payload["ticket"]) for _, payload in taken] == [("ann", ticket.ticket_id)]
    (decided,) = table.events(EventKind.DECIDED)
    assert decided[1]["rationale"] == f"ann asked to buy 0.01 {BTC}"
    assert len(table.events(EventKind.FILLED)) == 1


def test_the_gate_resizes_and_refuses_and_the_ticket_says_by_which_rule(table):
    large = table.place(instrument=BTC, side="buy", value="9000000")
    nothing = table.place(instrument=BTC, close="yes")
    strange = table.place(instrument="XRP-USDT-PERP", side="buy", quantity="1")
    table.play(2)
    state, words = table.state(large)
    assert state in (TicketState.REFUSED, TicketState.FILLED)
    assert "max_" in words or " by " in words or state is TicketState.FILLED
    ((_, ruled),) = table.events(EventKind.RULED)
    assert ruled["ruling"] in ("refused", "resized")
    assert table.state(nothing) == (TicketState.REFUSED, f"there is no position in {BTC} to close")
    assert table.state(strange)[0] is TicketState.REFUSED
    assert "not traded here" in table.state(strange)[1]


def test_a_limit_rests_until_it_is_cancelled_and_a_position_is_closed(table):
    bought = table.place(instrument=BTC, side="buy", quantity="0.02")
    resting = table.place(instrument=BTC, side="buy", order_type="limit", quantity="0.01", limit_price="92000")
    tickets = {}

    def between(index, engine):
        if index == 1:
            assert table.state(resting)[0] is TicketState.OPEN, table.state(resting)
            (order,) = engine.orders.of("you")
            tickets["cancel"] = table.cancel(order.order_id)
            tickets["twice"] = table.cancel(order.order_id)
            tickets["strange"] = table.cancel("o-of-somebody-else")
        if index == 2:
            tickets["close"] = table.place(instrument=BTC, close=True)
        if index == 5:
            assert engine.ledger.accounts["you"].positions == {}

    table.play(6, between)
    assert table.state(bought)[0] is TicketState.FILLED
    assert table.state(resting) == (TicketState.CANCELLED, "cancelled by ann")
    assert table.state(tickets["cancel"])[0] is TicketState.DONE
    for name in ("twice", "strange"):
        assert table.state(tickets[name]) == (TicketState.REFUSED, "the order is not open any more")
    assert table.state(tickets["close"])[0] is TicketState.FILLED


@pytest.mark.parametrize("crash", [1, 2])
def test_a_ticket_is_carried_out_once_when_the_round_dies_before_its_commit(table, crash):
    """Killed before the round of the ticket is durable, it is taken again; nothing of the first time is left."""
    ticket = table.place(instrument=BTC, side="buy", quantity="0.01")
    with pytest.raises(KeyboardInterrupt):
        table.play(6, crash=crash - 1)
    table.play(6)
    assert table.state(ticket)[0] is TicketState.FILLED
    assert len(table.events(EventKind.TICKET_TAKEN)) == 1
    assert len(table.events(EventKind.FILLED)) == 1


def test_a_ticket_is_carried_out_once_when_the_season_dies_before_it_tells(table):
    """Killed between the commit and the board, the journal knows: it is not taken again, and the board is told."""
    ticket = table.place(instrument=BTC, side="buy", quantity="0.01")
    table.play(2)
    table.board.tell(table.folder.run_id, [(ticket.ticket_id, TicketState.TAKEN, "")])
    table.play(4)
    assert table.state(ticket)[0] is TicketState.FILLED
    assert len(table.events(EventKind.FILLED)) == 1


_CHILD = """
import os, signal, sys
from pathlib import Path
from tests.arena.tickets.test_by_hand import Table
from arena.tickets.board import TicketBoard
tell = TicketBoard.tell
def dies(self, run_id, states):
    states = list(states)
    if states:
        os.kill(os.getpid(), signal.SIGKILL)
    tell(self, run_id, states)
TicketBoard.tell = dies
Table(Path(sys.argv[1])).play(6)
"""


@pytest.mark.slow
def test_a_ticket_is_carried_out_once_when_the_process_is_killed(table, tmp_path):
    ticket = table.place(instrument=BTC, side="buy", quantity="0.01")
    done = subprocess.run([sys.executable, "-c", _CHILD, str(tmp_path)], env=os.environ, check=False, timeout=110)
    assert done.returncode == -signal.SIGKILL
    assert table.state(ticket)[0] is TicketState.TAKEN
    table.play(6)
    assert table.state(ticket)[0] is TicketState.FILLED
    assert len(table.events(EventKind.TICKET_TAKEN)) == len(table.events(EventKind.FILLED)) == 1


def test_while_trading_is_halted_tickets_are_refused_and_none_trades(table, tmp_path):
    KillSwitch(tmp_path).halt("a test")
    ticket = table.place(instrument=BTC, side="buy", quantity="0.01")
    table.play(2)
    assert table.state(ticket) == (TicketState.REFUSED, "trading is halted")
    assert table.events(EventKind.ORDERED) == []


def test_a_desk_without_tickets_changes_nothing_for_the_others(tmp_path):
    """The same fills of the other desks with and without a person beside them."""
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    found = []
    for home, rules in (
        (alone, load_rules(DEMO, SIX_HOURS)),
        (beside, load_rules(DEMO, SIX_HOURS).with_person("you")),
    ):
        settings = Settings.load({"home": home})
        prepared = wiring.prepare(rules, settings)
        folder = wiring.open_run(prepared, settings)

        async def played(prepared=prepared, folder=folder, settings=settings):
            async with wiring.season_run(prepared, folder, settings) as playable:
                await playable.play()

        asyncio.run(played())
        events = [stored.event() for stored in read_verified(folder.journal)]
        found.append([event.payload for event in events if event.kind is EventKind.FILLED])
        assert not any(event.kind is EventKind.TICKET_TAKEN for event in events)
    assert found[0] == found[1]
    assert found[0]


def test_value_is_turned_into_lots_at_the_last_price(table):
    ticket = table.place(instrument=BTC, side="sell", value="500")
    table.play(2)
    ((_, ordered),) = table.events(EventKind.ORDERED)
    assert table.state(ticket)[0] is TicketState.FILLED
    lot = table.prepared.setup.instruments[BTC].lot
    assert Decimal(ordered["quantity"]) % lot == 0
    assert ordered["side"] == "sell"
