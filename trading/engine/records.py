"""How it is written down: the events of a decision, in order, and the rows of marks, as the journal holds them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from trading.domain import ids
from trading.domain.decision import Approval, Decision, ModelCall, ToolCall
from trading.domain.event import Event, EventKind
from trading.domain.intent import TimeInForce, TradeIntent, style_payload
from trading.domain.money import money_text
from trading.domain.verdict import Verdict
from trading.ledger.marking import Mark
from trading.risk.breakers import Clearance
from trading.risk.limit_board import Change
from trading.risk.limit_values import limit_text
from trading.risk.trip import TripReason


def call_events(decision: Decision, ts_ms: int) -> Iterator[Event]:
    """One event for each model and tool call of a decision. Latency is left to telemetry."""
    yield from model_call_events(decision.model_calls, decision.desk, decision.decision_id, ts_ms)
    for number, tool in enumerate(decision.tool_calls):
        yield Event(
            ts_ms=ts_ms,
            kind=EventKind.TOOL_CALLED,
            payload=_tool_call(decision, tool, number),
            decision_id=decision.decision_id,
        )


def model_call_events(calls: Iterable[ModelCall], desk: str, filed_under: str, ts_ms: int) -> Iterator[Event]:
    """One event for each model call of a desk. ``filed_under`` is the id of the decision or of the look back."""
    for number, call in enumerate(calls):
        yield Event(
            ts_ms=ts_ms,
            kind=EventKind.MODEL_CALLED,
            payload=_model_call(desk, filed_under, call, number),
            decision_id=filed_under,
        )


def _model_call(desk: str, filed_under: str, call: ModelCall, number: int) -> dict[str, Any]:
    return {
        "call_id": ids.call_id(filed_under, "model", number),
        "desk": desk,
        "role": call.role,
        "model_requested": call.model_requested,
        "model_answered": call.model_answered,
        "substitute": call.substitute,
        "attempt": call.attempt,
        "outcome": call.outcome,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
        "usd": call.usd,
        "prompt_sha256": call.prompt_sha256,
        "cassette_key": call.cassette_key,
    }


def _tool_call(decision: Decision, call: ToolCall, number: int) -> dict[str, Any]:
    return {
        "call_id": ids.call_id(decision.decision_id, "tool", number),
        "desk": decision.desk,
        "role": call.role,
        "tool": call.tool,
        "effect": call.effect,
        "arguments_json": call.arguments_json,
        "outcome": call.outcome,
        "as_of_ms": call.as_of_ms,
        "result_sha256": call.result_sha256,
    }


def decision_events(decision: Decision, ts_ms: int) -> Iterator[Event]:
    """A decision with everything that led to it: its calls, what a person answered, and what it revised."""
    yield from call_events(decision, ts_ms)
    yield decided_event(decision, ts_ms)
    for approval in decision.approvals:
        yield approval_event(decision, approval, ts_ms)
    for leg, ruled in enumerate(decision.superseded):
        yield from ruling_events(
            decision, ruled.intent, ruled.verdict, attempt=ruled.attempt, leg=leg, ts_ms=ts_ms, superseded=True
        )


def approval_event(decision: Decision, approval: Approval, ts_ms: int) -> Event:
    """What a person answered to the decision's proposal or changed in it, and who, when by the wall clock, and why."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.APPROVAL_ANSWERED,
        decision_id=decision.decision_id,
        payload={
            "desk": decision.desk,
            "proposal": approval.proposal,
            "approved": approval.approved,
            "by": approval.by,
            "note": approval.note,
            "at_ms": approval.at_ms,
            **_edits(decision, approval),
        },
    )


def _edits(decision: Decision, approval: Approval) -> dict[str, Any]:
    """What only an answer that changed the proposal says: each change, with the intent that it was made to."""
    intents = [
        ids.intent_id(decision.decision_id, ruled.attempt, place)
        for place, ruled in enumerate(decision.superseded)
        if ruled.attempt == approval.attempt
    ]
    named = dict(enumerate(intents, start=1))
    rows = [{"intent_id": named.get(edit.leg, ""), **asdict(edit)} for edit in approval.edits]
    return {"edits": rows} if rows else {}


def decided_event(decision: Decision, ts_ms: int) -> Event:
    """The decision itself. Tokens and dollars are sums over its calls, unknown when any of them is."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.DECIDED,
        decision_id=decision.decision_id,
        payload={
            "desk": decision.desk,
            "round": decision.round_index,
            "status": decision.status.value,
            "abstain_reason": decision.abstain_reason,
            "confidence": decision.confidence,
            "rationale": decision.rationale,
            "notes": [list(note) for note in decision.notes],
            "dissent": [
                {"role": one.role, "model": one.model, "said": one.said, "combined": one.combined}
                for one in decision.dissent
            ],
            "substituted": [list(pair) for pair in decision.substituted],
            "path": list(decision.path),
            "prompt_hash": decision.prompt_hash,
            "tokens_in": _total([call.tokens_in for call in decision.model_calls]),
            "tokens_out": _total([call.tokens_out for call in decision.model_calls]),
            "usd": _total([call.usd for call in decision.model_calls]),
            "forecasts": [
                {
                    "instrument": forecast.instrument,
                    "horizon_s": forecast.horizon_s,
                    "p_up": forecast.p_up,
                    "q05": forecast.q05,
                    "q50": forecast.q50,
                    "q95": forecast.q95,
                }
                for forecast in decision.forecasts
            ],
        },
    )


def _total(values: list[Any]) -> Any:
    return None if any(value is None for value in values) else sum(values)


def intended_event(decision: Decision, intent: TradeIntent, *, intent_id: str, attempt: int, ts_ms: int) -> Event:
    """What a desk wanted, before the gate."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.INTENDED,
        decision_id=decision.decision_id,
        payload={
            "intent_id": intent_id,
            "desk": decision.desk,
            "attempt": attempt,
            "instrument": intent.instrument,
            "side": intent.side.value,
            "quantity": money_text(intent.quantity),
            "order_type": intent.order_type.value,
            "limit_price": None if intent.limit_price is None else money_text(intent.limit_price),
            "reduce_only": intent.reduce_only,
            "reason": intent.reason,
            **_special(intent),
        },
    )


def _special(intent: TradeIntent) -> dict[str, Any]:
    """What only some intents ask for."""
    special: dict[str, Any] = {}
    if intent.time_in_force is not TimeInForce.GTD:
        special["time_in_force"] = intent.time_in_force.value
    if intent.post_only:
        special["post_only"] = True
    for name in ("trigger_price", "trail", "stop_loss", "take_profit"):
        value = getattr(intent, name)
        if value is not None:
            special[name] = money_text(value)
    return special | style_payload(intent)


def ruled_event(
    decision: Decision, intent: TradeIntent, verdict: Verdict, *, intent_id: str, superseded: bool, ts_ms: int
) -> Event:
    """What the gate said; ``superseded`` when the desk revised the proposal afterwards, or a person changed it."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.RULED,
        decision_id=decision.decision_id,
        payload={
            "intent_id": intent_id,
            "desk": decision.desk,
            "instrument": intent.instrument,
            "side": intent.side.value,
            "ruling": verdict.ruling.value,
            "rule": verdict.rule,
            "limit": None if verdict.limit is None else money_text(verdict.limit),
            "value": None if verdict.value is None else money_text(verdict.value),
            "unit": verdict.unit,
            "quantity_before": money_text(verdict.quantity_before),
            "quantity_after": money_text(verdict.quantity_after),
            "message": verdict.message,
            "superseded": superseded,
        },
    )


def ruling_events(
    decision: Decision,
    intent: TradeIntent,
    verdict: Verdict,
    *,
    attempt: int,
    leg: int,
    ts_ms: int,
    superseded: bool = False,
) -> Iterator[Event]:
    """What a desk wanted with one leg of its proposal, or a person made of it, and what the gate said."""
    intent_id = ids.intent_id(decision.decision_id, attempt, leg)
    wanted = intended_event(decision, intent, intent_id=intent_id, attempt=attempt, ts_ms=ts_ms)
    ruled = ruled_event(decision, intent, verdict, intent_id=intent_id, superseded=superseded, ts_ms=ts_ms)
    edited = any(approval.edits and approval.attempt < attempt for approval in decision.approvals)
    for event in (wanted, ruled):
        yield replace(event, payload={**event.payload, "edited": True}) if edited else event


def tripped_event(trip: TripReason, ts_ms: int) -> Event:
    """A breaker that tripped, with its limit and what was found."""
    return Event(ts_ms=ts_ms, kind=EventKind.BREAKER_TRIPPED, payload=trip.payload())


def cleared_event(clearance: Clearance, ts_ms: int) -> Event:
    """A breaker that its declared rule set back."""
    return Event(
        ts_ms=ts_ms,
        kind=EventKind.BREAKER_CLEARED,
        payload={
            "scope": clearance.scope,
            "over": clearance.over.value,
            "rule": clearance.rule,
            "state": clearance.state,
        },
    )


def limit_change(name: str, old: Any, new: Any, cause: Change | None) -> dict[str, Any]:
    """One limit that changed while trading went on: from what to what, who asked for it, when by the wall clock.

    Without a cause a change ran out, and what was declared counts again.
    """
    return {
        "name": name,
        "old": limit_text(old),
        "new": limit_text(new),
        "kind": None if cause is None else cause.kind.value,
        "who": None if cause is None else cause.who,
        "approver": None if cause is None else cause.approver,
        "reason": None if cause is None else cause.reason,
        "at_ms": None if cause is None else cause.at_ms,
    }


def price_row(prices: Mapping[str, Decimal]) -> dict[str, str]:
    """Prices by instrument, as plain digits."""
    return {symbol: money_text(price) for symbol, price in prices.items()}


def mark_row(mark: Mark) -> Mapping[str, str]:
    """A marked account, as plain digits."""
    return {
        "equity": money_text(mark.equity),
        "cash": money_text(mark.cash),
        "spot_value": money_text(mark.spot_value),
        "unrealised": money_text(mark.unrealised),
        "gross": money_text(mark.gross),
        "net": money_text(mark.net),
    }
