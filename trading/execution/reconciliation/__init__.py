"""Whether the record and the venue agree: orders, fills, positions and balances, at the start and on a timer."""

from trading.execution.reconciliation.books import ExpectedBooks
from trading.execution.reconciliation.breaks import Break, BreakKind, OpenBreaks
from trading.execution.reconciliation.reconciler import ForeignOrders, Outcome, ReconcilePolicy, Reconciler, Tell

__all__ = [
    "Break",
    "BreakKind",
    "ExpectedBooks",
    "ForeignOrders",
    "OpenBreaks",
    "Outcome",
    "ReconcilePolicy",
    "Reconciler",
    "Tell",
]
