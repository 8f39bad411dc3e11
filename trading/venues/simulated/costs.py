"""What trading costs on the simulated venue."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.domain.errors import ConfigError

Bps = Annotated[Decimal, Field(ge=0, le=1000, allow_inf_nan=False)]

_BPS = Decimal(10_000)


class Costs(BaseModel):
    """Fees and slippage in basis points of notional, latency in milliseconds from decision to arrival."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taker_fee_bps: Bps
    maker_fee_bps: Bps
    slippage_bps: Bps
    latency_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    liquidation_fee_bps: Bps

    @property
    def taker_fee(self) -> Decimal:
        """Taker fee as a fraction of notional."""
        return self.taker_fee_bps / _BPS

    @property
    def maker_fee(self) -> Decimal:
        """Maker fee as a fraction of notional."""
        return self.maker_fee_bps / _BPS

    @property
    def slippage(self) -> Decimal:
        """Slippage of an order that takes liquidity, as a fraction of price."""
        return self.slippage_bps / _BPS

    @property
    def liquidation_fee(self) -> Decimal:
        """Extra fee of a forced close, as a fraction of notional."""
        return self.liquidation_fee_bps / _BPS

    @classmethod
    def from_mapping(cls, base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Self:
        """The venue's costs with a season's own in their place. Raises ConfigError for what is not one."""
        exact = {name: repr(value) if isinstance(value, float) else value for name, value in overrides.items()}
        try:
            return cls.model_validate(dict(base) | exact)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"[costs] {where} = {first['input']!r}: {first['msg'].lower()}") from error


def venue_facts(path: Path) -> dict[str, Any]:
    """The ``[simulated]`` table of a venues file: ``costs``, ``spot`` and ``perp``."""
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8"))["simulated"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(f"{path}: no readable [simulated] table ({error})") from error
