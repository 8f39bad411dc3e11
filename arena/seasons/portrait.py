"""The portrait of a desk: exposure over time, its habits, and the calibration of its forecasts, from its record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.seasons.conduct import DeskConduct
from arena.seasons.forecast_board import CurvePoint, calibration_curve
from evals.records import DeskRecord, MarketRecord
from trading.stats import FloatArray, holdings

_HOUR_MS = 3_600_000.0
_DAY_MS = 86_400_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """One role of a desk: who answers, by which prompt, and what that came to. Unknown sums are None."""

    role: str
    model: str
    prompt_sha256: str
    calls: int
    failed: int
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPortrait:
    """How a desk trades. Exposures are fractions of equity at ``ts_ms``; None is not known.

    ``holding_h`` is how long a position lives on average, ``in_market`` the share of time with any position,
    ``long_share`` the long part of what is held, ``order_size`` the mean value of a change over equity, ``confidence``
    the mean that was stated. ``limits_hit`` are rules with how often they changed or refused an intent.
    ``lessons`` are what the desk said in looking back, newest first, with the instant.
    """

    desk: str
    ts_ms: tuple[int, ...]
    gross: tuple[float, ...]
    net: tuple[float, ...]
    holding_h: float | None
    in_market: float | None
    long_share: float | None
    mean_gross: float | None
    changes_per_day: float | None
    order_size: float | None
    confidence: float | None
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    tokens_in: int | None
    tokens_out: int | None
    calibration: tuple[CurvePoint, ...]
    limits_hit: tuple[tuple[str, int], ...]
    roles: tuple[RoleRow, ...]
    reflections: int
    lessons: tuple[tuple[int, str], ...] = ()


def portrait(record: DeskRecord, market: MarketRecord, conduct: DeskConduct, pick: Sequence[int]) -> DeskPortrait:
    """The portrait of a desk. ``pick`` are the marks at which exposure is kept."""
    values = np.nan_to_num(record.quantities * market.closes)
    stake = np.where(record.equity > 0, record.equity, np.nan)
    gross, net = np.abs(values).sum(axis=0) / stake, values.sum(axis=0) / stake
    marks = list(pick)
    latencies = record.latencies_ms
    return DeskPortrait(
        desk=record.name,
        ts_ms=tuple(int(ts) for ts in market.ts_ms[marks]),
        gross=tuple(np.nan_to_num(gross[marks]).tolist()),
        net=tuple(np.nan_to_num(net[marks]).tolist()),
        **_habits(record, market, values),
        confidence=float(np.mean(conduct.confidences)) if conduct.confidences else None,
        latency_ms_p50=float(np.percentile(latencies, 50)) if latencies.size else None,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies.size else None,
        tokens_in=record.tokens_in,
        tokens_out=record.tokens_out,
        calibration=calibration_curve([record.forecasts]),
        limits_hit=tuple(conduct.limits_hit.most_common()),
        roles=tuple(_role(role, conduct) for role in conduct.models),
        reflections=conduct.reflections,
        lessons=tuple(reversed(conduct.lessons)),
    )


def _habits(record: DeskRecord, market: MarketRecord, values: FloatArray) -> dict[str, float | None]:
    names = ("holding_h", "in_market", "long_share", "mean_gross", "changes_per_day", "order_size")
    if market.ts_ms.size < 2:
        return dict.fromkeys(names)
    held = holdings(record.quantities, market.closes, record.equity)
    days = float(market.ts_ms[-1] - market.ts_ms[0]) / _DAY_MS
    changes = np.diff(record.quantities, axis=1) != 0
    sizes = held.traded[changes.any(axis=0)]
    long, gross = float(values.clip(min=0).sum()), float(np.abs(values).sum())
    was_held = bool(np.abs(held.exposure).any())
    hours = held.holding_intervals * market.step_ms / _HOUR_MS
    return {
        "holding_h": hours if was_held and held.turnover > 0 else None,
        "in_market": float((np.abs(held.exposure).sum(axis=1) > 0).mean()),
        "long_share": long / gross if gross > 0 else None,
        "mean_gross": held.gross_exposure,
        "changes_per_day": float(changes.sum()) / days if days > 0 else None,
        "order_size": float(sizes.mean()) if sizes.size else None,
    }


def _role(role: str, conduct: DeskConduct) -> RoleRow:
    cost = conduct.roles.get(role)
    return RoleRow(
        role=role,
        model=conduct.models[role],
        prompt_sha256=conduct.prompts.get(role, ""),
        calls=0 if cost is None else cost.calls,
        failed=0 if cost is None else cost.failed,
        tokens_in=0 if cost is None else cost.tokens_in,
        tokens_out=0 if cost is None else cost.tokens_out,
        usd=0.0 if cost is None else cost.usd,
    )
