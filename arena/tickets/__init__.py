"""Trading by hand: tickets that a person writes, the board on which they wait, and the season that takes them.

What became of a ticket stands in the journal; the board is where any process puts tickets and reads what it was told.
"""

from arena.tickets.board import TicketBoard
from arena.tickets.order import OrderTicket, Sizes
from arena.tickets.taking import TicketTaker
from arena.tickets.ticket import Ticket, TicketState

__all__ = ["OrderTicket", "Sizes", "Ticket", "TicketBoard", "TicketState", "TicketTaker"]
