"""The life of an order between the gate and its end: its states, which orders stand, how they are sent and worked."""

from trading.execution.lifecycle import TRANSITIONS, Happening, OrderLife
from trading.execution.orders import OpenOrders

__all__ = ["TRANSITIONS", "Happening", "OpenOrders", "OrderLife"]
