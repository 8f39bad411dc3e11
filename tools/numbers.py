"""Numbers as models write and read them: decimal texts for money, a few significant digits for statistics."""

from decimal import Context, Decimal
from typing import Annotated

from pydantic import Field, WithJsonSchema

from trading.domain import money_text

_TEXT = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
_SIGNED_TEXT = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_BOUND = Decimal("1e15")

PositiveDecimal = Annotated[Decimal, Field(gt=0, lt=_BOUND, decimal_places=18), WithJsonSchema(_TEXT)]
"""A positive amount, exact, written as a decimal text."""

SignedDecimal = Annotated[Decimal, Field(gt=-_BOUND, lt=_BOUND, decimal_places=18), WithJsonSchema(_SIGNED_TEXT)]
"""An amount of either sign, exact, written as a decimal text."""

_QUOTIENT = Context(prec=16)


def quotient_text(value: Decimal) -> str:
    """A decimal that came from a division, as a text of at most 16 significant digits."""
    return money_text(_QUOTIENT.plus(value))


def significant(value: float, digits: int = 8) -> float:
    """``value`` to so many significant digits: all that a statistic has, and fewer tokens to read."""
    return float(f"{value:.{digits}g}")
