"""The words of the house as frozen values: money, instruments, intents, orders, fills, decisions, errors.

No input or output, no clock reading, no randomness: whatever is here can be compared, hashed and journaled.
"""

from trading.domain.account import AccountView
from trading.domain.clock import Clock, ManualClock, SystemClock
from trading.domain.decision import (
    Approval,
    Decision,
    DecisionStatus,
    Dissent,
    Forecast,
    IntentEdit,
    ModelCall,
    RuledIntent,
    ToolCall,
)
from trading.domain.event import Event, EventKind
from trading.domain.fill import Fill, Liquidity
from trading.domain.instants import duration_ms, duration_text, from_ms, iso, parse_instant, to_ms
from trading.domain.instrument import Instrument, InstrumentKind, parse_symbol
from trading.domain.intent import ExecutionStyle, OrderType, Side, TimeInForce, TradeIntent, shape_problem
from trading.domain.limit import LimitRow
from trading.domain.market import Bar, Quote
from trading.domain.money import decimal_from_float, money_text, round_down, round_nearest, round_up
from trading.domain.order import Order, OrderStatus
from trading.domain.position import Position
from trading.domain.reject import RejectCode
from trading.domain.verdict import Ruling, Verdict

__all__ = [
    "AccountView",
    "Approval",
    "Bar",
    "Clock",
    "Decision",
    "DecisionStatus",
    "Dissent",
    "Event",
    "EventKind",
    "ExecutionStyle",
    "Fill",
    "Forecast",
    "Instrument",
    "InstrumentKind",
    "IntentEdit",
    "LimitRow",
    "Liquidity",
    "ManualClock",
    "ModelCall",
    "Order",
    "OrderStatus",
    "OrderType",
    "Position",
    "Quote",
    "RejectCode",
    "RuledIntent",
    "Ruling",
    "Side",
    "SystemClock",
    "TimeInForce",
    "ToolCall",
    "TradeIntent",
    "Verdict",
    "decimal_from_float",
    "duration_ms",
    "duration_text",
    "from_ms",
    "iso",
    "money_text",
    "parse_instant",
    "parse_symbol",
    "round_down",
    "round_nearest",
    "round_up",
    "shape_problem",
    "to_ms",
]
