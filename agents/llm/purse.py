"""What a desk or a season may spend on models: spent, promised to calls in flight, left."""

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.money import money_text

SEASON_BUDGET = "season_budget"
DESK_BUDGET = "desk_budget"
BUDGET_REASONS = frozenset({SEASON_BUDGET, DESK_BUDGET})
"""The reasons of a failure that is no answer of a model but a refusal to ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Dollars and tokens of a call. Where the price of a model is not known, its dollars are not counted."""

    usd: Decimal = Decimal(0)
    tokens: int = 0

    @property
    def words(self) -> str:
        """Both in words."""
        return f"${money_text(self.usd)} and {self.tokens} tokens"

    def __add__(self, other: "Charge") -> "Charge":
        """Both together."""
        return Charge(usd=self.usd + other.usd, tokens=self.tokens + other.tokens)

    def __sub__(self, other: "Charge") -> "Charge":
        """This without the other."""
        return Charge(usd=self.usd - other.usd, tokens=self.tokens - other.tokens)


NOTHING = Charge()


class Purse:
    """A limit and what has gone of it. ``usd`` and ``tokens`` are the limits, None for none; ``name`` is for messages.

    ``held`` is promised to calls in flight. Spent and held together never pass the limit, unless a provider bills more
    for a call than its most.
    """

    def __init__(self, name: str, *, usd: Decimal | None = None, tokens: int | None = None) -> None:
        self.name = name
        self.usd = usd
        self.tokens = tokens
        self.spent = NOTHING
        self.held = NOTHING

    @property
    def terms(self) -> str:
        """The limits in words."""
        usd = None if self.usd is None else f"${money_text(self.usd)}"
        tokens = None if self.tokens is None else f"{self.tokens} tokens"
        return f"{self.name} budget of {' and '.join(part for part in (usd, tokens) if part)}"

    def has_room(self, charge: Charge) -> bool:
        """Whether ``charge`` fits beside what is spent and held."""
        return self._within(self.spent + self.held + charge)

    def left(self) -> tuple[Decimal | None, int | None]:
        """Dollars and tokens that are neither spent nor held; None where there is no limit."""
        gone = self.spent + self.held
        return (
            None if self.usd is None else self.usd - gone.usd,
            None if self.tokens is None else self.tokens - gone.tokens,
        )

    def _within(self, gone: Charge) -> bool:
        return (self.usd is None or gone.usd <= self.usd) and (self.tokens is None or gone.tokens <= self.tokens)
