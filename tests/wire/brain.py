"""A desk model that needs no neurons: asks for the tools it is offered, then answers what is wanted.

The same conversation gets the same reply, whichever provider's words it came in.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from tests.wire.talk import Ask, Offer, Reply, ToolUse

_ROLE_BY_KEY = {
    "signals": "analyst",
    "forecasts": "forecaster",
    "stance": "risk",
    "intents": "executor",
    "reflections": "reflection",
}
_SHARE_OF_EQUITY = Decimal("0.02")
_QUANTILES = ("p_up", "q05", "q50", "q95")


def reply_to(ask: Ask) -> Reply:
    """Calls of tools until there are results, then the answer."""
    form = answer_form(ask)
    tools = [offer for offer in ask.offers if offer is not form and not offer.name.startswith("propose")]
    asked = any(said.role in {"assistant", "tool"} for said in ask.said)
    if tools and not asked and ask.forced is None:
        return Reply(calls=tuple(ToolUse(name=tool.name, arguments=arguments_for(tool, ask)) for tool in tools))
    if form is not None:
        return Reply(calls=(ToolUse(name=form.name, arguments=_answer(form.parameters, ask)),))
    return answer_to(ask)


def answer_to(ask: Ask) -> Reply:
    """The answer at once, without a tool: JSON where a schema or a role asks for it, prose otherwise."""
    schema = ask.schema
    if schema is None and (form := answer_form(ask)) is not None:
        schema = form.parameters
    if schema is None and _role({}, ask) is None:
        return Reply(text=f"{ask.model} has read {sum(len(said.text) for said in ask.said)} characters.")
    return Reply(text=json.dumps(_answer(schema or {}, ask)))


def arguments_for(tool: Offer, ask: Ask) -> dict[str, Any]:
    """Arguments the tool takes: its required ones, filled in sensibly."""
    properties: Mapping[str, Any] = tool.parameters.get("properties") or {}
    return {name: _value(name, properties.get(name, {}), ask) for name in tool.parameters.get("required") or ()}


def answer_form(ask: Ask) -> Offer | None:
    """The tool whose call is the answer: the forced one, or one that has a desk answer's fields."""
    for offer in ask.offers:
        if offer.name == ask.forced or _ROLE_BY_KEY.keys() & (offer.parameters.get("properties") or {}).keys():
            return offer
    return None


def _role(schema: Mapping[str, Any], ask: Ask) -> str | None:
    for key in schema.get("properties") or ():
        if key in _ROLE_BY_KEY:
            return _ROLE_BY_KEY[key]
    if schema or "JSON" not in ask.instructions:
        return None
    return next((role for role in _ROLE_BY_KEY.values() if f"You are the {role}" in ask.instructions), None)


def _answer(schema: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    match _role(schema, ask):
        case "analyst":
            return _analyse(ask)
        case "forecaster":
            return _forecast(ask)
        case "risk":
            return {"stance": "proceed", "max_gross_leverage": 1.0, "objection": None, "summary": "No limit is near."}
        case "executor":
            return _execute(ask)
        case "reflection":
            return _look_back(ask)
        case _:
            filled = _value("answer", schema, ask)
            return filled if isinstance(filled, dict) else {}


def _analyse(ask: Ask) -> dict[str, Any]:
    table: Mapping[str, Mapping[str, float | None]] = ask.results.get("get_indicators", {}).get("indicators", {})
    signals = [
        {"instrument": symbol, "score": round((rsi - 50) / 100, 4), "reason": f"rsi_14 is {rsi}."}
        for symbol, row in table.items()
        if (rsi := row.get("rsi_14")) is not None
    ]
    return {"summary": f"{len(signals)} scored by momentum.", "signals": signals, "confidence": 0.4}


def _forecast(ask: Ask) -> dict[str, Any]:
    result = ask.results.get("get_forecast", {})
    rows = [
        {"instrument": row["instrument"], "horizon_s": result["horizon_s"], **{key: row[key] for key in _QUANTILES}}
        for row in result.get("forecasts", ())
        if all(row[key] is not None for key in _QUANTILES)
    ]
    return {"summary": f"{len(rows)} taken from the tool.", "forecasts": rows}


def _execute(ask: Ask) -> dict[str, Any]:
    intent = None if int(ask.digest[:4], 16) % 3 == 0 or ask.reports.get("revision") else _small_buy(ask)
    return {
        "action": "trade" if intent else "hold",
        "intents": [intent] if intent else [],
        "confidence": 0.55 if intent else 0.5,
        "rationale": "A small long where the analyst's score is highest." if intent else "Nothing to change.",
    }


def _look_back(ask: Ask) -> dict[str, Any]:
    rows = [
        {
            "number": row["number"],
            "expected": "A small gain.",
            "happened": f"A return of {row['net_return']}.",
            "why": "The facts do not tell.",
            "cause": "unknown",
            "next_time": "Look at the costs.",
        }
        for row in ask.facts.get("decisions", ())
    ]
    return {"reflections": rows}


def _small_buy(ask: Ask) -> dict[str, Any] | None:
    account = ask.results.get("get_account", {})
    prices = {row["instrument"]: row["price"] for row in ask.results.get("get_quote", {}).get("quotes", ())}
    scores = {row["instrument"]: row["score"] for row in (ask.reports.get("analyst") or {}).get("signals", ())}
    rows = [row for row in ask.facts.get("instruments", ()) if prices.get(row["symbol"])]
    if not rows or not account or account["halted"] or account["reduce_only"]:
        return None
    best = max(rows, key=lambda row: scores.get(row["symbol"], 0.0))
    lot = Decimal(best["lot"])
    wanted = Decimal(account["equity"]) * _SHARE_OF_EQUITY / Decimal(str(prices[best["symbol"]]))
    quantity = (wanted / lot).to_integral_value(ROUND_DOWN) * lot
    if quantity <= 0:
        return None
    return {
        "instrument": best["symbol"],
        "side": "buy",
        "quantity": f"{quantity:f}",
        "order_type": "market",
        "limit_price": None,
        "reduce_only": False,
        "good_for_rounds": 1,
        "reason": "Highest score.",
    }


def _value(name: str, schema: Mapping[str, Any], ask: Ask) -> Any:
    """Something that fits the schema; symbols of the round where an instrument is asked for."""
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    for branch in schema.get("anyOf") or ():
        return _value(name, branch, ask)
    match str(schema.get("type", "string")).lower():  # one provider writes its types in capitals
        case "object":
            fields: Mapping[str, Any] = schema.get("properties") or {}
            return {field: _value(field, child, ask) for field, child in fields.items()}
        case "array":
            return []
        case "boolean":
            return False
        case "integer":
            return int(schema.get("minimum", 1))
        case "number":
            return float(schema.get("minimum", 0.5))
        case "null":
            return None
        case _:
            symbols = [row["symbol"] for row in ask.facts.get("instruments", ())]
            return symbols[0] if symbols and name in {"instrument", "symbol"} else "x"
