"""The tables of a run: the columns that were promised, and numbers that agree with the run they came from."""

import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trading.markets import (
    HOUR_MS,
    PERP,
    SPOT,
    START_MS,
    USUAL,
    decision,
    engine_on,
    flat,
    market,
    play,
    random_tape,
    tape_of,
)
from trading.domain import Decision, Forecast, ModelCall, RuledIntent, Ruling, ToolCall, Verdict
from trading.engine import Engine
from trading.ledger.export import TABLES, export_journal
from trading.storage.journal import Journal, Telemetry

PROMISED = """
decisions: decision_id, round, ts, desk, status, abstain_reason, confidence, rationale, prompt_hash, tokens_in, tokens_out, usd, latency_ms
llm_calls: call_id, decision_id, role, model_requested, model_answered, attempt, outcome, tokens_in, tokens_out, usd, latency_ms, cassette_key
tool_calls: call_id, decision_id, role, tool, effect, arguments_json, outcome, as_of, latency_ms
forecasts: decision_id, desk, ts, instrument, horizon_s, p_up, q05, q50, q95, outcome_up, outcome_return
intents: intent_id, decision_id, desk, instrument, side, quantity, order_type, limit_price, reason
verdicts: intent_id, ruling, rule, limit, value, quantity_before, quantity_after
orders: order_id, client_order_id, intent_id, desk, ts, instrument, side, order_type, quantity, limit_price, status
fills: fill_id, order_id, desk, ts, instrument, side, price, quantity, fee, liquidity
cash: ts, desk, kind, instrument, amount
marks: ts, desk, equity, cash, gross_exposure, net_exposure
events: seq, ts, kind, decision_id, payload_json, prev_hash, hash
"""  # noqa: E501
COLUMNS = {
    table: [name.strip() for name in names.split(",")]
    for table, names in re.findall(r"^(\w+): (.*)$", PROMISED, flags=re.MULTILINE)
}


def exported(folder: Path, engine: Engine) -> dict[str, list[dict]]:
    """Every table of a played run as rows."""
    engine._journal.close()
    counts = export_journal(folder / "journal.sqlite", folder / "telemetry.sqlite", folder / "tables")
    rows = {name: pq.read_table(folder / "tables" / f"{name}.parquet").to_pylist() for name in counts}
    assert counts == {name: len(table) for name, table in rows.items()}
    assert sorted(file.name for file in (folder / "tables").iterdir()) == sorted(f"{name}.parquet" for name in TABLES)
    return rows


@pytest.fixture(scope="module")
def season(tmp_path_factory) -> tuple[Engine, dict[str, list[dict]]]:
    folder = tmp_path_factory.mktemp("season")
    engine = engine_on(
        random_tape(21, bars=80, volatility=0.04),
        desks=("a", "b"),
        costs=USUAL,
        journal=Journal(folder / "journal.sqlite"),
    )
    play(engine, seed=21)
    return engine, exported(folder, engine)


def test_every_promised_column_is_there(season, tmp_path):
    assert set(COLUMNS) == set(TABLES)
    for table, names in COLUMNS.items():
        assert set(names) <= set(TABLES[table]), table
    _, tables = season
    for table, rows in tables.items():
        for row in rows:
            assert list(row) == list(TABLES[table])


def test_times_are_utc_and_money_is_text(season):
    _, tables = season
    assert tables["fills"][0]["ts"].utcoffset().total_seconds() == 0
    assert all(isinstance(row["price"], str) for row in tables["fills"])
    assert [row["seq"] for row in tables["events"]] == list(range(1, len(tables["events"]) + 1))


def test_the_cash_of_a_desk_adds_up_to_what_it_has(season):
    engine, tables = season
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    kinds: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in tables["cash"]:
        sums[row["desk"]] += Decimal(row["amount"])
        kinds[row["desk"], row["kind"]] += Decimal(row["amount"])
    for desk, account in engine.ledger.accounts.items():
        assert sums[desk] == account.cash
        assert kinds[desk, "deposit"] == account.deposited
        assert kinds[desk, "fee"] == -account.fees
        assert kinds[desk, "funding"] == -account.funding
    assert {kind for _, kind in kinds} >= {"deposit", "fee", "funding", "realised", "trade", "liquidation"}


def test_the_last_marks_are_the_final_accounts(season):
    engine, tables = season
    last = {row["desk"]: row for row in tables["marks"]}
    for desk, account in engine.ledger.accounts.items():
        assert Decimal(last[desk]["cash"]) == account.cash
        total = sum(Decimal(last[desk][part]) for part in ("cash", "spot_value", "unrealised"))
        assert Decimal(last[desk]["equity"]) == total


def test_tables_join_and_orders_have_an_end(season):
    _, tables = season
    orders = {row["order_id"]: row for row in tables["orders"]}
    filled = [row["order_id"] for row in tables["fills"]]
    assert len(set(filled)) == len(filled)
    assert {orders[order_id]["status"] for order_id in filled} == {"filled"}
    assert {row["status"] for row in orders.values()} <= {"filled", "expired", "cancelled", "rejected"}
    assert all(row["ended"] is not None for row in orders.values())
    intents = {row["intent_id"] for row in tables["intents"]}
    assert intents == {row["intent_id"] for row in tables["verdicts"]}
    assert {row["intent_id"] for row in orders.values() if row["origin"] == "desk"} <= intents
    assert {row["decision_id"] for row in tables["intents"]} <= {row["decision_id"] for row in tables["decisions"]}


def call(number: int, **changed) -> ModelCall:
    usual = {
        "role": "analyst",
        "model_requested": "x/y",
        "model_answered": "x/y-1",
        "attempt": number,
        "outcome": "ok",
        "tokens_in": 10,
        "tokens_out": 5,
        "usd": 0.25,
        "prompt_sha256": "p",
        "cassette_key": "k",
        "latency_ms": 7.0,
    }
    return ModelCall(**usual | changed)


def test_what_a_decision_took_is_told_and_what_is_unknown_stays_unknown(tmp_path):
    prices = [(100.0,) * 4, (100.0,) * 4, (110.0,) * 4, (99.0,) * 4, (99.0,) * 4]
    engine = engine_on(tape_of({PERP: prices, SPOT: flat(50, 5)}), journal=Journal(tmp_path / "journal.sqlite"))
    engine.open_season()
    telemetry = Telemetry(tmp_path / "telemetry.sqlite")
    for index in range(engine.setup.rounds):
        engine.open_round(index, engine.setup.round_ms(index))
        plain = decision("alpha", index, [market("buy", "1")] if index == 1 else [])
        first = RuledIntent(
            intent=market("buy", "1e30"),
            verdict=Verdict(
                ruling=Ruling.REFUSED, quantity_before=Decimal("1e30"), quantity_after=Decimal(0), rule="quantity"
            ),
        )
        took = {
            "decision_id": plain.decision_id,
            "desk": "alpha",
            "round_index": index,
            "status": plain.status,
            "intents": plain.intents,
            "superseded": (first,) if index == 1 else (),
            "forecasts": tuple(
                Forecast(instrument=symbol, horizon_s=hours * 3600, p_up=0.6, q05=-0.1, q50=0.0, q95=0.1)
                for symbol, hours in ((PERP, 1), (PERP, 2), (SPOT, 1), ("DOGE-USDT", 1))
            ),
            "model_calls": (call(0), call(1, usd=None, tokens_in=None, model_answered=None)),
            "tool_calls": (
                ToolCall(
                    role="risk",
                    tool="quote",
                    effect="read",
                    arguments_json='{"a": "é"}',
                    outcome="ok",
                    as_of_ms=engine.round.as_of_ms,
                    result_sha256="s",
                    latency_ms=1.0,
                ),
            ),
            "rationale": "because\nof this",
        }
        engine.submit(Decision(**took))
        telemetry.record("decision", plain.decision_id, 12.5 + index)
        engine.close_round()
    engine.close_season()
    telemetry.close()
    tables = exported(tmp_path, engine)

    assert [row["latency_ms"] for row in tables["decisions"]] == [12.5 + index for index in range(4)]
    assert tables["decisions"][0] | {"ts": None} == tables["decisions"][0] | {
        "ts": None,
        "status": "held",
        "tokens_in": None,
        "tokens_out": 10,
        "usd": None,
        "rationale": "because\nof this",
    }
    assert [row["usd"] for row in tables["llm_calls"][:2]] == [0.25, None]
    assert len({row["call_id"] for row in tables["llm_calls"]}) == 8
    assert tables["tool_calls"][0]["arguments_json"] == '{"a": "é"}'
    assert [(row["attempt"], row["quantity"]) for row in tables["intents"]] == [(0, "1" + "0" * 30), (1, "1")]
    assert [row["superseded"] for row in tables["verdicts"]] == [True, False]

    at = {round((row["ts"].timestamp() * 1000 - START_MS) / HOUR_MS) for row in tables["forecasts"]}
    assert at == {1, 2, 3, 4}
    outcomes = [
        (row["outcome_up"], row["outcome_return"])
        for row in tables["forecasts"]
        if row["instrument"] == PERP and row["horizon_s"] == 3600
    ]
    assert outcomes[0] == (False, 0.0), "no change is not up"
    assert outcomes[1] == (True, pytest.approx(0.1))
    assert outcomes[2] == (False, pytest.approx(-0.1))
    assert outcomes[3] == (False, 0.0)
    later = [
        row["outcome_return"] for row in tables["forecasts"] if row["instrument"] == PERP and row["horizon_s"] == 7200
    ]
    assert later[:3] == [pytest.approx(0.1), pytest.approx(-0.01), pytest.approx(-0.1)]
    assert later[3] is None, "it ends after the season: not known"
    stranger = [row["outcome_up"] for row in tables["forecasts"] if row["instrument"] == "DOGE-USDT"]
    assert stranger == [None] * 4


def test_a_run_without_telemetry_or_trades_still_has_every_table(tmp_path):
    engine = engine_on(tape_of({PERP: flat(100, 3)}), journal=Journal(tmp_path / "journal.sqlite"))
    engine.open_season()
    engine.close_season()
    tables = exported(tmp_path, engine)
    assert tables["fills"] == tables["llm_calls"] == []
    schema = pq.read_schema(tmp_path / "tables" / "fills.parquet")
    assert schema.field("ts").type == pa.timestamp("ms", tz="UTC")
    assert not (tmp_path / "telemetry.sqlite").exists()
