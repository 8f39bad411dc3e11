"""Regime, anomalies and correlations as desks read them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tools.context import ToolContext
from tools.registry import discover, run_tool
from trading.marketdata import Tape

MakeContext = Callable[..., ToolContext]
BTC, ETH, SOL = "BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT"


def ask(context: ToolContext, tool: str, **arguments: Any) -> Any:
    outcome = run_tool(tool, json.dumps(arguments), context, frozenset(discover()))
    assert outcome.outcome == "ok", outcome.content
    return json.loads(outcome.content)


def crashed(tape: Tape, bar: int, *, only: int | None = None) -> Tape:
    """Prices 30 % lower from the close of ``bar`` on, on thirty times the volume."""
    columns = {name: getattr(tape, name).copy() for name in ("open", "high", "low", "close", "volume")}
    rows = slice(None) if only is None else slice(only, only + 1)
    for name in ("open", "high", "low", "close"):
        columns[name][rows, bar + 1 :] *= 0.7
    columns["close"][rows, bar] *= 0.7
    columns["low"][rows, bar] *= 0.7
    columns["volume"][rows, bar] *= 30
    return replace(tape, **columns)


def test_regimes_have_probabilities_and_opinions(make_context: MakeContext) -> None:
    rows = ask(make_context(bar=1400), "get_regime")["regimes"]
    assert [row["instrument"] for row in rows] == [BTC, ETH, SOL]
    for row in rows:
        assert row["regime"] == max(row["probs"], key=lambda name: row["probs"][name])
        assert abs(sum(row["probs"].values()) - 1) < 1e-3
        assert set(row["methods"]) == {"rule", "kmeans", "gaussian_mixture", "hidden_markov"}
        assert 0 <= row["confidence"] <= 1


def test_what_has_too_little_history_is_null_and_named(make_context: MakeContext) -> None:
    context = make_context(bar=100)
    assert ask(context, "get_regime", instruments=[SOL])["regimes"] == [
        {"instrument": SOL, "regime": None, "confidence": None, "probs": None, "methods": {}}
    ]
    assert ask(context, "get_anomalies")["unknown"] == [BTC, ETH, SOL]
    assert ask(make_context(bar=1400), "get_anomalies")["unknown"] == []


def test_a_crash_is_seen_and_then_is_past(make_context: MakeContext, tape: Tape) -> None:
    market = crashed(tape, 1300)
    found = ask(make_context(bar=1301, market=market), "get_anomalies", count=1)["anomalies"]
    price = {row["instrument"]: row for row in found if row["what"] == "price" and row["method"] == "robust deviation"}
    assert set(price) == {BTC, ETH, SOL}
    assert {(row["kind"], row["severity"]) for row in price.values()} == {("market move", "critical")}
    assert price[BTC]["score"] < -10
    assert price[BTC]["evidence"]["volume_level_deviations"] > 2
    later = make_context(bar=1305, market=market)
    assert [row for row in ask(later, "get_anomalies", count=3)["anomalies"] if row["severity"] == "critical"] == []
    assert [row for row in ask(later, "get_anomalies", count=8)["anomalies"] if row["severity"] == "critical"]


def test_correlations_hold_each_pair_once(make_context: MakeContext) -> None:
    found = ask(make_context(bar=1400), "get_correlations", count=300)
    assert list(found["correlations"]) == [f"{BTC}|{ETH}", f"{BTC}|{SOL}", f"{ETH}|{SOL}"]
    assert all(abs(value) < 0.2 for value in found["correlations"].values())
    assert found["returns"] == 300
    assert found["breakdown"]["recent_returns"] == 100
    assert found["breakdown"]["p_value"] > 0.01


def test_a_correlation_that_broke_is_told(make_context: MakeContext, tape: Tape) -> None:
    close = tape.close.copy()
    close[1, 1:1330] = close[1, 0] * np.exp(0.9 * np.log(close[0, 1:1330] / close[0, 0]))
    found = ask(
        make_context(bar=1400, market=replace(tape, close=close)), "get_correlations", instruments=[BTC, ETH], count=210
    )
    assert found["breakdown"]["p_value"] < 0.01
    assert found["breakdown"]["mean_change"] < -0.5


def test_one_instrument_has_no_correlation(make_context: MakeContext) -> None:
    outcome = run_tool(
        "get_correlations", json.dumps({"instruments": [BTC]}), make_context(bar=1400), frozenset(discover())
    )
    assert outcome.outcome == "unavailable"
    assert "two instruments" in outcome.content
