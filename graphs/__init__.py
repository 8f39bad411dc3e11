"""The desk graph on LangGraph: who speaks when, what is asked again, and what comes out as a Decision.

Roles and models are in ``agents``; the gate, the engine and the journal are below and above.
"""

from graphs.checkpoints import Checkpoints, open_checkpoints
from graphs.desk import DeskGraph
from graphs.nodes import facts_of
from graphs.seat import Approver, Proposal, Seat
from graphs.team import DeskTeam

__all__ = [
    "Approver",
    "Checkpoints",
    "DeskGraph",
    "DeskTeam",
    "Proposal",
    "Seat",
    "facts_of",
    "open_checkpoints",
]
