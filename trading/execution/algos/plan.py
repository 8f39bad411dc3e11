"""From an order that is to be worked to its children: when each goes, and how much of it.

A plan is fixed when the order is decided, so that a replay makes the same children: :class:`~.worker.Worker` follows a
live book instead. Either way the children of an order have the same ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.domain import ids
from trading.domain.errors import RequestError
from trading.domain.instrument import Instrument
from trading.domain.intent import ExecutionStyle, TimeInForce, TradeIntent
from trading.domain.money import ZERO, decimal_from_float, round_up
from trading.domain.order import Order
from trading.execution.algos.volume_curve import share_between, volume_by
from trading.marketdata.tape import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualVolume:
    """What trades of an instrument on a usual day: ``a_day`` in base units, spread as ``curve`` says.

    ``curve`` is of :func:`~trading.execution.algos.volume_curve.volume_curve`.
    """

    a_day: float
    curve: FloatArray

    def between(self, start_ms: int, end_ms: int) -> float:
        """Base units that usually trade from ``start_ms`` to before ``end_ms``."""
        return self.a_day * share_between(self.curve, start_ms, end_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """A child every ``slice_ms``; one that goes with the volume takes at most ``participation`` of it."""

    slice_ms: int = 60_000
    participation: float = 0.1

    def __post_init__(self) -> None:
        if self.slice_ms <= 0 or not 0 < self.participation <= 1:
            raise RequestError(
                f"a slice of {self.slice_ms} ms and a participation of {self.participation}: expected a time above 0 "
                "and a fraction up to 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The children of an order by the time they go, and what of it is ``left`` because the usual volume ends first."""

    children: tuple[Order, ...]
    left: Decimal = ZERO


def plan_children(
    order: Order,
    intent: TradeIntent,
    instrument: Instrument,
    *,
    price: Decimal,
    volume: UsualVolume | None = None,
    rules: PlanRules | None = None,
) -> Plan:
    """How ``order`` is worked as its ``intent`` asks, from its sending on; one that goes at once is its own child.

    Quantities of children are whole lots and sum with ``left`` to the order's, to the last lot; only a share of volume
    leaves any. A part worth less at ``price`` than the instrument's least order waits for the next slice. What rests
    ends with the window. Raises RequestError where a style needs a usual volume that is not known.
    """
    if intent.window_s is None:
        return Plan(children=(order,))
    rules, end_ms = rules or PlanRules(), order.sent_ms + 1000 * intent.window_s
    starts = range(order.sent_ms, end_ms, rules.slice_ms)
    shares = _shares(order, intent.style, (*starts, end_ms), volume, rules)
    due = [_whole_lots(order.quantity, share, instrument) for share in shares]
    parts = tuple(_parts(due, starts, least=_least(instrument, price)))
    children = tuple(part_order(order, number, at, part, end_ms) for number, (at, part) in enumerate(parts))
    return Plan(children=children, left=order.quantity - sum((part for _, part in parts), ZERO))


def _shares(
    order: Order, style: ExecutionStyle, edges: Sequence[int], volume: UsualVolume | None, rules: PlanRules
) -> Iterator[float]:
    """The share of the order that is to be done by the end of each slice; above 1 where volume would allow more."""
    begin_ms, end_ms = edges[0], edges[-1]
    for number, until_ms in enumerate(edges[1:], start=1):
        if style is ExecutionStyle.TWAP:
            yield number / (len(edges) - 1)
        elif volume is None:
            raise RequestError(
                f"{style.value} in {order.instrument} needs its usual volume, which is not known: use twap"
            )
        elif style is ExecutionStyle.VWAP:
            yield 1.0 if until_ms == end_ms else volume_by(volume.curve, begin_ms, end_ms, until_ms)
        else:
            yield rules.participation * volume.between(begin_ms, until_ms) / float(order.quantity)


def _parts(due: list[Decimal], starts: range, *, least: Decimal) -> Iterator[tuple[int, Decimal]]:
    """What goes at each start: the steps of ``due``, with none below ``least`` as far as others can take it along."""
    done, whole = ZERO, due[-1]
    for at, wanted in zip(starts, due, strict=True):
        part = wanted - done
        rest = whole - wanted
        if 0 < rest < least:
            part += rest
        if part > 0 and (part >= least or done + part == whole):
            done += part
            yield at, part


def _whole_lots(quantity: Decimal, share: float, instrument: Instrument) -> Decimal:
    if share >= 1:
        return quantity
    return instrument.floor_quantity(quantity * decimal_from_float(round(max(0.0, share), 12)))


def _least(instrument: Instrument, price: Decimal) -> Decimal:
    if price <= 0:
        raise RequestError(f"a price of {price} for {instrument.symbol}: expected one above 0")
    return max(instrument.lot, round_up(instrument.min_notional / price, instrument.lot))


def part_order(order: Order, number: int, at_ms: int, quantity: Decimal, end_ms: int) -> Order:
    """The child of ``order`` that goes at ``at_ms``; where it has a limit price it rests until ``end_ms``."""
    role = f"slice:{number}"
    return replace(
        order,
        order_id=ids.child_order_id(order.order_id, role),
        client_order_id=ids.child_client_order_id(order.client_order_id, role),
        quantity=quantity,
        sent_ms=at_ms,
        arrives_ms=at_ms + order.arrives_ms - order.sent_ms,
        time_in_force=TimeInForce.GTD,
        expires_ms=None if order.limit_price is None else end_ms,
        parent_id=order.order_id,
        parent_quantity=order.quantity,
    )
