"""The kernel: clock, feed, venue, gate, ledger and journal in one loop, shared by backtest, replay, paper and live.

Who decides is not its business: a season hands it decisions of desks, a backtest hands it a strategy.
"""

from trading.engine.cursor import Cursor
from trading.engine.feedback import Feedback
from trading.engine.kernel import Engine
from trading.engine.protection import ProtectionPolicy, ProtectiveLevels
from trading.engine.round import Round
from trading.engine.setup import Entrant, Setup
from trading.engine.strategy import Strategy, run_strategy

__all__ = [
    "Cursor",
    "Engine",
    "Entrant",
    "Feedback",
    "ProtectionPolicy",
    "ProtectiveLevels",
    "Round",
    "Setup",
    "Strategy",
    "run_strategy",
]
