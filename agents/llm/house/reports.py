"""The answers of analyst, forecaster and risk officer, as a house model gives them."""

from typing import Any

from agents.llm.house.conversation import Conversation
from agents.llm.house.recollection import recollections
from agents.llm.house.strategies import Strategy

Answer = dict[str, Any]

_WARN_DRAWDOWN = 0.07
_WARN_EXPECTED_SHORTFALL = 0.15
_QUANTILES = ("p_up", "q05", "q50", "q95")


def analyse(conversation: Conversation, strategy: Strategy) -> Answer:
    """A signal for each instrument the strategy can score."""
    table = conversation.results.get("get_indicators", {}).get("indicators", {})
    recalled = recollections(conversation) if strategy.recall else {}
    signals: list[Answer] = []
    for symbol in conversation.symbols:
        if strategy.recall and symbol in recalled:
            found = strategy.recall(recalled[symbol])
        else:
            found = strategy.score(table.get(symbol, {}))
        if found is not None:
            signals.append({"instrument": symbol, "score": round(found.value, 4), "reason": found.reason})
    unscored = len(conversation.symbols) - len(signals)
    conviction = sum(abs(signal["score"]) for signal in signals) / len(signals) if signals else 0.0
    tail = f" Not scored for lack of history: {unscored}." if unscored else ""
    return {
        "summary": f"Rule-based. {strategy.summary}{tail}",
        "signals": signals,
        "confidence": round(conviction, 4),
    }


def forecast(conversation: Conversation, _: Strategy) -> Answer:
    """The forecast tool's own forecast, passed on."""
    result = conversation.results.get("get_forecast", {})
    rows = [
        {"instrument": row["instrument"], "horizon_s": result["horizon_s"], **{key: row[key] for key in _QUANTILES}}
        for row in result.get("forecasts", ())
        if all(row[key] is not None for key in _QUANTILES)
    ]
    model = result.get("model", "none: the tool had no forecast")
    return {"summary": f"Rule-based. Forecast model: {model}.", "forecasts": rows}


def weigh(conversation: Conversation, _: Strategy) -> Answer:
    """Proceed, or halve the exposure close to the drawdown limit or with a heavy tail."""
    account = conversation.results.get("get_account", {})
    drawdown = float(account.get("drawdown") or 0.0)
    tails = (conversation.results.get("get_risk", {}).get("account") or {}).get("cvar") or {}
    shortfall = tails.get("0.95")
    worried = drawdown > _WARN_DRAWDOWN or (shortfall is not None and shortfall > _WARN_EXPECTED_SHORTFALL)
    known = "not known" if shortfall is None else f"{shortfall:.2%} of equity"
    return {
        "stance": "reduce" if worried else "proceed",
        "max_gross_leverage": 0.5 if worried else None,
        "objection": None,
        "summary": f"Rule-based. Drawdown {drawdown:.2%}, expected shortfall at 95 % {known}.",
    }
