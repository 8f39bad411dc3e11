"""What a forecaster is, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from trading.marketdata import Bars, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnForecast:
    """The distribution of the simple return over a horizon.

    ``p_up`` is the probability of a positive return, in (0, 1); ``q05`` <= ``q50`` <= ``q95`` are quantiles, above -1;
    ``volatility`` is the standard deviation of the log return over the same horizon.
    """

    p_up: float
    q05: float
    q50: float
    q95: float
    volatility: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedForecast:
    """A champion's forecast from the last closed bar, with the feature vector it rests on, shape (1, features).

    ``validation`` holds how the model did on times it had not seen: each score with its 95 % interval where known.
    """

    model_id: str
    forecast: ReturnForecast
    closed_ms: int
    close: float
    values: FloatArray
    validation: Mapping[str, tuple[float, tuple[float, float] | None]]


class Forecaster(Protocol):
    """A model that turns closed bars into a forecast from the last close on. Pure: same bars, same forecast."""

    @property
    def name(self) -> str:
        """How the model is called in results and records."""
        ...

    @property
    def window(self) -> int:
        """How many bars it reads; it ignores older ones."""
        ...

    def forecast(self, bars: Bars, horizon_ms: int) -> ReturnForecast:
        """The distribution of the return over ``horizon_ms``.

        Raises Unavailable when the history is too short, BadArguments for a horizon that such bars cannot carry.
        """
        ...
