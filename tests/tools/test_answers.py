"""What the tools answer, against the market and the account they speak of."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tools.context import ToolContext
from tools.registry import discover, run_tool
from trading.domain import OrderType, Side, TradeIntent, Verdict
from trading.domain.errors import Unavailable
from trading.features.feature import Group
from trading.features.frame import frame_of
from trading.features.registry import FEATURES, groups, history_bars
from trading.features.stream import latest
from trading.forecasting import ReturnForecast, ServedForecast
from trading.marketdata import MarketView, Tape

MakeContext = Callable[..., ToolContext]
ALL = frozenset(discover())
BTC, ETH, SOL = "BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT"


def ask(context: ToolContext, name: str, **arguments: object) -> dict[str, Any]:
    outcome = run_tool(name, json.dumps(arguments), context, ALL)
    assert outcome.outcome == "ok", outcome.content
    body: dict[str, Any] = json.loads(outcome.content)
    return body


def refusal(context: ToolContext, name: str, **arguments: object) -> tuple[str, str]:
    outcome = run_tool(name, json.dumps(arguments), context, ALL)
    return outcome.outcome, json.loads(outcome.content)["error"]


def test_quotes_give_the_last_close_and_its_age(make_context: MakeContext, tape: Tape) -> None:
    body = ask(make_context(bar=1200), "get_quote", instruments=[SOL])
    assert body["source"] == "simulated"
    (quote,) = body["quotes"]
    assert quote == {
        "instrument": SOL,
        "price": float(tape.close[2, 1199]),
        "printed_at": body["as_of"],
        "age_s": 0.0,
    }


def test_a_price_that_is_not_known_is_null(make_context: MakeContext) -> None:
    body = ask(make_context(bar=0), "get_quote")
    assert [quote["price"] for quote in body["quotes"]] == [None, None, None]


def test_candles_are_the_newest_closed_ones_oldest_first(make_context: MakeContext, tape: Tape) -> None:
    body = ask(make_context(bar=1200), "get_candles", instrument=BTC, count=3)
    assert body["timeframe"] == "1h"
    assert [row[4] for row in body["rows"]] == tape.close[0, 1197:1200].tolist()
    assert body["columns"] == ["opened_at", "open", "high", "low", "close", "volume"]
    assert [row[0] for row in body["rows"]] == sorted(row[0] for row in body["rows"])
    assert max(row[0] for row in body["rows"]) < body["as_of"]


def test_a_long_answer_keeps_the_newest_and_says_what_was_cut(make_context: MakeContext, tape: Tape) -> None:
    body = ask(make_context(bar=1200), "get_candles", instrument=BTC, count=200)
    assert len(body["rows"]) < 200
    assert body["rows"][-1][4] == tape.close[0, 1199]
    assert body["note"] == f"cut to the last {len(body['rows'])} of 200 rows; ask for fewer at a time"


def test_a_short_answer_has_no_note(make_context: MakeContext) -> None:
    assert "note" not in ask(make_context(), "get_candles", instrument=BTC, count=3)


def test_indicators_know_funding_of_perpetuals_only(make_context: MakeContext, tape: Tape) -> None:
    table = ask(make_context(bar=1200), "get_indicators")["indicators"]
    assert list(table) == [BTC, ETH, SOL]
    settled = tape.funding[BTC]
    last = int(np.searchsorted(settled.ts_ms, tape.open_ms[1200], side="right")) - 1
    assert table[BTC]["funding_rate"] == pytest.approx(settled.rate[last], rel=1e-7)
    assert table[SOL]["funding_rate"] is None
    assert table[SOL]["close"] == pytest.approx(tape.close[2, 1199], rel=1e-7)


def test_forecasts_leave_out_what_has_too_little_history(make_context: MakeContext, tape: Tape) -> None:
    young = tape.close.copy()
    young[2, :1150] = np.nan
    context = make_context(bar=1200, market=replace(tape, close=young))
    body = ask(context, "get_forecast", horizon="1d")
    assert body["horizon_s"] == 86_400
    assert [row["instrument"] for row in body["forecasts"]] == [BTC, ETH]
    assert SOL in body["note"]
    assert refusal(context, "get_forecast", instruments=[SOL])[0] == "unavailable"


@pytest.mark.parametrize("horizon", ["90m", "60d", "30s"])
def test_horizons_that_bars_cannot_carry_are_arguments_to_mend(make_context: MakeContext, horizon: str) -> None:
    outcome, error = refusal(make_context(), "get_forecast", horizon=horizon)
    assert outcome == "bad_arguments"
    assert "whole number of bars of 1h" in error


def test_instruments_that_are_not_traded_are_answered_with_those_that_are(make_context: MakeContext) -> None:
    for name in ("get_quote", "get_indicators", "get_forecast"):
        outcome, error = refusal(make_context(), name, instruments=["DOGE-USDT", BTC])
        assert outcome == "bad_arguments"
        assert error == f"DOGE-USDT: not traded here; choose from {BTC}, {ETH}, {SOL}, spelled exactly so"


def test_the_account_is_told_to_the_last_digit(make_context: MakeContext) -> None:
    body = ask(make_context(), "get_account")
    assert (body["cash"], body["equity"], body["quote"]) == ("10000.1", "9812.4", "USDT")
    assert body["drawdown"] == pytest.approx((10200 - 9812.4) / 10200, rel=1e-7)
    assert body["leverage"] == pytest.approx(4400 / 9812.4, rel=1e-7)
    assert body["open_orders"][0]["limit_price"] == "190.1"


def test_leverage_without_equity_is_not_known(make_context: MakeContext) -> None:
    context = make_context()
    broke = replace(context, account=replace(context.account, equity=Decimal(0)))
    assert ask(broke, "get_account")["leverage"] is None
    assert refusal(broke, "get_risk")[0] == "unavailable"


def test_positions_leave_out_what_is_flat(make_context: MakeContext) -> None:
    context = make_context()
    held = context.account.positions
    account = replace(context.account, positions={**held, BTC: replace(held[BTC], quantity=Decimal(0))})
    (row,) = ask(replace(context, account=account), "get_positions")["positions"]
    mark = context.account.marks[ETH]
    assert row["instrument"] == ETH
    assert row["average_price"] == "100"
    assert Decimal(row["value"]) == Decimal("-12.5") * mark
    assert Decimal(row["unrealised"]) == Decimal("-12.5") * mark + 1250


def test_limits_are_those_of_the_gate(make_context: MakeContext) -> None:
    (row,) = ask(make_context(), "get_limits")["limits"]
    assert (row["rule"], row["limit"], row["used"]) == ("max_leverage", "3", "0.42")


def test_risk_is_the_quantile_of_what_these_positions_would_have_done(make_context: MakeContext, tape: Tape) -> None:
    context = make_context(bar=1200)
    body = ask(context, "get_risk", horizon="2h")
    closes = tape.close[:, :1200]
    moves = closes[:, 2:] / closes[:, :-2] - 1
    equity = float(context.account.equity)
    returns = 30 * closes[0, -1] / equity * moves[0] - 12.5 * closes[1, -1] / equity * moves[1]
    for level in (0.95, 0.99):
        assert body["account"]["var"][str(level)] == pytest.approx(-np.quantile(returns, 1 - level), rel=1e-6)
        tail = returns[returns <= np.quantile(returns, 1 - level)]
        assert body["account"]["cvar"][str(level)] == pytest.approx(-tail.mean(), rel=1e-6)
    assert body["proposed"] is None


def test_risk_of_closing_everything_is_nothing(make_context: MakeContext) -> None:
    closing = [{"instrument": BTC, "quantity": "-30"}, {"instrument": ETH, "quantity": 12.5}]
    body = ask(make_context(), "get_risk", proposal=closing, horizon="2h")
    closed = body["proposed"]
    assert closed["var"] == closed["cvar"] == {"0.95": 0.0, "0.99": 0.0}
    assert (closed["gross"], closed["net"], closed["deviation"], closed["component_var"]) == (0, 0, 0, {})
    assert (closed["margin_used"], closed["days_to_close"], closed["effective_positions"]) == (0, 0, None)
    assert body["account"]["var"]["0.99"] > 0


def test_risk_tells_whose_it_is_and_how_it_could_end(make_context: MakeContext, tape: Tape) -> None:
    context = make_context(bar=1200)
    margined = {
        symbol: replace(instrument, maintenance_margin=Decimal("0.01")) if instrument.is_perp else instrument
        for symbol, instrument in context.instruments.items()
    }
    context = replace(context, instruments=margined)
    proposal = [{"instrument": BTC, "quantity": "300"}]
    body = ask(context, "get_risk", horizon="2h", proposal=proposal)
    now, then = body["account"], body["proposed"]
    equity = float(context.account.equity)
    closes = tape.close[:, :1200]
    weights = np.array([30 * closes[0, -1], -12.5 * closes[1, -1]]) / equity
    moves = (closes[:2, 2:] / closes[:2, :-2] - 1).T
    assert now["gross"] == pytest.approx(np.abs(weights).sum(), rel=1e-4)
    assert now["net"] == pytest.approx(weights.sum(), rel=1e-4)
    assert now["deviation"] == pytest.approx((moves @ weights).std(ddof=1), rel=1e-4)
    normal = 2.3263479 * (moves @ weights).std(ddof=1) - (moves @ weights).mean()
    assert sum(now["component_var"].values()) == pytest.approx(normal, rel=1e-3)
    assert now["margin_used"] == pytest.approx(0.01 * np.abs(weights).sum(), rel=1e-4)
    assert then["liquidation_if_all_fall"] < 0.5
    assert then["var"]["0.99"] > 5 * now["var"]["0.99"]
    assert then["days_to_close"] == pytest.approx(330 / (0.1 * 24 * tape.volume[0, 480:1200].mean()), rel=1e-4)


def test_risk_that_history_cannot_tell_is_null_with_a_reason(make_context: MakeContext) -> None:
    body = ask(make_context(bar=300), "get_risk", horizon="24h")
    assert body["account"]["var"]["0.99"] is None
    assert body["account"]["var"]["0.95"] is not None
    assert "0.99" in body["note"]


def test_a_proposal_reaches_the_gate_as_intents_and_comes_back_ruled(make_context: MakeContext) -> None:
    context = make_context()
    seen: list[TradeIntent] = []

    def preview(intents: Sequence[TradeIntent]) -> Sequence[Verdict]:
        seen.extend(intents)
        return context.preview(intents)

    small = {"instrument": SOL, "side": "buy", "quantity": "0.10", "reason": "cheap"}
    large = {"instrument": BTC, "side": "sell", "quantity": 50, "order_type": "limit", "limit_price": "99.5"}
    body = ask(replace(context, preview=preview), "propose_order", orders=[small, large])
    assert seen == [
        TradeIntent(instrument=SOL, side=Side.BUY, quantity=Decimal("0.10"), reason="cheap"),
        TradeIntent(
            instrument=BTC,
            side=Side.SELL,
            quantity=Decimal(50),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("99.5"),
        ),
    ]
    allowed, refused = body["verdicts"]
    assert (allowed["ruling"], allowed["quantity_after"], allowed["limit"]) == ("allowed", "0.1", None)
    assert (refused["ruling"], refused["rule"], refused["limit"]) == ("refused", "max_order_value", "1000")
    assert refused["quantity_after"] == "0"


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "-1", "0", "1e30", "some", "", None, True, [1], "1" * 40])
def test_quantities_that_are_none_never_reach_the_gate(make_context: MakeContext, quantity: object) -> None:
    def preview(_: object) -> list[Verdict]:
        raise AssertionError("the gate was asked")

    order = {"instrument": SOL, "side": "buy", "quantity": quantity}
    assert refusal(make_context(preview=preview), "propose_order", orders=[order])[0] == "bad_arguments"


@pytest.mark.parametrize(("order_type", "limit_price"), [("limit", None), ("market", "100")])
def test_type_and_limit_price_must_fit(make_context: MakeContext, order_type: str, limit_price: str | None) -> None:
    order = {"instrument": SOL, "side": "buy", "quantity": "1", "order_type": order_type, "limit_price": limit_price}
    outcome, error = refusal(make_context(), "propose_order", orders=[order])
    assert outcome == "bad_arguments"
    assert "limit_price" in error


def test_features_are_those_of_the_vector(make_context: MakeContext) -> None:
    context = make_context(bar=1200)
    body = ask(context, "get_features", instrument=BTC, groups=["momentum", "chaos"])
    whole = latest(frame_of(context.view, BTC, bars=history_bars()))
    of_groups = [name for group in (Group.MOMENTUM, Group.CHAOS) for name in groups()[group]]
    assert list(body["features"]) == of_groups
    for name, value in body["features"].items():
        assert value == (None if whole[name] is None else pytest.approx(whole[name], rel=1e-7)), name
    assert body["unknown"] == sum(value is None for value in body["features"].values())
    assert body["features"]["hurst_dfa_1x256"] is not None
    assert body["features"]["hurst_dfa_24x128"] is None  # it would need 3,072 bars


def test_features_are_computed_once_a_round_and_only_what_is_asked_for(make_context: MakeContext, monkeypatch) -> None:
    asked: list[int] = []

    def counted(frame: Any, features: Any) -> dict[str, float | None]:
        asked.append(len(features))
        return latest(frame, features)

    monkeypatch.setattr("tools.market.latest", counted)
    context = make_context(bar=1200)
    other_desk = replace(context, account=context.account)
    ask(context, "get_features", instrument=BTC, groups=["calendar"])
    assert len(asked) == 1
    ask(other_desk, "get_features", instrument=BTC, groups=["calendar", "trend"])
    assert asked == [len(groups()[Group.CALENDAR]), len(groups()[Group.TREND])]


def test_every_feature_fits_into_one_answer(make_context: MakeContext) -> None:
    body = ask(make_context(bar=1200), "get_features", instrument=BTC)
    assert len(body["features"]) == len(FEATURES)
    assert "note" not in body


def test_a_group_that_there_is_not_is_refused(make_context: MakeContext) -> None:
    assert refusal(make_context(), "get_features", instrument=BTC, groups=["astrology"])[0] == "bad_arguments"


def test_snapshots_know_nothing_of_bars_shorter_than_the_market_s(make_context: MakeContext) -> None:
    body = ask(make_context(bar=1200), "get_market_snapshot", instruments=[BTC, SOL])
    first, second = body["snapshots"]
    assert (first["symbol"], second["symbol"], first["timeframe"]) == (BTC, SOL, "1h")
    assert first["rsi"] is not None
    assert first["trend"] in {"uptrend", "downtrend", "sideways"}
    assert {first[f"{name}_{length}"] for name in ("rsi", "macd") for length in ("1m", "3m", "5m", "15m")} == {None}


class OneChampion:
    """Speaks for BTC alone, at one horizon."""

    def __init__(self) -> None:
        self.asked = 0

    def forecast(self, view: MarketView, symbol: str, horizon_ms: int) -> ServedForecast | None:
        self.asked += 1
        if symbol == ETH:
            raise Unavailable(f"{symbol}: there is a hole in the latest bars")
        if symbol != BTC:
            return None
        said = ReturnForecast(p_up=0.61, q05=-0.01, q50=0.002, q95=0.013, volatility=0.007)
        closed_ms = view.as_of_ms
        judged = {"crps_skill": (0.0212345678, (0.01, 0.03))}
        return ServedForecast(
            model_id="btc-1", forecast=said, closed_ms=closed_ms, close=1.0, values=np.zeros((1, 1)), validation=judged
        )


def test_a_champion_speaks_where_it_may_and_the_statistical_model_elsewhere(make_context: MakeContext) -> None:
    champions = OneChampion()
    context = make_context(bar=1200, champions=champions)
    body = ask(context, "get_forecast")
    plain = ask(make_context(bar=1200), "get_forecast")
    assert body["model"] == plain["model"] == "volatility_scaled"
    rows = {row["instrument"]: row for row in body["forecasts"]}
    assert rows[BTC]["model"] == "btc-1"
    assert rows[BTC]["p_up"] == pytest.approx(0.61)
    assert rows[BTC]["validation"] == {"crps_skill": {"value": pytest.approx(0.021234568), "low": 0.01, "high": 0.03}}
    assert "validation" not in rows[SOL]
    assert rows[SOL] == next(row for row in plain["forecasts"] if row["instrument"] == SOL)
    assert "model" not in rows[SOL]
    assert ETH not in rows
    assert "hole" in body["note"]
    asked = champions.asked
    ask(context, "get_forecast", instruments=[BTC])
    assert champions.asked == asked  # once a round for all desks
