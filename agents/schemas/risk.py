"""What the risk officer answers: a stance towards the reports of the round."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from agents.schemas.answer import Answer, Text


class Stance(StrEnum):
    """Go on, go on smaller, or ask again."""

    PROCEED = "proceed"
    REDUCE = "reduce"
    OBJECT = "object"


class RiskReport(Answer):
    """The risk officer's word. An objection sends analyst and forecaster back once; a second one holds the desk."""

    stance: Annotated[Stance, Field(description="proceed, reduce or object")]
    max_gross_leverage: Annotated[
        float | None,
        Field(ge=0, le=100, description="Gross exposure over equity to stay under; null for no limit of your own"),
    ]
    objection: Annotated[
        str | None, Field(max_length=2000, description="What has to be answered; null unless the stance is object")
    ]
    summary: Annotated[Text, Field(description="The risks that matter this round, with numbers")]

    @model_validator(mode="after")
    def _objection_is_said(self) -> Self:
        if (self.stance is Stance.OBJECT) != bool(self.objection and self.objection.strip()):
            raise ValueError("objection must be given with the stance object and be null with any other stance")
        return self
