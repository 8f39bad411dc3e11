"""What the tables of a season file are made of: the checked kinds of values, and the table itself."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms
from trading.domain.instrument import parse_symbol

ROLES = ("analyst", "forecaster", "risk", "executor")

DAY_MS = 86_400_000
MINUTE_MS = 60_000


ON_RECORD = {"on_record": True}
"""The context to validate rules with that a run keeps: decimals stand there as text."""


def number(value: object, info: ValidationInfo) -> object:
    """``value`` as it was written, for a decimal; refuses what is no number in TOML."""
    # bool is an int to Python, and the text of a float is what the person wrote.
    if isinstance(value, bool | str) and not (isinstance(value, str) and info.context == ON_RECORD):
        raise ValueError(f"found {value!r}, expected a number without quotes")
    return repr(value) if isinstance(value, float) else value


def _duration(value: str) -> str:
    try:
        duration_ms(value)
    except RequestError as error:
        raise ValueError(str(error)) from error
    return value.strip()


def _symbol(value: str) -> str:
    try:
        parse_symbol(value)
    except RequestError as error:
        raise ValueError(str(error)) from error
    return value


def _instant(value: object) -> object:
    # Bare numbers would be read as seconds since 1970, and a bare date as midnight somewhere.
    if not isinstance(value, datetime | str):
        raise ValueError(f"found {value}, expected a time with zone, such as 2025-10-17T00:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def once_each(values: tuple[str, ...]) -> tuple[str, ...]:
    """``values``, unless one of them is repeated."""
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{value!r} stands there {values.count(value)} times, expected once")
    return values


Text = Annotated[str, Field(min_length=1, max_length=200)]
Slug = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_in_utc)]
Duration = Annotated[str, AfterValidator(_duration)]
Symbol = Annotated[str, AfterValidator(_symbol)]
Bps = Annotated[Decimal, BeforeValidator(number), Field(ge=0, le=1000, allow_inf_nan=False)]
Milliseconds = Annotated[int, Field(strict=True, ge=0, le=DAY_MS)]
Globs = Annotated[tuple[Text, ...], AfterValidator(once_each)]
Usd = Annotated[Decimal, BeforeValidator(number), Field(gt=0, le=10**6, allow_inf_nan=False)]
Tokens = Annotated[int, Field(strict=True, gt=0, le=10**12)]
Share = Annotated[Decimal, BeforeValidator(number), Field(gt=0, le=1, allow_inf_nan=False)]
Switch = Annotated[bool, Field(strict=True)]


def later(default: Any) -> Any:
    """The field of a key that came after the first seasons were run.

    Left at its default it is not part of the rules' identity, so that files which do not use it keep theirs.
    """
    return Field(default=default, exclude_if=lambda value: value == default)


class Table(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
