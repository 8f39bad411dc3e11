"""A question to the spokesman of a desk, and what is wanted of the answer."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from trading.domain.errors import RequestError
from trading.domain.instants import parse_instant, to_ms


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WantedCall(_Frozen):
    """A tool call that is to be made. Arguments that are left out are to have the tool's defaults."""

    tool: Annotated[str, Field(min_length=1, max_length=80)]
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Recall(_Frozen):
    """A past price that is asked for: the close of the last candle of ``instrument`` that had ended ``at`` then."""

    instrument: str
    at: str

    @field_validator("at")
    @classmethod
    def _an_instant(cls, text: str) -> str:
        try:
            parse_instant(text)
        except RequestError as error:
            raise ValueError(str(error)) from None
        return text

    @property
    def at_ms(self) -> int:
        """The instant in milliseconds since 1970."""
        return to_ms(parse_instant(self.at))


class Question(_Frozen):
    """What the desk is asked. ``prompt`` is how its spokesman is set up; without ``tools`` it has none to call.

    ``wants`` are the calls that a good answer takes, none where it takes none; ``recalls`` is the price it asks for.
    """

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    prompt: str = "desk/talk"
    tools: bool = True
    wants: tuple[WantedCall, ...] = ()
    recalls: Recall | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.wants and not self.tools:
            raise ValueError("calls are wanted of a desk without tools")
        return self
