"""What a desk answers when it looks back on decisions that have closed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from agents.schemas.answer import Answer

MOST = 8
"""So many decisions at most are looked back on at once."""

Sentence = Annotated[str, Field(min_length=1, max_length=400)]


class Cause(StrEnum):
    """What an outcome was due to most."""

    SIGNAL = "signal"
    TIMING = "timing"
    SIZE = "size"
    COSTS = "costs"
    LUCK = "luck"
    RULES = "rules"
    UNKNOWN = "unknown"


class LookBack(Answer):
    """The look back on one decision."""

    number: Annotated[int, Field(ge=1, le=MOST, description="The number of the decision")]
    expected: Annotated[Sentence, Field(description="What the desk expected when it decided")]
    happened: Annotated[Sentence, Field(description="What happened, against the forecast and against not trading")]
    why: Annotated[Sentence, Field(description="Why, as far as the facts tell")]
    cause: Annotated[Cause, Field(description="What it was due to most; unknown where it cannot be told")]
    next_time: Annotated[Sentence, Field(description="What to look at in a situation like that")]


class ReflectionReport(Answer):
    """The look back on the decisions that closed."""

    reflections: Annotated[tuple[LookBack, ...], Field(max_length=MOST, description="One for each numbered decision")]

    @field_validator("reflections")
    @classmethod
    def _one_each(cls, reflections: tuple[LookBack, ...]) -> tuple[LookBack, ...]:
        if len({one.number for one in reflections}) < len(reflections):
            raise ValueError("a decision is looked back on more than once; give one entry for each number")
        return reflections
