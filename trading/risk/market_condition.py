"""What is known of an instrument's market besides its price: filled in by whoever watches the feed or the regimes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trading.domain.errors import RequestError
from trading.domain.event import Event, EventKind
from trading.marketdata.view import MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCondition:
    """The condition of one instrument from now until the next record of it.

    ``volatility_rank`` is where the volatility stands in its own past, ``anomaly`` how severe the strangest thing seen
    is; both in [0, 1], None where nobody has looked. ``sequence_gap`` says that the feed lost messages since its last
    snapshot, ``feed_lost`` that its heartbeat stopped.
    """

    instrument: str
    volatility_rank: float | None = None
    anomaly: float | None = None
    sequence_gap: bool = False
    feed_lost: bool = False

    def __post_init__(self) -> None:
        for name in ("volatility_rank", "anomaly"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
                raise RequestError(f"{self.instrument}: {name} is {value}, expected a number from 0 to 1, or nothing")


class Watcher(Protocol):
    """Says, at each round, how the markets stand."""

    def conditions(self, view: MarketView) -> Iterable[MarketCondition]:
        """The conditions of those instruments that were looked at."""
        ...


def condition_event(condition: MarketCondition, ts_ms: int) -> Event:
    """The condition as the journal holds it."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.CONDITION_NOTED,
        payload={
            "instrument": condition.instrument,
            "volatility_rank": condition.volatility_rank,
            "anomaly": condition.anomaly,
            "sequence_gap": condition.sequence_gap,
            "feed_lost": condition.feed_lost,
        },
    )


def condition_from_payload(payload: Mapping[str, Any]) -> MarketCondition:
    """The condition that an event holds."""
    return MarketCondition(**payload)
