"""What the analyst answers: how attractive each instrument is, and why."""

from typing import Annotated

from pydantic import Field, field_validator

from agents.schemas.answer import Answer, InstrumentName, Share, Text


class Signal(Answer):
    """One instrument's case."""

    instrument: InstrumentName
    score: Annotated[float, Field(ge=-1, le=1, description="-1 strong case to be short or out, 0 none, +1 strong long")]
    reason: Annotated[str, Field(max_length=1000, description="One or two sentences with the numbers it rests on")]


class AnalystReport(Answer):
    """The analyst's view of the round."""

    summary: Annotated[Text, Field(description="The picture in two or three sentences")]
    signals: Annotated[tuple[Signal, ...], Field(max_length=100, description="At most one for each instrument")]
    confidence: Annotated[Share, Field(description="How sure you are of the whole picture, 0 to 1")]

    @field_validator("signals")
    @classmethod
    def _one_each(cls, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        if len({signal.instrument for signal in signals}) < len(signals):
            raise ValueError("an instrument has more than one signal; give one for each")
        return signals
