"""The life of an order between the gate and its end: which orders stand, as a fold over the journal."""

from trading.execution.orders import OpenOrders, order_from_payload, order_payload

__all__ = ["OpenOrders", "order_from_payload", "order_payload"]
