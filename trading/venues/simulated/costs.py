"""What trading costs on the simulated venue."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.domain.errors import ConfigError
from trading.domain.fill import Liquidity

Bps = Annotated[Decimal, Field(ge=0, le=1000, allow_inf_nan=False)]

_BPS = Decimal(10_000)


class FeeTier(BaseModel):
    """Fees from a turnover of the last thirty days on (quote currency), in basis points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turnover: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
    taker_fee_bps: Bps
    maker_fee_bps: Bps


class Costs(BaseModel):
    """Fees and slippage in basis points of notional, latency in milliseconds from decision to arrival.

    ``latency_jitter_ms`` is the mean of an exponential delay on top, drawn by seed and order. ``impact`` is the
    constant of the square-root law, added to slippage where there is no depth; 0 leaves it out. ``participation`` is
    the greatest share of a bar's volume that one order can have, None for no bound. ``borrow_apr`` is what cash below
    zero costs a year. Where ``fee_tiers`` apply, they replace both fees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    taker_fee_bps: Bps
    maker_fee_bps: Bps
    slippage_bps: Bps
    latency_ms: Annotated[int, Field(ge=0, le=86_400_000)]
    liquidation_fee_bps: Bps
    latency_jitter_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    impact: Annotated[Decimal, Field(ge=0, le=10, allow_inf_nan=False)] = Decimal(0)
    participation: Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    borrow_apr: Annotated[Decimal, Field(ge=0, le=10, allow_inf_nan=False)] = Decimal(0)
    fee_tiers: tuple[FeeTier, ...] = ()

    def fee(self, liquidity: Liquidity, turnover: Decimal) -> Decimal:
        """The fee as a fraction of notional, for who traded ``turnover`` in the last thirty days."""
        reached = [tier for tier in self.fee_tiers if tier.turnover <= turnover]
        grade: Costs | FeeTier = max(reached, key=lambda tier: tier.turnover) if reached else self
        return (grade.maker_fee_bps if liquidity is Liquidity.MAKER else grade.taker_fee_bps) / _BPS

    def latency_of(self, order_id: str, seed: int) -> int:
        """Milliseconds from sending to arrival of one order: always the same for the same seed and order."""
        if not self.latency_jitter_ms:
            return self.latency_ms
        rng = np.random.default_rng([seed, *order_id.encode()])
        return self.latency_ms + int(rng.exponential(self.latency_jitter_ms))

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
