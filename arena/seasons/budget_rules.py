"""``[budget]``: what a season may spend on models, and what happens on the way to its end."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arena.refusal import Refused
from arena.seasons.fields import Share, Table, Text, Tokens, Usd, once_each

Role = Literal["analyst", "forecaster", "risk", "executor"]


class CheaperModels(Table):
    """The models that take over; a role that is left out keeps its own."""

    analyst: Text | None = None
    forecaster: Text | None = None
    risk: Text | None = None
    executor: Text | None = None

    def given(self) -> dict[str, str]:
        """The roles that change, and to what."""
        return self.model_dump(exclude_none=True)


class Degrade(Table):
    """``degrade``: from the share ``at`` of a budget on, cheaper ``models``, or only the ``roles`` named are asked."""

    at: Share = Decimal("0.9")
    models: CheaperModels = CheaperModels()
    roles: Annotated[tuple[Role, ...], Field(max_length=4), AfterValidator(once_each)] = ()

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.models.given() and not self.roles:
            raise ValueError("changes nothing; give it models = { ... } or roles = [ ... ]")
        if self.roles and "executor" not in self.roles:
            raise Refused("roles", f"found {', '.join(self.roles)}, expected the executor among them: it decides")
        return self


class BudgetRules(Table):
    """Dollars and tokens of the whole season. A desk may have its own besides (``budget_usd``, ``budget_tokens``).

    From the share ``warn_at`` on desks are told; then ``degrade`` takes hold; at the end the season stops. The shares
    count for desks' own budgets as well, of which only the desk stops.
    """

    usd: Usd | None = None
    tokens: Tokens | None = None
    warn_at: Share = Decimal("0.8")
    degrade: Degrade | None = None
    on_exhausted: Literal["stop"] = "stop"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.degrade and self.degrade.at < self.warn_at:
            raise Refused("degrade.at", f"found {self.degrade.at}, expected no less than warn_at, {self.warn_at}")
        return self

    @property
    def limited(self) -> bool:
        """Whether the season as a whole has a budget."""
        return self.usd is not None or self.tokens is not None
