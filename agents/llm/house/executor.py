"""The executor's answer, as a house model gives it: from target weights to intents, and from a ruling to a revision."""

from collections.abc import Mapping
from typing import Any

from agents.llm.house.conversation import Conversation
from agents.llm.house.recollection import recollections, tempered
from agents.llm.house.sizing import Standing, intents_for
from agents.llm.house.strategies import Evidence, Strategy
from agents.llm.house.wording import reasons

Answer = dict[str, Any]


def decide(conversation: Conversation, strategy: Strategy) -> Answer:
    """Intents that bring the positions near the strategy's targets, or a hold."""
    revision = conversation.slots.get("revision")
    if revision is not None:
        return _answer(_within_limits(revision), strategy, conversation, "Takes what the gate allows.")
    standing = _standing(conversation)
    if standing is None:
        return _answer([], strategy, conversation, "Account or quotes are not known.")
    if standing.halted:
        return _answer([], strategy, conversation, "Trading is halted.")
    reports = conversation.slots
    evidence = Evidence(
        symbols=conversation.symbols,
        scores={row["instrument"]: row["score"] for row in (reports.get("analyst") or {}).get("signals", ())},
        forecasts={row["instrument"]: row for row in (reports.get("forecaster") or {}).get("forecasts", ())},
        held=standing.weights(),
        cost=_cost(conversation.facts),
        rng=conversation.rng,
    )
    cap = (reports.get("risk") or {}).get("max_gross_leverage")
    targets, remembered = tempered(strategy.targets(evidence), evidence.held, recollections(conversation))
    band = strategy.band * evidence.share
    max_gross = strategy.max_gross if cap is None else min(strategy.max_gross, cap)
    intents = intents_for(targets, standing, band=band, max_gross=max_gross)
    if not intents:
        quiet = f"No position is off its target by more than {band:.0%} of equity."
        return _answer([], strategy, conversation, f"{quiet} {remembered}".rstrip())
    why = reasons(strategy, evidence, targets, reports.get("analyst") or {}, intents)
    return _answer(intents, strategy, conversation, f"{why} {remembered}".rstrip())


def _answer(intents: list[Answer], strategy: Strategy, conversation: Conversation, why: str) -> Answer:
    analyst = conversation.slots.get("analyst") or {}
    return {
        "action": "trade" if intents else "hold",
        "intents": intents,
        "confidence": round(0.5 + 0.1 * float(analyst.get("confidence") or 0.0), 4) if intents else 0.5,
        "rationale": f"Rule-based ({strategy.name}). {why}",
    }


def _standing(conversation: Conversation) -> Standing | None:
    results = conversation.results
    if not {"get_account", "get_positions", "get_quote"} <= results.keys():
        return None
    return Standing.read(
        results["get_account"], results["get_positions"], results["get_quote"], conversation.facts["instruments"]
    )


def _cost(facts: Mapping[str, Any]) -> float:
    costs = facts["costs"]
    return float(costs["taker_fee_bps"] + costs["slippage_bps"]) / 10_000


def _within_limits(rulings: list[Answer]) -> list[Answer]:
    """The first proposal as far as the gate let it through."""
    return [
        {**ruling["intent"], "quantity": ruling["quantity_after"]}
        for ruling in rulings
        if ruling["ruling"] != "refused" and ruling["quantity_after"] != "0"
    ]
