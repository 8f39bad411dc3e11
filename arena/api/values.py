"""Values as they cross the border: instants in ISO 8601, money as decimal strings, null for what is not a number."""

import math
from typing import Annotated, Any

import fastapi
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from trading.domain.instants import iso, to_ms

LAST_MS = 253_402_300_799_000
"""The end of the year 9999."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-01T04:00:00Z"])]
Money = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$", examples=["10312.41"])]
Symbol = Annotated[str, Field(examples=["BTC-USDT-PERP"])]

AskedRun = Annotated[
    str | None,
    fastapi.Query(
        alias="run",
        pattern=r"^[a-z0-9][a-z0-9-]{0,80}$",
        description="A run's id; the season on the floor without it.",
    ),
]
AskedDesk = Annotated[
    str | None, fastapi.Query(alias="desk", min_length=1, max_length=80, description="One desk; all of them without.")
]
AskedInstrument = Annotated[
    str | None, fastapi.Query(alias="instrument", min_length=1, max_length=40, description="One instrument.")
]
NamedInstrument = Annotated[
    str, fastapi.Path(min_length=1, max_length=40, description="An instrument of the run.", examples=["BTC-USDT-PERP"])
]
AskedInstant = Annotated[
    AwareDatetime | None,
    fastapi.Query(
        alias="as_of",
        description="What was known at this instant and nothing later; the newest round without it.",
        examples=["2026-01-01T04:00:00Z"],
    ),
]


class Row(BaseModel):
    """Base of what the API answers with."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(BaseModel):
    """Base of what callers send: unknown names are refused, and texts are trimmed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S", examples=["a look at SOL first"])]


def ms_of(instant: AwareDatetime | None) -> int | None:
    """Milliseconds since 1970, None for None; what lies before is taken for the beginning."""
    return None if instant is None else max(0, min(LAST_MS, to_ms(instant)))


def instant_of(ms: int | None) -> str | None:
    """ISO 8601, None for None."""
    return None if ms is None else iso(ms)


def finite(document: Any) -> Any:
    """The document with null in the place of every number that is none."""
    if isinstance(document, float):
        return document if math.isfinite(document) else None
    if isinstance(document, dict):
        return {key: finite(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [finite(value) for value in document]
    return document
