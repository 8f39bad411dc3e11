"""What a proposal that waits for a person would do, in numbers that follow from the desk's seat in its round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from agents.schemas.executor import IntentAnswer
from graphs import Seat
from trading.domain import Ruling, TradeIntent, decimal_from_float
from trading.domain.errors import RequestError, TradefloorError
from trading.risk.approvals import Asked
from trading.risk.edits import LegChange, edited, edits_of

ADVERSE_MOVE = Decimal("0.05")
"""The move against the position after the trade that a worst case is stated for, as a fraction of the price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One intent and what would come of it. ``quantity`` is what the gate lets through, in base units.

    ``value``, ``worst`` (the loss at :data:`ADVERSE_MOVE`) and ``fee`` (at the taker's rate) are in the quote currency,
    ``held`` and ``after`` signed positions. They are None where the desk's seat in that round is not known here.
    """

    intent: TradeIntent
    ruling: Ruling
    message: str
    quantity: Decimal
    value: Decimal | None = None
    held: Decimal | None = None
    after: Decimal | None = None
    worst: Decimal | None = None
    fee: Decimal | None = None


def effects_of(asked: Asked, seat: Seat | None) -> list[Effect | None]:
    """What each intent would do, None for one that cannot be read. A seat of another decision tells nothing."""
    known = seat if seat is not None and seat.decision_id == asked.decision_id else None
    return [_effect(ruling, known) for ruling in asked.rulings]


def changed_intents(asked: Asked, changes: Sequence[LegChange]) -> list[TradeIntent]:
    """The intents of a proposal with ``changes``. Raises RequestError for changes that cannot be made."""
    edits = edits_of(asked.rulings, changes, asked.lots)
    rows = edited([ruling["intent"] for ruling in asked.rulings], edits)
    try:
        return [IntentAnswer.model_validate(row, strict=False).intent() for row in rows]
    except ValidationError as error:
        raise RequestError("a part of the proposal cannot be read: reject it") from error


def _effect(ruling: Mapping[str, Any], seat: Seat | None) -> Effect | None:
    try:
        intent = IntentAnswer.model_validate(ruling["intent"], strict=False).intent()
        quantity = Decimal(ruling["quantity_after"])
        plain = Effect(
            intent=intent, ruling=Ruling(ruling["ruling"]), message=str(ruling["message"] or ""), quantity=quantity
        )
    except (ValidationError, KeyError, TypeError, ValueError, InvalidOperation):
        return None
    return plain if seat is None else _measured(plain, seat)


def _measured(effect: Effect, seat: Seat) -> Effect:
    intent, account = effect.intent, seat.tools.account
    price = intent.limit_price or _quoted(seat, intent.instrument)
    position = account.positions.get(intent.instrument)
    held = position.quantity if position is not None else Decimal(0)
    after = held + intent.side.sign * effect.quantity
    if price is None:
        return replace(effect, held=held, after=after)
    value = effect.quantity * price
    return replace(
        effect,
        held=held,
        after=after,
        value=value,
        worst=abs(after) * price * ADVERSE_MOVE,
        fee=value * decimal_from_float(seat.brief.costs.taker_fee_bps) / 10_000,
    )


def _quoted(seat: Seat, symbol: str) -> Decimal | None:
    try:
        return decimal_from_float(seat.tools.view.quote(symbol).price)
    except TradefloorError:
        return None
