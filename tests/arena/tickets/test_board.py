"""Tickets wait, are claimed once, and say what became of them; the same id is the same ticket."""

import sqlite3

import pytest

from arena.tickets.board import MOST_WAITING, PATIENCE_MS, TicketBoard
from arena.tickets.order import order_ticket
from arena.tickets.ticket import TicketState
from trading.domain.errors import ConfigError, RequestError

ORDER = order_ticket(instrument="BTC-USDT-PERP", side="buy", quantity="0.1")
OTHER = order_ticket(instrument="BTC-USDT-PERP", side="sell", quantity="0.1")


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        """Now."""
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(tmp_path, clock):
    return TicketBoard(tmp_path, clock)


def place(board, **fields):
    """A ticket of ann for desk you of run r."""
    return board.place(**{"run_id": "r", "desk": "you", "who": "ann", "order": ORDER, **fields})


def test_a_ticket_waits_and_reads_back_as_it_was_written(board, clock):
    ticket = place(board, who="  ann\n the trader ")
    (found,) = board.of("r", "you")
    assert found == ticket
    assert (found.order, found.who, found.state) == (ORDER, "ann the trader", TicketState.WAITING)
    assert (found.placed_ms, found.deadline_ms) == (clock.ms, clock.ms + PATIENCE_MS)


def test_a_ticket_that_no_round_saw_in_time_is_shown_as_expired(board, clock):
    place(board)
    clock.ms += PATIENCE_MS - 1
    assert board.of("r", "you")[0].state is TicketState.WAITING
    clock.ms += 1
    assert board.of("r", "you")[0].state is TicketState.EXPIRED


def test_the_same_id_is_the_same_ticket_and_never_another(board):
    first = place(board, ticket_id="t-1")
    assert place(board, ticket_id="t-1") == first
    assert len(board.of("r", "you")) == 1
    with pytest.raises(RequestError, match="stands for something else"):
        place(board, ticket_id="t-1", order=OTHER)
    with pytest.raises(RequestError, match="stands for something else"):
        place(board, ticket_id="t-1", order=None, cancels="o-1")
    assert place(board, ticket_id="t-1", run_id="another").run_id == "another"


def test_a_claim_takes_what_waits_and_leaves_what_stands_in_the_journal(board):
    first, second = place(board), place(board, order=OTHER)
    place(board, desk="me")
    assert [one.ticket_id for one in board.claim("r", "you", ())] == [first.ticket_id, second.ticket_id]
    assert [one.ticket_id for one in board.claim("r", "you", {first.ticket_id})] == [second.ticket_id]


def test_what_was_claimed_cannot_be_withdrawn(board):
    ticket, waits = place(board), place(board, order=OTHER)
    assert board.withdraw("r", waits.ticket_id).state is TicketState.WITHDRAWN
    assert [one.ticket_id for one in board.claim("r", "you", ())] == [ticket.ticket_id]
    with pytest.raises(RequestError, match="is taken already"):
        board.withdraw("r", ticket.ticket_id)
    with pytest.raises(RequestError, match="no ticket"):
        board.withdraw("r", "t-nobody-placed")


def test_a_ticket_that_no_round_took_in_time_expires(board, clock):
    ticket = place(board)
    clock.ms = ticket.deadline_ms
    assert board.claim("r", "you", ()) == []
    assert board.of("r", "you")[0].state is TicketState.EXPIRED


def test_what_became_of_it_is_told(board):
    ticket = place(board)
    board.tell("r", [(ticket.ticket_id, TicketState.FILLED, "0.1 at 50000"), ("t-unknown", TicketState.FILLED, "")])
    (found,) = board.of("r", "you")
    assert (found.state, found.words) == (TicketState.FILLED, "0.1 at 50000")


def test_so_many_may_wait_and_no_more(board):
    for _ in range(MOST_WAITING):
        place(board)
    with pytest.raises(RequestError, match="wait already"):
        place(board)


@pytest.mark.parametrize(
    "fields",
    [{"ticket_id": "a b"}, {"ticket_id": "x" * 65}, {"ticket_id": "<script>"}, {"order": None}, {"cancels": "o-1"}],
)
def test_rubbish_is_not_put_up(board, fields):
    with pytest.raises(RequestError):
        place(board, **fields)
    assert board.of("r", "you") == []


def test_an_empty_home_has_no_tickets_and_is_not_made(tmp_path):
    board = TicketBoard(tmp_path / "none")
    assert board.of("r", "you") == []
    assert board.claim("r", "you", ()) == []
    assert not (tmp_path / "none").exists()


def test_a_damaged_board_says_which_file(tmp_path, board):
    (tmp_path / "tickets.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 4)
    with pytest.raises(ConfigError, match=r"tickets\.sqlite"):
        board.of("r", "you")


def test_a_damaged_row_is_named(tmp_path, board):
    ticket = place(board)
    db = sqlite3.connect(tmp_path / "tickets.sqlite")
    with db:
        db.execute("update tickets set body = '{}'")
    db.close()
    with pytest.raises(ConfigError, match=ticket.ticket_id):
        board.of("r", "you")
