"""What a desk is told of its risk, and what a proposed trade would change: cheap enough to ask every round."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trading.marketdata import Bars
from trading.risk.measures import (
    Concentration,
    HorizonReturns,
    MarginUse,
    TailRisk,
    aligned_returns,
    attribute_var,
    concentration,
    days_to_close,
    historical_tail_risk,
    margin_use,
)

_DAY_MS = 86_400_000
_VOLUME_DAYS = 30
_LEVEL = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRisk:
    """The risk of one book, all fractions of equity.

    ``tail`` is historical over the horizon, ``deviation`` the standard deviation of that return. ``components`` are
    each position's part of the normal VaR at 99 %: below 0 it hedges the rest. ``days_to_close`` is the slowest
    position at a tenth of the volume; None where a volume is not known. ``deviation`` and ``components`` are None
    where the past is too short.
    """

    tail: TailRisk
    gross: float
    net: float
    deviation: float | None
    components: Mapping[str, float] | None
    concentration: Concentration
    margin: MarginUse
    days_to_close: float | None


def account_risk(
    weights: Mapping[str, float],
    history: Mapping[str, HorizonReturns],
    *,
    maintenance: Mapping[str, float],
    daily_volume: Mapping[str, float],
) -> AccountRisk:
    """The risk of ``weights``, signed position values over equity, on past returns over the horizon.

    ``maintenance`` is the margin fraction of each perpetual, ``daily_volume`` is in units of equity. Raises Unavailable
    for a held instrument without history.
    """
    held = {symbol: weight for symbol, weight in weights.items() if weight}
    tail = historical_tail_risk(held, history)
    deviation, components = _spread(held, history) if held else (0.0, {})
    waits = [days_to_close(abs(weight), daily_volume.get(symbol, 0.0)) for symbol, weight in held.items()]
    known = [wait for wait in waits if wait is not None]
    return AccountRisk(
        tail=tail,
        gross=math.fsum(map(abs, held.values())),
        net=math.fsum(held.values()),
        deviation=deviation,
        components=components,
        concentration=concentration(held),
        margin=margin_use(held, {symbol: maintenance[symbol] for symbol in held if symbol in maintenance}),
        days_to_close=max(known, default=0.0) if len(known) == len(waits) else None,
    )


def _spread(
    held: Mapping[str, float], history: Mapping[str, HorizonReturns]
) -> tuple[float | None, Mapping[str, float] | None]:
    _, table = aligned_returns(list(held), history)
    if len(table) < 2:
        return None, None
    weights = np.array(list(held.values()))
    mean = table.mean(axis=0)
    centred = table - mean
    covariance = centred.T @ centred / (len(table) - 1)
    parts = attribute_var(weights, mean, covariance, _LEVEL)
    deviation = math.sqrt(max(0.0, float(weights @ covariance @ weights)))
    return deviation, MappingProxyType(dict(zip(held, parts.component.tolist(), strict=True)))


def mean_daily_volume(bars: Bars) -> float:
    """Mean volume a day over what is known of the last 30 days, base units; 0 where nothing is."""
    recent = bars.volume[-max(1, _VOLUME_DAYS * _DAY_MS // bars.step_ms) :]
    return float(np.nan_to_num(recent).mean()) * _DAY_MS / bars.step_ms if len(recent) else 0.0
