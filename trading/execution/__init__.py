"""The life of an order between the gate and its end: which orders stand, as a fold over the journal."""

from trading.execution.orders import OpenOrders

__all__ = ["OpenOrders"]
