"""The gate's preview of a proposal, as the state keeps it and as the executor is told."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.schemas.executor import IntentAnswer
from trading.domain import IntentEdit, RuledIntent, Ruling, TradeIntent, Verdict, money_text
from trading.risk.edits import edited

Json = dict[str, Any]


def rule_on(
    wanted: Sequence[IntentAnswer], preview: Callable[[Sequence[TradeIntent]], Sequence[Verdict]]
) -> list[Json]:
    """Each intent with the ruling it would get now."""
    verdicts = preview([answer.intent() for answer in wanted])
    return [
        {"intent": answer.model_dump(mode="json"), **_verdict_json(verdict)}
        for answer, verdict in zip(wanted, verdicts, strict=True)
    ]


def amended(rulings: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> list[IntentAnswer]:
    """The intents of a proposal as the answer of a person changed them."""
    edits = [IntentEdit.of(edit) for edit in answer["edits"]]
    intents = edited([ruling["intent"] for ruling in rulings], edits)
    return [IntentAnswer.model_validate(intent, strict=False) for intent in intents]


def has_news(rulings: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the gate says no to anything in a way that whoever saw the rulings ``before`` has not seen."""
    return any(ruling["ruling"] != Ruling.ALLOWED and ruling not in before for ruling in rulings)


def needs_revision(rulings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any intent was not let through as asked."""
    return any(ruling["ruling"] != Ruling.ALLOWED for ruling in rulings)


def ruled_intent(ruling: Mapping[str, Any], intent: TradeIntent, *, attempt: int) -> RuledIntent:
    """A kept ruling in domain terms."""
    return RuledIntent(
        intent=intent,
        attempt=attempt,
        verdict=Verdict(
            ruling=Ruling(ruling["ruling"]),
            quantity_before=Decimal(ruling["quantity_before"]),
            quantity_after=Decimal(ruling["quantity_after"]),
            rule=ruling["rule"],
            limit=_decimal(ruling["limit"]),
            value=_decimal(ruling["value"]),
            unit=ruling["unit"],
            message=ruling["message"],
        ),
    )


def _verdict_json(verdict: Verdict) -> Json:
    return {
        "ruling": verdict.ruling.value,
        "rule": verdict.rule,
        "limit": _text(verdict.limit),
        "value": _text(verdict.value),
        "unit": verdict.unit,
        "quantity_before": money_text(verdict.quantity_before),
        "quantity_after": money_text(verdict.quantity_after),
        "message": verdict.message,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else money_text(value)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
