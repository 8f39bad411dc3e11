"""What the gate said of an intent, and by which rule."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Ruling(StrEnum):
    """The three answers of the gate."""

    ALLOWED = "allowed"
    RESIZED = "resized"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A ruling with the rule that decided it, its ``limit`` and the ``value`` that was found, both with ``unit``.

    Allowed as asked: ``rule`` is empty and limit and value are None. ``quantity_after`` is 0 when refused.
    """

    ruling: Ruling
    quantity_before: Decimal
    quantity_after: Decimal
    rule: str = ""
    limit: Decimal | None = None
    value: Decimal | None = None
    unit: str = ""
    message: str = ""
