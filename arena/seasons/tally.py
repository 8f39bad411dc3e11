"""The tally: what scoring needs of a season, gathered event by event: a fold that any journal gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from agents.feedback import amount_words
from evals.records import DeskRecord, MarketRecord
from evals.scorers import ForecastSample
from trading.domain.errors import RequestError
from trading.domain.event import Event, EventKind
from trading.domain.instants import iso
from trading.domain.money import ZERO


@dataclass(slots=True, kw_only=True)
class _DeskTally:
    kind: str
    models: Mapping[str, str]
    deposited: Decimal = ZERO
    equity: list[float] = field(default_factory=list)
    equity_exact: Decimal = ZERO
    quantity: dict[str, float] = field(default_factory=dict)
    quantities: list[list[float]] = field(default_factory=list)
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    traded: Decimal = ZERO
    statuses: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    failovers: int = 0
    orders: int = 0
    fills: int = 0
    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    usd: float | None = 0.0
    usd_at_least: float = 0.0
    decisions: list[str] = field(default_factory=list)
    forecasts: list[tuple[int, str, int, float, float, float, float]] = field(default_factory=list)
    reduce_only: bool = False
    liquidated: bool = False
    out_of_budget: bool = False


class Tally:
    """Counts and series of every desk, and the market at the same marks."""

    def __init__(self) -> None:
        self.season = ""
        self.market = ""
        self.rules_sha256 = ""
        self.rounds = 0
        self.every_ms = 0
        self.capital = ZERO
        self.taker_fee_bps = 0.0
        self.slippage_bps = 0.0
        self.data_sha256: str | None = None
        self.symbols: tuple[str, ...] = ()
        self.is_perp: tuple[bool, ...] = ()
        self.desks: dict[str, _DeskTally] = {}
        self.ts_ms: list[int] = []
        self.closes: list[list[float]] = []
        self.halted: str | None = None
        self.out_of_budget: str | None = None
        self.rounds_done = 0
        self._handlers = {
            EventKind.SEASON_OPENED: self._open,
            EventKind.DEPOSITED: self._deposit,
            EventKind.ROUND_OPENED: self._round,
            EventKind.MARKED: self._mark,
            EventKind.DECIDED: self._decided,
            EventKind.MODEL_CALLED: self._called,
            EventKind.RULED: self._ruled,
            EventKind.ORDERED: self._ordered,
            EventKind.FILLED: self._filled,
            EventKind.FUNDED: self._funded,
            EventKind.LIQUIDATED: self._liquidated,
            EventKind.BREAKER_TRIPPED: self._tripped,
            EventKind.BREAKER_CLEARED: self._cleared,
            EventKind.HALTED: self._halted,
            EventKind.RESUMED: self._resumed,
            EventKind.BUDGET_EXHAUSTED: self._exhausted,
            EventKind.SEASON_CLOSED: self._closed,
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def market_record(self) -> MarketRecord:
        """The market at the marks so far."""
        return MarketRecord(
            ts_ms=np.array(self.ts_ms, dtype=np.int64),
            closes=np.array(self.closes, dtype=np.float64).reshape(len(self.ts_ms), len(self.symbols)).T,
            step_ms=self.every_ms,
            allows_short=np.array(self.is_perp, dtype=np.bool_),
        )

    def marked(self, name: str, ts_ms: int) -> tuple[float, dict[str, float]]:
        """A desk's equity and its signed position in each instrument at its last mark, which must be of ``ts_ms``."""
        desk = self.desks[name]
        if not desk.equity or self.ts_ms[-1] != ts_ms:
            raise RequestError(f"{name} was not marked at {iso(ts_ms)}, so what it held then is not on record")
        return desk.equity[-1], dict(zip(self.symbols, desk.quantities[-1], strict=True))

    def desk_records(self, latencies: Mapping[str, float]) -> list[DeskRecord]:
        """What each desk left on record; ``latencies`` in milliseconds by decision id."""
        prices = {
            ts: dict(zip(self.symbols, row, strict=True)) for ts, row in zip(self.ts_ms, self.closes, strict=True)
        }
        return [self._record(name, desk, latencies, prices) for name, desk in self.desks.items()]

    def status(self, name: str) -> str:
        """How a desk stands: active, reduce-only, liquidated or halted."""
        desk = self.desks[name]
        if self.halted is not None:
            return "halted"
        if desk.liquidated:
            return "liquidated"
        if desk.out_of_budget:
            return "out of budget"
        return "reduce-only" if desk.reduce_only else "active"

    def _record(
        self, name: str, desk: _DeskTally, latencies: Mapping[str, float], prices: Mapping[int, Mapping[str, float]]
    ) -> DeskRecord:
        measured = [latencies[decision] for decision in desk.decisions if decision in latencies]
        return DeskRecord(
            name=name,
            kind=desk.kind,
            models=desk.models,
            status=self.status(name),
            equity=np.array(desk.equity, dtype=np.float64),
            quantities=np.array(desk.quantities, dtype=np.float64).reshape(len(self.ts_ms), len(self.symbols)).T,
            equity_start=desk.deposited,
            equity_end=desk.equity_exact,
            fees=desk.fees,
            funding=-desk.funding,
            turnover=float(desk.traded / desk.deposited) if desk.deposited else 0.0,
            decisions=sum(desk.statuses.values()),
            acted=desk.statuses.get("acted", 0),
            held=desk.statuses.get("held", 0),
            abstained=desk.statuses.get("abstained", 0),
            failovers=desk.failovers,
            refused_intents=desk.refused,
            orders=desk.orders,
            fills=desk.fills,
            llm_calls=desk.calls,
            tokens_in=desk.tokens_in,
            tokens_out=desk.tokens_out,
            usd=desk.usd,
            usd_at_least=desk.usd_at_least,
            latencies_ms=np.array(measured, dtype=np.float64),
            forecasts=_sample(desk.forecasts, prices),
        )

    def _open(self, event: Event) -> None:
        payload = event.payload
        self.season, self.market, self.rules_sha256 = payload["season"], payload["market"], payload["rules_sha256"]
        self.every_ms = payload["every_ms"]
        self.rounds = (payload["end_ms"] - payload["start_ms"]) // self.every_ms
        self.capital = Decimal(payload["capital"])
        self.taker_fee_bps = float(payload["costs"]["taker_fee_bps"])
        self.slippage_bps = float(payload["costs"]["slippage_bps"])
        self.symbols = tuple(row["symbol"] for row in payload["instruments"])
        self.is_perp = tuple(row["kind"] == "perp" for row in payload["instruments"])
        self.desks = {row["desk"]: _DeskTally(kind=row["kind"], models=row["models"]) for row in payload["desks"]}

    def _deposit(self, event: Event) -> None:
        desk = self.desks[event.payload["desk"]]
        desk.deposited += Decimal(event.payload["amount"])
        desk.equity_exact = desk.deposited

    def _round(self, event: Event) -> None:
        prices = event.payload["prices"]
        self.ts_ms.append(event.ts_ms)
        self.closes.append([float(prices.get(symbol, "nan")) for symbol in self.symbols])
        self.rounds_done = min(event.payload["round"] + 1, self.rounds)

    def _mark(self, event: Event) -> None:
        if event.payload["round"] is None:
            return
        for name, mark in event.payload["desks"].items():
            desk = self.desks[name]
            desk.equity_exact = Decimal(mark["equity"])
            desk.equity.append(float(desk.equity_exact))
            desk.quantities.append([desk.quantity.get(symbol, 0.0) for symbol in self.symbols])

    def _decided(self, event: Event) -> None:
        payload = event.payload
        desk = self.desks[payload["desk"]]
        desk.decisions.append(event.decision_id)
        desk.statuses[payload["status"]] = desk.statuses.get(payload["status"], 0) + 1
        if payload.get("substituted"):
            desk.failovers += 1
            return  # what another model forecast says nothing of this desk's skill
        desk.forecasts.extend(
            (event.ts_ms, row["instrument"], row["horizon_s"], row["p_up"], row["q05"], row["q50"], row["q95"])
            for row in payload["forecasts"]
        )

    def _called(self, event: Event) -> None:
        payload = event.payload
        desk = self.desks[payload["desk"]]
        desk.calls += 1
        desk.tokens_in = _sum(desk.tokens_in, payload["tokens_in"])
        desk.tokens_out = _sum(desk.tokens_out, payload["tokens_out"])
        desk.usd = _sum(desk.usd, payload["usd"])
        desk.usd_at_least += payload["usd"] or 0.0

    def _ruled(self, event: Event) -> None:
        # What a person made of a proposal says nothing of the desk.
        if event.payload["ruling"] == "refused" and not event.payload.get("edited"):
            self.desks[event.payload["desk"]].refused += 1

    def _ordered(self, event: Event) -> None:
        self.desks[event.payload["desk"]].orders += 1

    def _filled(self, event: Event) -> None:
        payload = event.payload
        desk = self.desks[payload["desk"]]
        quantity, price = Decimal(payload["quantity"]), Decimal(payload["price"])
        signed = float(quantity) if payload["side"] == "buy" else -float(quantity)
        left = round(desk.quantity.get(payload["instrument"], 0.0) + signed, 12)
        desk.quantity[payload["instrument"]] = left
        desk.fees += Decimal(payload["fee"])
        desk.traded += quantity * price
        desk.fills += 1

    def _funded(self, event: Event) -> None:
        self.desks[event.payload["desk"]].funding += Decimal(event.payload["paid"])

    def _liquidated(self, event: Event) -> None:
        self.desks[event.payload["desk"]].liquidated = True

    def _tripped(self, event: Event) -> None:
        payload = event.payload
        over = payload.get("over", "arena" if payload["state"] == "halted" else "desk")
        if over == "arena":
            self.halted = f"{payload['rule']}: {payload['value']} of {payload['limit']}"
        elif over == "desk":
            self.desks[payload["scope"]].reduce_only = True

    def _cleared(self, event: Event) -> None:
        if event.payload["over"] == "desk":
            self.desks[event.payload["scope"]].reduce_only = event.payload["state"] != "normal"

    def _halted(self, event: Event) -> None:
        self.halted = event.payload["reason"]

    def _resumed(self, event: Event) -> None:
        alone = event.payload.get("desk")
        if alone is None:
            self.halted = None
        for name, desk in self.desks.items():
            if alone in (None, name):
                desk.reduce_only = False

    def _exhausted(self, event: Event) -> None:
        payload = event.payload
        of_whom = "the season's" if payload["scope"] == "season" else f"desk {payload['desk']}'s"
        limit, spent = (amount_words(payload["measure"], payload[name]) for name in ("limit", "spent"))
        words = f"{of_whom} budget of {limit} ran out at {spent}"
        self.out_of_budget = f"{self.out_of_budget}; {words}" if self.out_of_budget else words
        for name in payload["desks"]:
            self.desks[name].out_of_budget = True

    def _closed(self, event: Event) -> None:
        self.data_sha256 = event.payload["data_sha256"]


def _sum(total: Any, more: Any) -> Any:
    return None if total is None or more is None else total + more


def _sample(
    rows: list[tuple[int, str, int, float, float, float, float]], prices: Mapping[int, Mapping[str, float]]
) -> ForecastSample:
    nothing: Mapping[str, float] = {}
    outcomes = [
        prices.get(ts + horizon_s * 1000, nothing).get(symbol, np.nan) / prices.get(ts, nothing).get(symbol, np.nan) - 1
        for ts, symbol, horizon_s, *_ in rows
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    return ForecastSample(
        ts_ms=np.array(columns[0], dtype=np.int64),
        horizon_ms=np.array(columns[2], dtype=np.int64) * 1000,
        p_up=np.array(columns[3], dtype=np.float64),
        q05=np.array(columns[4], dtype=np.float64),
        q50=np.array(columns[5], dtype=np.float64),
        q95=np.array(columns[6], dtype=np.float64),
        outcome_return=np.array(outcomes, dtype=np.float64),
    )
