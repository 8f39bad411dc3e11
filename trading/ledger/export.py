"""The journal as tables: what happened, in Parquet files that any tool reads."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading.domain.event import Event, EventKind
from trading.domain.money import money_text
from trading.ledger.ledger import Ledger
from trading.storage.journal.chain import StoredEvent
from trading.storage.journal.reader import read_events
from trading.storage.journal.telemetry import read_latencies

Row = dict[str, Any]

_TEXT, _COUNT, _NUMBER, _FLAG, _TIME = "text", "count", "number", "flag", "time"

TABLES: Mapping[str, Mapping[str, str]] = {
    "decisions": {
        "decision_id": _TEXT, "round": _COUNT, "ts": _TIME, "desk": _TEXT, "status": _TEXT, "abstain_reason": _TEXT,
        "confidence": _NUMBER, "rationale": _TEXT, "prompt_hash": _TEXT, "tokens_in": _COUNT, "tokens_out": _COUNT,
        "usd": _NUMBER, "latency_ms": _NUMBER, "path": _TEXT,
    },
    "llm_calls": {
        "call_id": _TEXT, "decision_id": _TEXT, "ts": _TIME, "desk": _TEXT, "role": _TEXT, "model_requested": _TEXT,
        "model_answered": _TEXT, "attempt": _COUNT, "outcome": _TEXT, "tokens_in": _COUNT, "tokens_out": _COUNT,
        "usd": _NUMBER, "latency_ms": _NUMBER, "cassette_key": _TEXT, "prompt_sha256": _TEXT,
        "substitute": _TEXT,
    },
    "tool_calls": {
        "call_id": _TEXT, "decision_id": _TEXT, "ts": _TIME, "desk": _TEXT, "role": _TEXT, "tool": _TEXT,
        "effect": _TEXT, "arguments_json": _TEXT, "outcome": _TEXT, "as_of": _TIME, "latency_ms": _NUMBER,
        "result_sha256": _TEXT,
    },
    "forecasts": {
        "decision_id": _TEXT, "desk": _TEXT, "ts": _TIME, "instrument": _TEXT, "horizon_s": _COUNT, "p_up": _NUMBER,
        "q05": _NUMBER, "q50": _NUMBER, "q95": _NUMBER, "outcome_up": _FLAG, "outcome_return": _NUMBER,
    },
    "intents": {
        "intent_id": _TEXT, "decision_id": _TEXT, "desk": _TEXT, "ts": _TIME, "attempt": _COUNT, "instrument": _TEXT,
        "side": _TEXT, "quantity": _TEXT, "order_type": _TEXT, "limit_price": _TEXT, "reduce_only": _FLAG,
        "reason": _TEXT, "trigger_price": _TEXT, "stop_loss": _TEXT, "take_profit": _TEXT, "style": _TEXT,
        "window_s": _COUNT,
    },
    "verdicts": {
        "intent_id": _TEXT, "decision_id": _TEXT, "desk": _TEXT, "ts": _TIME, "ruling": _TEXT, "rule": _TEXT,
        "limit": _TEXT, "value": _TEXT, "unit": _TEXT, "quantity_before": _TEXT, "quantity_after": _TEXT,
        "message": _TEXT, "superseded": _FLAG,
    },
    "orders": {
        "order_id": _TEXT, "client_order_id": _TEXT, "intent_id": _TEXT, "desk": _TEXT, "ts": _TIME,
        "instrument": _TEXT, "side": _TEXT, "order_type": _TEXT, "quantity": _TEXT, "limit_price": _TEXT,
        "reduce_only": _FLAG, "origin": _TEXT, "arrives": _TIME, "status": _TEXT, "ended": _TIME,
        "ended_reason": _TEXT, "time_in_force": _TEXT, "trigger_price": _TEXT, "trail": _TEXT, "oco_group": _TEXT,
        "stop_loss": _TEXT, "take_profit": _TEXT, "parent_id": _TEXT,
    },
    "fills": {
        "fill_id": _TEXT, "order_id": _TEXT, "desk": _TEXT, "ts": _TIME, "instrument": _TEXT, "side": _TEXT,
        "price": _TEXT, "quantity": _TEXT, "fee": _TEXT, "liquidity": _TEXT, "arrival": _TEXT,
        "basis": _TEXT,
    },
    "cash": {"ts": _TIME, "desk": _TEXT, "kind": _TEXT, "instrument": _TEXT, "amount": _TEXT},
    "marks": {
        "ts": _TIME, "desk": _TEXT, "equity": _TEXT, "cash": _TEXT, "gross_exposure": _TEXT, "net_exposure": _TEXT,
        "spot_value": _TEXT, "unrealised": _TEXT,
    },
    "events": {
        "seq": _COUNT, "ts": _TIME, "kind": _TEXT, "decision_id": _TEXT, "payload_json": _TEXT, "prev_hash": _TEXT,
        "hash": _TEXT,
    },
}  # fmt: skip
"""Columns of each table. Money and quantities are decimal text, so that no digit is lost; times are UTC."""

ORDER_ENDS = {
    EventKind.FILLED: "filled",
    EventKind.ORDER_EXPIRED: "expired",
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.ORDER_REJECTED: "rejected",
}
"""How an order stands once an event of this kind named it, unless it was filled in part."""


class Tables:
    """Rows of every table, gathered event by event."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self._ledger = Ledger()
        self._orders: dict[str, Row] = {}
        self._prices: dict[int, Mapping[str, str]] = {}
        self._handlers: Mapping[EventKind, Callable[[Event], None]] = {
            EventKind.ROUND_OPENED: self._round,
            EventKind.QUIET: self._round,
            EventKind.MARKED: self._marks,
            EventKind.DECIDED: self._decision,
            EventKind.MODEL_CALLED: lambda event: self._plain("llm_calls", event),
            EventKind.TOOL_CALLED: lambda event: self._plain("tool_calls", event, as_of=event.payload["as_of_ms"]),
            EventKind.INTENDED: lambda event: self._plain("intents", event),
            EventKind.RULED: lambda event: self._plain("verdicts", event),
            EventKind.ORDERED: self._order,
            EventKind.FILLED: self._fill,
            EventKind.DEPOSITED: lambda event: self._cash(event, "deposit", Decimal(event.payload["amount"])),
            EventKind.FUNDED: lambda event: self._cash(event, "funding", -Decimal(event.payload["paid"])),
            EventKind.BORROWED: lambda event: self._cash(event, "interest", -Decimal(event.payload["paid"])),
            EventKind.CHARGED: lambda event: self._cash(event, "fee", -Decimal(event.payload["paid"])),
            EventKind.INSURED: lambda event: self._cash(event, "insurance", Decimal(event.payload["amount"])),
        }

    def add(self, stored: StoredEvent) -> None:
        """Take one event in."""
        self.rows["events"].append(
            {
                "seq": stored.seq,
                "ts": stored.ts_ms,
                "kind": stored.kind,
                "decision_id": stored.decision_id,
                "payload_json": stored.payload_json,
                "prev_hash": stored.prev_hash,
                "hash": stored.hash,
            }
        )
        event = stored.event()
        if event.kind in ORDER_ENDS and event.payload["order_id"] in self._orders:
            self._orders[event.payload["order_id"]] |= {
                "status": "partially_filled" if "left" in event.payload else ORDER_ENDS[event.kind],
                "ended": None if "left" in event.payload else event.ts_ms,
                "ended_reason": event.payload.get("reason"),
            }
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)
        if event.kind is not EventKind.FILLED:
            self._ledger.apply(event)

    def finish(self) -> None:
        """Fill in what only later events told: the outcomes of forecasts."""
        for row in self.rows["forecasts"]:
            then = self._prices.get(row["ts"], {}).get(row["instrument"])
            later = self._prices.get(row["ts"] + row["horizon_s"] * 1000, {}).get(row["instrument"])
            if then is not None and later is not None:
                row["outcome_return"] = float(Decimal(later) / Decimal(then) - 1)
                row["outcome_up"] = Decimal(later) > Decimal(then)

    def _plain(self, table: str, event: Event, **more: Any) -> None:
        row = {"ts": event.ts_ms, "decision_id": event.decision_id, **event.payload, **more}
        self.rows[table].append({name: row.get(name) for name in TABLES[table]})

    def _round(self, event: Event) -> None:
        self._prices[event.ts_ms] = event.payload["prices"]

    def _marks(self, event: Event) -> None:
        for desk, mark in event.payload["desks"].items():
            named = {"gross_exposure": mark["gross"], "net_exposure": mark["net"]}
            row = {**mark, **named, "ts": event.ts_ms, "desk": desk}
            self.rows["marks"].append({name: row[name] for name in TABLES["marks"]})

    def _decision(self, event: Event) -> None:
        self._plain("decisions", event, path=" > ".join(event.payload["path"]))
        for forecast in event.payload["forecasts"]:
            row = {
                "decision_id": event.decision_id,
                "desk": event.payload["desk"],
                "ts": event.ts_ms,
                "outcome_up": None,
                "outcome_return": None,
                **forecast,
            }
            self.rows["forecasts"].append(row)

    def _order(self, event: Event) -> None:
        payload = event.payload
        row = {**payload, "ts": payload["sent_ms"], "arrives": payload["arrives_ms"], "status": "open"}
        self._orders[payload["order_id"]] = row
        self.rows["orders"].append(row)

    def _fill(self, event: Event) -> None:
        payload = event.payload
        self.rows["fills"].append({**{name: payload.get(name) for name in TABLES["fills"]}, "ts": payload["ts_ms"]})
        account = self._ledger.accounts[payload["desk"]]
        before = account.cash
        self._ledger.apply(event)
        fee = Decimal(payload["fee"])
        forced = self._orders.get(payload["order_id"], {}).get("origin") == "liquidation"
        perp = self._ledger.instruments[payload["instrument"]].is_perp
        kind = "liquidation" if forced else "realised" if perp else "trade"
        self._cash(event, kind, account.cash - before + fee)
        self._cash(event, "fee", -fee)

    def _cash(self, event: Event, kind: str, amount: Decimal) -> None:
        self.rows["cash"].append(
            {
                "ts": event.ts_ms,
                "desk": event.payload["desk"],
                "kind": kind,
                "instrument": event.payload.get("instrument"),
                "amount": money_text(amount),
            }
        )


def export_journal(journal: Path, telemetry: Path, target: Path) -> dict[str, int]:
    """Write every table of a run to ``target`` as Parquet; answers the rows of each. Existing tables are replaced."""
    tables = Tables()
    for stored in read_events(journal):
        tables.add(stored)
    tables.finish()
    _add_latencies(tables, telemetry)
    target.mkdir(parents=True, exist_ok=True)
    for name, columns in TABLES.items():
        _write(target / f"{name}.parquet", tables.rows[name], columns)
    return {name: len(rows) for name, rows in tables.rows.items()}


def _add_latencies(tables: Tables, telemetry: Path) -> None:
    for table, kind, key in (
        ("decisions", "decision", "decision_id"),
        ("llm_calls", "model_call", "call_id"),
        ("tool_calls", "tool_call", "call_id"),
    ):
        latencies = read_latencies(telemetry, kind)
        for row in tables.rows[table]:
            row["latency_ms"] = latencies.get(row[key])


def _write(path: Path, rows: Iterable[Row], columns: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[str, pa.DataType] = {
        _TEXT: pa.string(),
        _COUNT: pa.int64(),
        _NUMBER: pa.float64(),
        _FLAG: pa.bool_(),
        _TIME: pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    rows = list(rows)
    arrays = [pa.array([row.get(name) for row in rows], type=schema.field(name).type) for name in columns]
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), partial)
    partial.replace(path)
