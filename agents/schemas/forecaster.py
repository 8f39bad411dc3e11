"""What the forecaster answers: a distribution of returns for each instrument."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from agents.schemas.answer import Answer, InstrumentName, Share, Text

Return = Annotated[float, Field(ge=-1, le=100)]


class ForecastAnswer(Answer):
    """One instrument's forecast. Quantiles are simple returns as fractions."""

    instrument: InstrumentName
    horizon_s: Annotated[int, Field(ge=1, le=31_536_000, description="Seconds from now that the forecast looks ahead")]
    p_up: Annotated[Share, Field(description="Probability that the return is above zero, 0 to 1")]
    q05: Annotated[Return, Field(description="5 % quantile of the simple return, a fraction")]
    q50: Annotated[Return, Field(description="Median of the simple return, a fraction")]
    q95: Annotated[Return, Field(description="95 % quantile of the simple return, a fraction")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.q05 <= self.q50 <= self.q95:
            raise ValueError(f"quantiles cross: q05={self.q05}, q50={self.q50}, q95={self.q95}")
        return self


class ForecasterReport(Answer):
    """The forecasts of the round; an instrument that cannot be forecast is left out."""

    summary: Annotated[Text, Field(description="What the forecasts rest on, in one or two sentences")]
    forecasts: Annotated[tuple[ForecastAnswer, ...], Field(max_length=200, description="One for each instrument")]

    @field_validator("forecasts")
    @classmethod
    def _one_each(cls, forecasts: tuple[ForecastAnswer, ...]) -> tuple[ForecastAnswer, ...]:
        if len({(forecast.instrument, forecast.horizon_s) for forecast in forecasts}) < len(forecasts):
            raise ValueError("an instrument has two forecasts for the same horizon; give one for each")
        return forecasts
