"""From the events of a journal to the trace of one decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from arena.traces.index import Entry, JournalIndex
from arena.traces.trace import Answer, CallStep, Fill, ForecastStep, Leg, OrderStep, Outcome, ToolStep, Trace
from trading.domain.decision import IntentEdit
from trading.domain.event import Event, EventKind
from trading.domain.intent import style_words
from trading.storage.journal import select_events
from trading.storage.journal.telemetry import latencies_of

OUTCOME_MS = 6 * 3_600_000
"""How much later is looked what a decision came to; six rounds where that is longer."""

_ENDS = {
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.ORDER_EXPIRED: "expired",
    EventKind.ORDER_REJECTED: "rejected",
}
_LATER = (EventKind.ORDERED, EventKind.FILLED, EventKind.ROUND_OPENED, *_ENDS)


def read_trace(index: JournalIndex, entry: Entry) -> Trace:
    """The trace of a decision of ``index``. Raises JournalError where the journal cannot be read."""
    opened, following = index.round_of(entry)
    until = None if following is None else following.seq - 1
    events = [
        (stored, stored.event()) for stored in select_events(index.run.journal, after=opened.seq - 1, until=until)
    ]
    mine = [event for _, event in events if event.decision_id == entry.decision_id]
    decided = next(event for event in mine if event.kind is EventKind.DECIDED)
    its_hash = next(stored.hash for stored, event in events if event is decided)
    later = _later(index, entry, opened.seq)
    prices = _prices(next(event for _, event in events if event.kind is EventKind.ROUND_OPENED))
    orders = _orders(later, entry.decision_id)
    payload = decided.payload
    mark = _mark(events, entry.desk)
    return Trace(
        run_id=index.run.run_id,
        season=index.opening.get("season", ""),
        market=index.opening.get("market", ""),
        seed=index.opening.get("seed"),
        decision_id=entry.decision_id,
        desk=entry.desk,
        **_declared(index.opening, entry.desk),
        ts_ms=entry.ts_ms,
        round_index=entry.round_index,
        status=payload["status"],
        abstain_reason=payload["abstain_reason"],
        confidence=payload["confidence"],
        rationale=payload["rationale"],
        notes=tuple((role, text) for role, text in payload["notes"]),
        dissent=tuple((f"{one['role']}, {one['model']}", one["said"], one["combined"]) for one in payload["dissent"]),
        substituted=tuple((role, model) for role, model in payload["substituted"]),
        path=tuple(payload["path"]),
        prompt_hash=payload["prompt_hash"],
        prices=tuple(prices.items()),
        equity=mark.get("equity"),
        gross=mark.get("gross"),
        calls=_calls(index, mine),
        tools=_tools(index, mine),
        answers=_answers(mine),
        legs=_legs(mine),
        orders=orders,
        forecasts=_forecasts(payload["forecasts"], entry.ts_ms, prices, later),
        outcome=_outcome(index, entry, orders, prices, later),
        latency_ms=latencies_of(index.run.telemetry, "decision", [entry.decision_id]).get(entry.decision_id),
        tokens_in=payload["tokens_in"],
        tokens_out=payload["tokens_out"],
        usd=payload["usd"],
        seq=entry.seq,
        hash=its_hash,
    )


def horizon_ms(index: JournalIndex) -> int:
    """How much later the outcome of a decision of this run is looked at, in milliseconds."""
    return max(OUTCOME_MS, 6 * int(index.opening.get("every_ms", 0)))


def _declared(opening: Mapping[str, Any], desk: str) -> dict[str, Any]:
    for slot, row in enumerate(opening.get("desks", ())):
        if row["desk"] == desk:
            return {"slot": slot, "kind": row["kind"], "prompts": tuple(row.get("prompts", {}).items())}
    return {"slot": 0, "kind": "llm", "prompts": ()}


def _later(index: JournalIndex, entry: Entry, first_seq: int) -> list[Event]:
    """What happened to orders and prices from the decision's round on, as far as anything of it counts."""
    longest = max(horizon_ms(index), _longest_forecast(index, entry))
    last = index.round_at(entry.ts_ms + longest)
    found = select_events(
        index.run.journal, after=first_seq - 1, until=None if last is None else last.seq, kinds=_LATER
    )
    return [stored.event() for stored in found]


def _longest_forecast(index: JournalIndex, entry: Entry) -> int:
    found = select_events(index.run.journal, after=entry.seq - 1, until=entry.seq)
    return max((row["horizon_s"] * 1000 for one in found for row in one.event().payload["forecasts"]), default=0)


def _prices(event: Event) -> dict[str, float]:
    return {symbol: float(price) for symbol, price in event.payload["prices"].items()}


def _mark(events: Sequence[tuple[Any, Event]], desk: str) -> dict[str, float]:
    for _, event in events:
        if event.kind is EventKind.MARKED and desk in event.payload["desks"]:
            return {name: float(value) for name, value in event.payload["desks"][desk].items()}
    return {}


def _calls(index: JournalIndex, mine: Iterable[Event]) -> tuple[CallStep, ...]:
    rows = [event.payload for event in mine if event.kind is EventKind.MODEL_CALLED]
    took = latencies_of(index.run.telemetry, "model_call", [row["call_id"] for row in rows])
    same = (
        "call_id", "role", "substitute", "attempt", "outcome", "tokens_in", "tokens_out", "usd", "prompt_sha256",
        "cassette_key",
    )  # fmt: skip
    return tuple(
        CallStep(
            **{name: row[name] for name in same},
            model=row["model_requested"],
            answered=row["model_answered"],
            latency_ms=took.get(row["call_id"]),
        )
        for row in rows
    )


def _tools(index: JournalIndex, mine: Iterable[Event]) -> tuple[ToolStep, ...]:
    rows = [event.payload for event in mine if event.kind is EventKind.TOOL_CALLED]
    took = latencies_of(index.run.telemetry, "tool_call", [row["call_id"] for row in rows])
    same = ("call_id", "role", "tool", "effect", "arguments_json", "outcome", "result_sha256")
    return tuple(ToolStep(**{name: row[name] for name in same}, latency_ms=took.get(row["call_id"])) for row in rows)


def _answers(mine: Iterable[Event]) -> tuple[Answer, ...]:
    rows = [event.payload for event in mine if event.kind is EventKind.APPROVAL_ANSWERED]
    return tuple(
        Answer(
            **{name: row[name] for name in ("approved", "by", "note", "at_ms")},
            edits=tuple(IntentEdit.of(edit) for edit in row.get("edits", ())),
        )
        for row in rows
    )


def _legs(mine: Iterable[Event]) -> tuple[Leg, ...]:
    found: dict[str, Leg] = {}
    edited: dict[str, str] = {}
    wanted = ("instrument", "side", "quantity", "order_type", "limit_price", "reason", "attempt")
    ruled = ("ruling", "rule", "message", "quantity_after", "superseded")
    for event in mine:
        payload = event.payload
        if event.kind is EventKind.APPROVAL_ANSWERED:
            edited |= {edit["intent_id"]: payload["by"] for edit in payload.get("edits", ())}
        elif event.kind is EventKind.INTENDED:
            found[payload["intent_id"]] = Leg(
                **{name: payload[name] for name in wanted},
                stop_loss=payload.get("stop_loss"),
                take_profit=payload.get("take_profit"),
                edited_by=edited.get(payload["intent_id"], ""),
                worked=style_words(payload["style"], payload["window_s"]) if "window_s" in payload else "",
            )
        elif event.kind is EventKind.RULED and payload["intent_id"] in found:
            said = {name: payload[name] for name in ruled}
            found[payload["intent_id"]] = replace(found[payload["intent_id"]], **said)
    return tuple(found.values())


def _orders(events: Iterable[Event], decision_id: str) -> tuple[OrderStep, ...]:
    found: dict[str, OrderStep] = {}
    for event in events:
        payload = event.payload
        if event.kind is EventKind.ORDERED and event.decision_id == decision_id:
            same = ("order_id", "instrument", "side", "quantity", "order_type", "limit_price", "origin", "sent_ms")
            found[payload["order_id"]] = OrderStep(
                **{name: payload[name] for name in same},
                trigger_price=payload.get("trigger_price"),
                arrives_ms=payload["arrives_ms"],
                ended="",
                fills=(),
                parent_id=payload.get("parent_id", ""),
            )
        elif payload.get("order_id") in found:
            order = found[payload["order_id"]]
            if event.kind is EventKind.FILLED:
                ended = order.ended if "left" in payload else "filled"
                found[order.order_id] = replace(order, ended=ended, fills=(*order.fills, _fill(payload)))
            elif event.kind in _ENDS:
                found[order.order_id] = replace(order, ended=_ENDS[event.kind])
    return tuple(found.values())


def _fill(payload: Mapping[str, Any]) -> Fill:
    arrival = payload.get("arrival")
    return Fill(
        ts_ms=payload["ts_ms"],
        quantity=float(payload["quantity"]),
        price=float(payload["price"]),
        fee=float(payload["fee"]),
        arrival=None if arrival is None else float(arrival),
        liquidity=payload.get("liquidity", ""),
    )


def _forecasts(
    rows: Iterable[Mapping[str, Any]], ts_ms: int, prices: Mapping[str, float], later: Iterable[Event]
) -> tuple[ForecastStep, ...]:
    at = {event.ts_ms: _prices(event) for event in later if event.kind is EventKind.ROUND_OPENED}
    found = []
    for row in rows:
        then = at.get(ts_ms + row["horizon_s"] * 1000, {}).get(row["instrument"])
        now = prices.get(row["instrument"])
        known = {name: row[name] for name in ("instrument", "p_up", "q05", "q50", "q95")}
        outcome = then / now - 1 if then is not None and now else None
        found.append(ForecastStep(**known, horizon_ms=row["horizon_s"] * 1000, outcome=outcome))
    return tuple(found)


def _outcome(
    index: JournalIndex, entry: Entry, orders: Iterable[OrderStep], prices: Mapping[str, float], later: Iterable[Event]
) -> Outcome | None:
    horizon = horizon_ms(index)
    end_ms = entry.ts_ms + horizon
    reached = next((one for one in later if one.kind is EventKind.ROUND_OPENED and one.ts_ms >= end_ms), None)
    if reached is None:
        return None
    then = _prices(reached)
    result, traded = 0.0, False
    for order in orders:
        sign = 1.0 if order.side == "buy" else -1.0
        for fill in order.fills:
            if fill.ts_ms <= end_ms and order.instrument in then:
                result += sign * fill.quantity * (then[order.instrument] - fill.price) - fill.fee
                traded = True
    moves = tuple((symbol, then[symbol] / price - 1) for symbol, price in prices.items() if symbol in then and price)
    return Outcome(horizon_ms=horizon, result=result if traded else None, moves=moves)
