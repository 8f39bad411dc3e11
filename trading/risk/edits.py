"""What a person may change in a proposal: amounts and prices of its legs, or leave a leg out; never what is traded.

A change passes the gate like what it changes: here is only looked whether it can be meant.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from trading.domain.decision import IntentEdit
from trading.domain.errors import RequestError
from trading.domain.intent import OrderType, Side, TimeInForce, TradeIntent, shape_problem
from trading.domain.money import EXACT, money_text

EDITABLE = ("quantity", "limit_price", "trigger_price", "stop_loss", "take_profit")
"""The fields of an intent that a person may change."""

_PRICES = ("limit_price", "trigger_price", "trail", "stop_loss", "take_profit")
_DIGITS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")

Intent = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegChange:
    """What somebody wants of leg ``leg`` (from 1): other ``values``, or to drop it.

    Values are plain digits, None for no such price. One that is as it was changes nothing.
    """

    leg: int
    values: Mapping[str, str | None] = field(default_factory=dict)
    drop: bool = False


def edits_of(
    rulings: Sequence[Mapping[str, Any]], wanted: Sequence[LegChange], lots: Mapping[str, str]
) -> tuple[IntentEdit, ...]:
    """What ``wanted`` changes in a proposal. ``lots`` are the quantity steps of its instruments, as far as known.

    Raises RequestError for a leg that is not there, a field that is not a person's to change, what is no amount, off
    the lot or at odds with the rest of its leg, and where nothing is changed or nothing is left.
    """
    named = [change.leg for change in wanted]
    twice = next((leg for leg in named if named.count(leg) > 1), None)
    if twice is not None:
        raise RequestError(f"leg {twice} is named twice")
    edits = tuple(edit for change in wanted for edit in _leg_edits(change, rulings, lots))
    if not edits:
        raise RequestError("nothing is changed: approve the proposal as it is, or reject it")
    if sum(edit.is_drop for edit in edits) == len(rulings):
        raise RequestError("every leg is dropped: reject the proposal, and say why")
    return edits


def edited(intents: Sequence[Intent], edits: Sequence[IntentEdit]) -> list[dict[str, Any]]:
    """The intents as ``edits`` have made them, without those that were dropped."""
    changed = [dict(intent) for intent in intents]
    for edit in edits:
        changed[edit.leg - 1][edit.name] = edit.new
    return [intent for intent in changed if intent["quantity"] is not None]


def _leg_edits(
    change: LegChange, rulings: Sequence[Mapping[str, Any]], lots: Mapping[str, str]
) -> tuple[IntentEdit, ...]:
    if not 1 <= change.leg <= len(rulings):
        raise RequestError(f"there is no leg {change.leg}: the proposal has {len(rulings)}, counted from 1")
    try:
        before = _intent(rulings[change.leg - 1]["intent"])
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise RequestError(f"leg {change.leg} cannot be read: reject the proposal") from error
    if change.drop:
        if change.values:
            raise RequestError(f"leg {change.leg} is changed and dropped: say one of them")
        return (_edit(change.leg, before, "quantity", None),)
    values: dict[str, Any] = {name: _value(change.leg, name, text) for name, text in change.values.items()}
    values = {name: value for name, value in values.items() if value != getattr(before, name)}
    if values:
        _check(change.leg, replace(before, **values), lots if "quantity" in values else {})
    return tuple(_edit(change.leg, before, name, value) for name, value in values.items())


def _value(leg: int, name: str, text: str | None) -> Decimal | None:
    if name not in EDITABLE:
        raise RequestError(f"leg {leg}: {name[:40]!r} cannot be changed; what can is {', '.join(EDITABLE)}")
    if text is None and name != "quantity":
        return None
    digits = (text or "").strip()
    if not _DIGITS.fullmatch(digits) or Decimal(digits) <= 0:
        what = f"leg {leg}: {name.replace('_', ' ')} {digits[:40]!r}"
        raise RequestError(f"{what}: expected a number above zero, in plain digits such as 0.25")
    return Decimal(digits)


def _edit(leg: int, before: TradeIntent, name: str, new: Decimal | None) -> IntentEdit:
    return IntentEdit(
        leg=leg, instrument=before.instrument, name=name, old=_text(getattr(before, name)), new=_text(new)
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else money_text(value)


def _check(leg: int, intent: TradeIntent, lots: Mapping[str, str]) -> None:
    problem = shape_problem(intent)
    if problem is not None:
        raise RequestError(f"leg {leg}: {problem[0].lower()}{problem[1:]}")
    lot = lots.get(intent.instrument)
    if lot is not None and EXACT.remainder(intent.quantity, Decimal(lot)):
        raise RequestError(
            f"leg {leg}: {intent.instrument} trades in steps of {lot}; found quantity {money_text(intent.quantity)}"
        )


def _intent(row: Intent) -> TradeIntent:
    prices: dict[str, Any] = {name: None if row.get(name) is None else Decimal(row[name]) for name in _PRICES}
    return TradeIntent(
        instrument=str(row["instrument"]),
        side=Side(row["side"]),
        quantity=Decimal(row["quantity"]),
        order_type=OrderType(row["order_type"]),
        reduce_only=bool(row["reduce_only"]),
        time_in_force=TimeInForce(row.get("time_in_force", TimeInForce.GTD)),
        post_only=bool(row.get("post_only", False)),
        **prices,
    )
