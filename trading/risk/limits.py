"""The hard limits: read from TOML, tightened by a season, never loosened."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.domain.errors import ConfigError

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Steps = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Limits(BaseModel):
    """Limits of a desk and of the arena; units stand in ``config/limits.toml``.

    Every number is an upper bound, so tightening means lowering it. An empty ``allowed_instruments`` allows all of
    the season's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_order_value: Positive
    max_order_fraction: Positive
    max_leverage: Positive
    max_gross_exposure: Positive
    max_net_exposure: Positive
    max_spot_exposure: Positive
    max_volume_share: Positive
    arena_gross_exposure: Positive
    arena_net_exposure: Positive
    arena_instrument_exposure: Positive
    arena_venue_exposure: Positive
    post_trade_excess: Positive
    price_collar: Fraction
    price_collar_window: Fraction
    max_orders_per_round: Count
    max_open_orders: Count
    max_messages_per_second: Steps
    max_messages_per_minute: Steps
    max_repeats: Steps
    max_loss_streak: Steps
    max_price_age_bars: Steps
    max_volatility: Fraction
    max_anomaly: Fraction
    daily_loss: Fraction
    desk_drawdown: Fraction
    arena_drawdown: Fraction
    allowed_instruments: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """The limits of a TOML file. Raises ConfigError, in one line, when the file is wrong."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not TOML: {error}") from error
        except ValidationError as error:
            raise ConfigError(f"{path}: {_first_problem(error)}") from error

    def checked(self, values: Mapping[str, Any]) -> Self:
        """These limits with some values in place of theirs. Raises ConfigError for a value that no limit can have."""
        try:
            return type(self).model_validate(self.model_dump() | _exact(values))
        except ValidationError as error:
            raise ConfigError(f"[limits] {_first_problem(error)}") from error

    def tightened(self, overrides: Mapping[str, Any]) -> Self:
        """These limits with a season's own in their place. Raises ConfigError for an unknown or looser one."""
        unknown = sorted(set(overrides) - set(type(self).model_fields))
        if unknown:
            known = ", ".join(type(self).model_fields)
            raise ConfigError(f"[limits] {unknown[0]}: no such limit; the limits are {known}")
        wanted = self.checked(overrides)
        for name in overrides:
            ours, theirs = getattr(self, name), getattr(wanted, name)
            looser = _admits_more(theirs, ours) if isinstance(ours, tuple) else theirs > ours
            if looser:
                raise ConfigError(
                    f"[limits] {name} = {theirs} is looser than the house limit {ours}; a season may only tighten it"
                )
        return wanted


def _admits_more(theirs: tuple[str, ...], ours: tuple[str, ...]) -> bool:
    # An empty list names no instrument and so admits every one.
    return bool(ours) and (not theirs or not set(theirs) <= set(ours))


def _exact(overrides: Mapping[str, Any]) -> dict[str, Any]:
    # TOML numbers arrive as binary floats; their text is what the person wrote.
    return {name: repr(value) if isinstance(value, float) else value for name, value in overrides.items()}


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} = {first['input']!r}: {first['msg'].lower()}"
