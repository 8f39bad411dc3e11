"""What a control is, and what it may answer."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.domain.intent import TradeIntent
from trading.domain.money import ZERO
from trading.risk.gate_state import GateState

Check = Callable[[TradeIntent, Decimal, GateState], "Finding | None"]


class Scope(StrEnum):
    """Over what a control counts."""

    ORDER = "order"
    DESK = "desk"
    INSTRUMENT = "instrument"
    VENUE = "venue"
    ARENA = "arena"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a control found: the quantity that may stand, and the rule, limit and value for the record."""

    rule: str
    quantity: Decimal
    message: str
    limit: Decimal | None = None
    value: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control: the id under which its rulings are recorded, what it counts over and in which unit.

    ``limits`` names the values of ``config/limits.toml`` that it reads, ``rules`` the ids that its findings may carry;
    the first is its own. Controls are asked by rising ``stage``.
    """

    rule: str
    stage: int
    scope: Scope
    unit: str
    limits: tuple[str, ...]
    rules: tuple[str, ...]
    check: Check
    says: str


def control(
    rule: str,
    *,
    stage: int,
    scope: Scope,
    unit: str,
    limits: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> Callable[[Check], Control]:
    """Declare the decorated function as a control; its docstring's first line is its line in the docs."""

    def declare(check: Check) -> Control:
        says = (check.__doc__ or "").strip().splitlines()[0]
        return Control(
            rule=rule, stage=stage, scope=scope, unit=unit, limits=limits, rules=(rule, *also), check=check, says=says
        )

    return declare


def refuse(
    rule: str, message: str, *, limit: Decimal | None = None, value: Decimal | None = None, unit: str = ""
) -> Finding:
    """A finding that lets nothing stand."""
    return Finding(rule=rule, quantity=ZERO, message=message, limit=limit, value=value, unit=unit)


def is_amount(value: Decimal) -> bool:
    """Whether a number that a model named could be a price or a quantity at all."""
    return value.is_finite() and value > 0 and value.adjusted() <= 15
