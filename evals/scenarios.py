"""Frozen states of the market to ask desks about: simulated ones always, recorded ones where the data is at hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from evals.case import Case, MarketSpec, Split
from evals.suite import split_of
from trading.domain.instants import duration_ms, iso, parse_instant, to_ms

PERPS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
HORIZON = "24h"

_START = "2025-03-01T00:00:00Z"
_DAYS_APART = 3
_SEED = 20_250_301
_HOLDINGS: tuple[dict[str, float], ...] = (
    {},
    {},
    {"BTC-USDT-PERP": 0.5},
    {"ETH-USDT-PERP": -0.4},
    {"BTC-USDT-PERP": 0.3, "SOL-USDT-PERP": 0.3},
)

_RECORDED_START = "2025-02-10T00:00:00Z"
_RECORDED_END = "2025-12-29T00:00:00Z"
_CANDLES = "ohlcv/binance-perp/*-USDT-PERP-1h.parquet"
_FUNDING = "funding/binance/*-USDT-PERP-funding.parquet"


def simulated_states(count: int, *, seed: int = _SEED) -> list[Case]:
    """``count`` states of a simulated market, each on a day and a seed of its own, with and without a position."""
    rng = np.random.default_rng(seed)
    begin = to_ms(parse_instant(_START))
    hours = rng.integers(0, 24, count)
    cases = []
    for number in range(count):
        at_ms = begin + number * _DAYS_APART * duration_ms("1d") + int(hours[number]) * duration_ms("1h")
        cases.append(
            Case(
                case_id=f"simulated-{number:03d}",
                cluster=f"simulated-{number:03d}",
                split=_split(f"simulated-{number:03d}"),
                market=MarketSpec(kind="simulated", symbols=PERPS, step="1h", seed=seed + number),
                at=iso(at_ms),
                horizon=HORIZON,
                holding=_HOLDINGS[number % len(_HOLDINGS)],
                labels=("simulated",),
            )
        )
    return cases


def recorded_states(data_root: Path, count: int, *, seed: int = _SEED) -> list[Case]:
    """``count`` instants of recorded perpetuals of 2025, at least a day apart; none where the files are not there."""
    if not list(data_root.glob(_CANDLES)):
        return []
    day = duration_ms("1d")
    begin, end = to_ms(parse_instant(_RECORDED_START)), to_ms(parse_instant(_RECORDED_END))
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice((end - begin) // day, size=count, replace=False))
    instants = begin + days * day + rng.integers(0, 24, count) * duration_ms("1h")
    market = MarketSpec(kind="recorded", symbols=PERPS, step="1h", paths=(_CANDLES,), funding=(_FUNDING,))
    return [_recorded(market, int(at_ms), _HOLDINGS[number % len(_HOLDINGS)]) for number, at_ms in enumerate(instants)]


def _recorded(market: MarketSpec, at_ms: int, holding: dict[str, float]) -> Case:
    at = iso(at_ms)
    case_id = f"recorded-{at[:13]}"
    return Case(
        case_id=case_id,
        cluster=at[:10],
        split=_split(case_id),
        market=market,
        at=at,
        horizon=HORIZON,
        holding=holding,
        labels=("recorded",),
    )


def _split(case_id: str) -> Split:
    return cast(Split, split_of(case_id))


def days(cases: Sequence[Case]) -> int:
    """How many market days the cases come from: the sample size that counts."""
    return len({case.cluster for case in cases})
