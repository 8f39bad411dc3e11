"""A desk's own rolling record, as its prompt shows it: a fold over the season's events, so it holds nothing later.

What :meth:`OwnRecords.of` gives in a round follows from the events up to that round's marks alone, and a resumed run
gives it again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tools.numbers import significant
from trading.domain.event import Event, EventKind
from trading.domain.instants import iso
from trading.domain.money import ZERO, money_text
from trading.stats import (
    MIN_OBSERVATIONS,
    FloatArray,
    annualised,
    max_drawdown,
    periods_per_year,
    sharpe_ratio,
    simple_returns,
    standard_error,
)

COIN_BRIER = 0.25
"""What always saying one half earns."""

_NORMAL_975 = 1.959964
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A forecast whose horizon has not ended, with the price it was made at."""

    desk: str
    instrument: str
    price: float
    p_up: float
    q05: float
    q95: float


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What is gathered of one desk."""

    deposited: Decimal = ZERO
    equity: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    limits_hit: Counter[str] = field(default_factory=Counter)
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    tokens: int | None = 0
    usd: float | None = 0.0
    stated: list[float] = field(default_factory=list)
    rose: list[bool] = field(default_factory=list)
    inside: int = 0


class OwnRecords:
    """The record of every desk of a season, event by event."""

    def __init__(self) -> None:
        self._every_ms = 0
        self._as_of_ms = 0
        self._prices: Mapping[str, str] = {}
        self._desks: dict[str, _Desk] = {}
        self._pending: dict[int, list[_Pending]] = {}
        self._handlers = {
            EventKind.SEASON_OPENED: self._open,
            EventKind.DEPOSITED: self._deposit,
            EventKind.ROUND_OPENED: self._round,
            EventKind.MARKED: self._mark,
            EventKind.DECIDED: self._decided,
            EventKind.MODEL_CALLED: self._called,
            EventKind.RULED: self._ruled,
            EventKind.FILLED: self._filled,
            EventKind.FUNDED: self._funded,
            EventKind.LIQUIDATED: self._liquidated,
            EventKind.BREAKER_TRIPPED: self._tripped,
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def of(self, desk: str) -> dict[str, Any]:
        """A desk's record as plain JSON values. What too little is known of is null.

        ``return``, drawdowns and shares are fractions. ``sharpe`` is annual, its 95 % interval by the standard error of
        independent normal returns (Lo 2002). ``win_rate`` counts the rounds that ended higher among those in which
        equity moved. ``rise_stated`` and ``rise_happened`` are the mean stated probability of a rise and how often it
        rose.
        """
        found = self._desks[desk]
        equity = np.array(found.equity, dtype=np.float64)
        returns = simple_returns(equity) if equity.size > 1 else np.empty(0)
        moved = returns[returns != 0]
        return {
            "as_of": iso(self._as_of_ms),
            "rounds": returns.size,
            "return": _short(equity[-1] / float(found.deposited) - 1) if equity.size and found.deposited else None,
            "drawdown": _short(1 - equity[-1] / equity.max()) if equity.size and equity.max() > 0 else None,
            "max_drawdown": _short(max_drawdown(equity)),
            **self._sharpe(returns),
            "win_rate": _short(float((moved > 0).mean())) if moved.size else None,
            "decisions": {status: found.statuses[status] for status in ("acted", "held", "abstained")},
            "forecasts": _calibration(found),
            "costs": {
                "fees": money_text(found.fees),
                "funding_paid": money_text(found.funding),
                "llm_usd": _short(found.usd),
                "llm_tokens": found.tokens,
            },
            "limits_hit": dict(sorted(found.limits_hit.items())),
        }

    def _sharpe(self, returns: FloatArray) -> dict[str, Any]:
        ratio = sharpe_ratio(returns)
        if ratio is None:
            return {"sharpe": None, "sharpe_ci95": None}
        yearly = periods_per_year(self._every_ms)
        margin = _NORMAL_975 * standard_error(ratio, returns.size)
        low, middle, high = (
            _short(annualised(value, periods_per_year=yearly)) for value in (ratio - margin, ratio, ratio + margin)
        )
        return {"sharpe": middle, "sharpe_ci95": [low, high]}

    def _open(self, event: Event) -> None:
        self._every_ms = event.payload["every_ms"]
        self._desks = {row["desk"]: _Desk() for row in event.payload["desks"]}

    def _deposit(self, event: Event) -> None:
        self._desks[event.payload["desk"]].deposited += Decimal(event.payload["amount"])

    def _round(self, event: Event) -> None:
        self._as_of_ms, self._prices = event.ts_ms, event.payload["prices"]
        for due_ms in [due_ms for due_ms in self._pending if due_ms <= event.ts_ms]:
            forecasts = self._pending.pop(due_ms)
            # A horizon that ends between rounds has no price to be measured at, here as in the standings.
            for forecast in forecasts if due_ms == event.ts_ms else ():
                self._close(forecast)

    def _close(self, forecast: _Pending) -> None:
        if forecast.instrument not in self._prices:
            return
        outcome = float(self._prices[forecast.instrument]) / forecast.price - 1
        desk = self._desks[forecast.desk]
        desk.stated.append(forecast.p_up)
        desk.rose.append(outcome > 0)
        desk.inside += forecast.q05 <= outcome <= forecast.q95

    def _mark(self, event: Event) -> None:
        if event.payload["round"] is not None:
            for name, mark in event.payload["desks"].items():
                self._desks[name].equity.append(float(mark["equity"]))

    def _decided(self, event: Event) -> None:
        payload = event.payload
        self._desks[payload["desk"]].statuses[payload["status"]] += 1
        # What a fallback forecast says nothing about the desk's own models.
        for row in () if payload["substituted"] else payload["forecasts"]:
            if row["instrument"] in self._prices:
                self._pending.setdefault(event.ts_ms + row["horizon_s"] * 1000, []).append(
                    _Pending(
                        desk=payload["desk"],
                        instrument=row["instrument"],
                        price=float(self._prices[row["instrument"]]),
                        p_up=row["p_up"],
                        q05=row["q05"],
                        q95=row["q95"],
                    )
                )

    def _called(self, event: Event) -> None:
        payload = event.payload
        desk = self._desks[payload["desk"]]
        tokens_in, tokens_out = payload["tokens_in"], payload["tokens_out"]
        known = desk.tokens is not None and tokens_in is not None and tokens_out is not None
        desk.tokens = desk.tokens + tokens_in + tokens_out if known else None
        desk.usd = None if desk.usd is None or payload["usd"] is None else desk.usd + payload["usd"]

    def _ruled(self, event: Event) -> None:
        if event.payload["ruling"] != "allowed" and not event.payload.get("edited"):
            self._desks[event.payload["desk"]].limits_hit[event.payload["rule"]] += 1

    def _filled(self, event: Event) -> None:
        self._desks[event.payload["desk"]].fees += Decimal(event.payload["fee"])

    def _funded(self, event: Event) -> None:
        self._desks[event.payload["desk"]].funding += Decimal(event.payload["paid"])

    def _liquidated(self, event: Event) -> None:
        self._desks[event.payload["desk"]].limits_hit["liquidation"] += 1

    def _tripped(self, event: Event) -> None:
        payload = event.payload
        for name, desk in self._desks.items():
            arena = payload.get("over", "arena" if payload["state"] == "halted" else "desk") == "arena"
            if arena or payload["scope"] == name:
                desk.limits_hit[payload["rule"]] += 1


def _calibration(desk: _Desk) -> dict[str, Any]:
    """Brier score and coverage of the forecasts whose horizon has ended; both unknown below 20 of them."""
    closed = len(desk.stated)
    if closed < MIN_OBSERVATIONS:
        unknown = dict.fromkeys(("brier", "rise_stated", "rise_happened", "within_q05_q95"))
        return {"closed": closed, "brier_of_a_coin": COIN_BRIER, **unknown}
    stated, rose = np.array(desk.stated), np.array(desk.rose, dtype=np.float64)
    return {
        "closed": closed,
        "brier_of_a_coin": COIN_BRIER,
        "brier": _short(float(np.mean((stated - rose) ** 2))),
        "rise_stated": _short(float(stated.mean())),
        "rise_happened": _short(float(rose.mean())),
        "within_q05_q95": _short(desk.inside / closed),
    }


def _short(value: float | None) -> float | None:
    return None if value is None else significant(float(value), _DIGITS)
