"""When each step of a decision began and how long it took, as far as it was measured, on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.traces import CallStep, OrderStep, Trace
from arena.ui.components.markup import Html, element

PARALLEL = ("analyst", "forecaster")
_VENUE_SHARE = 3.0
"""What the venue took is drawn as long as it is at most so many times the thinking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the axis, in milliseconds from the market view."""

    begin_ms: float
    length_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The spans of roles and orders by name and id, and the length of the axis; what was not measured is missing."""

    roles: dict[str, Span]
    orders: dict[str, Span]
    axis_ms: float


def timing_of(trace: Trace) -> Timing:
    """The spans of a decision. Analyst and forecaster work side by side, whoever follows waits for all before."""
    roles: dict[str, Span] = {}
    ready = 0.0
    for role in roles_in_order(trace):
        took = role_ms(trace, role)
        if took is None:
            continue
        begin = 0.0 if role in PARALLEL else ready
        roles[role] = Span(begin_ms=begin, length_ms=took)
        ready = max(ready, begin + took)
    thought = max(ready, trace.latency_ms or 0.0)
    orders = {
        order.order_id: Span(begin_ms=thought, length_ms=took)
        for order in trace.orders
        if not order.parent_id
        and (took := venue_ms(order)) is not None
        and took <= _VENUE_SHARE * max(thought, 1_000.0)
    }
    axis = max([thought, *(span.begin_ms + span.length_ms for span in orders.values())])
    return Timing(roles=roles, orders=orders, axis_ms=axis)


def roles_in_order(trace: Trace) -> list[str]:
    """The roles that were asked, in the order of their first turn."""
    asked = dict.fromkeys([*(step for step in trace.path), *(call.role for call in trace.calls)])
    spoke = {call.role for call in trace.calls}
    return [role for role in asked if role in spoke]


def role_ms(trace: Trace, role: str) -> float | None:
    """What a role's models and tools took together; the slowest member of a panel counts. None if not measured."""
    calls = [call for call in trace.calls if call.role == role]
    members: dict[str, list[CallStep]] = {}
    for call in calls:
        members.setdefault(call.model, []).append(call)
    sums = [sum(call.latency_ms or 0.0 for call in asked) for asked in members.values()]
    if not sums or all(call.latency_ms is None for call in calls):
        return None
    tools = sum(tool.latency_ms or 0.0 for tool in trace.tools if tool.role == role)
    return max(sums) + tools / len(members)


def model_ms(trace: Trace) -> float | None:
    """What all calls of models took, added up; None where none was measured."""
    known = [call.latency_ms for call in trace.calls if call.latency_ms is not None]
    return sum(known) if known else None


def venue_ms(order: OrderStep) -> float | None:
    """From sending an order to its first fill by the market's clock; to its arrival where nothing filled."""
    if order.fills:
        return float(order.fills[0].ts_ms - order.sent_ms)
    return None if order.arrives_ms is None else float(order.arrives_ms - order.sent_ms)


def bar(span: Span | None, axis_ms: float) -> Html:
    """The span as a bar on the axis, an empty track where it is not known."""
    inner: Sequence[Html] = ()
    if span is not None and axis_ms > 0:
        left = min(span.begin_ms / axis_ms * 100, 99.0)
        width = max(span.length_ms / axis_ms * 100, 0.8)
        inner = (element("i", style=f"left:{left:.2f}%;width:{min(width, 100 - left):.2f}%"),)
    return element("div", *inner, class_="tf-wf", aria_hidden="true")
