"""``[stops]``: standing stops that the house keeps under every position. Off where the table is not there."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from arena.refusal import Refused
from arena.seasons.fields import Table, number
from trading.risk.stops import StopRules

Multiple = Annotated[Decimal, BeforeValidator(number), Field(gt=0, le=100, allow_inf_nan=False)]
Fraction = Annotated[Decimal, BeforeValidator(number), Field(gt=0, lt=1, allow_inf_nan=False)]


class Stops(Table):
    """Distances of stop and trail in average true ranges, the target in stop distances, and bounds as fractions.

    ``nearest`` and ``furthest`` bound the distance from the price. What is left out is the house's own.
    """

    stop: Multiple | None = None
    trail: Multiple | None = None
    reward: Multiple | None = None
    trail_from: Multiple | None = None
    nearest: Fraction | None = None
    furthest: Fraction | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            self.rules()
        except ValueError as error:
            raise Refused("stops", str(error)) from error
        return self

    def rules(self) -> StopRules:
        """What the policy takes."""
        given = {name: float(value) for name, value in self.model_dump(exclude_none=True).items()}
        return StopRules(**given)  # type: ignore[arg-type]  # the one field that is no number is not among the table's
