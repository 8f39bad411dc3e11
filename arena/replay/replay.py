"""What came of asking a decision again: the answer on record, the new one, and where they differ."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from arena.traces import Leg, Trace
from trading.domain.decision import Decision
from trading.domain.intent import TradeIntent
from trading.domain.money import money_text
from trading.domain.verdict import Verdict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wanted(_Frozen):
    """An intent. ``gate`` is what the gate said of it: of a new one, what it would have said when the round opened."""

    instrument: str
    side: str
    quantity: str
    order_type: str
    limit_price: str | None
    stop_loss: str | None
    take_profit: str | None
    gate: str

    @property
    def line(self) -> str:
        """The intent in a line, without the gate."""
        prices = (("limit", self.limit_price), ("stop", self.stop_loss), ("target", self.take_profit))
        at = "".join(f" {word} {price}" for word, price in prices if price)
        return f"{self.side} {self.quantity} {self.instrument} {self.order_type}{at}"


class Answer(_Frozen):
    """What a desk decided. Texts come from models: data to be shown inert."""

    status: str
    abstain_reason: str | None
    confidence: float | None
    rationale: str
    wanted: tuple[Wanted, ...]
    forecasts: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


class Difference(_Frozen):
    """One thing in which the two answers differ."""

    what: str
    then: str
    now: str


class Replay(_Frozen):
    """A decision asked again. Nothing of it was traded.

    Of the ``calls`` to models, ``as_then`` were word for word those on record; ``recorded`` were answered from the
    recording, ``computed`` by rules and ``live`` by a model that was asked now. ``asked_ms`` is wall clock; ``usd`` is
    what asking cost, None where it is not known.
    """

    run_id: str
    decision_id: str
    desk: str
    by: str
    asked_ms: int
    then: Answer
    now: Answer
    same: tuple[str, ...]
    differences: tuple[Difference, ...]
    calls: int
    as_then: int
    recorded: int
    computed: int
    live: int
    usd: float | None
    remarks: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether the desk answered exactly as it had."""
        return not self.differences

    @property
    def verdict(self) -> str:
        """What came of it in a sentence."""
        how = self._how()
        if self.is_identical:
            return f"The same answer. {how}"
        what = ", ".join(one.what for one in self.differences)
        return f"Another answer: it differs in {what}. {how}"

    def _how(self) -> str:
        if self.live:
            asked = f"{self.live} of {self.calls} calls were asked of a model now"
            return f"{asked}, the others were answered from the recording." if self.live < self.calls else f"{asked}."
        source = "computed by its rules" if self.computed == self.calls else "answered from the recording"
        if self.as_then == self.calls:
            return f"Every prompt was word for word that of then, and every call was {source}."
        return f"{self.as_then} of {self.calls} prompts were word for word those of then; every call was {source}."


def recorded_answer(trace: Trace) -> Answer:
    """The answer on record."""
    return Answer(
        status=trace.status,
        abstain_reason=trace.abstain_reason,
        confidence=trace.confidence,
        rationale=trace.rationale,
        wanted=tuple(map(_leg, trace.own_legs)),
        forecasts=tuple(
            _forecast(one.instrument, one.horizon_ms, one.p_up, one.q05, one.q50, one.q95) for one in trace.forecasts
        ),
        notes=trace.notes,
    )


def new_answer(decision: Decision, verdicts: tuple[Verdict, ...]) -> Answer:
    """The answer of now, with what the gate would say of each intent."""
    return Answer(
        status=decision.status.value,
        abstain_reason=decision.abstain_reason,
        confidence=decision.confidence,
        rationale=decision.rationale,
        wanted=tuple(_intent(one, said) for one, said in zip(decision.intents, verdicts, strict=True)),
        forecasts=tuple(
            _forecast(one.instrument, one.horizon_s * 1000, one.p_up, one.q05, one.q50, one.q95)
            for one in decision.forecasts
        ),
        notes=decision.notes,
    )


def compared(then: Answer, now: Answer) -> tuple[tuple[str, ...], tuple[Difference, ...]]:
    """The names of what is the same, and what is not. What the gate said does not count: it is not the desk's."""
    same: list[str] = []
    found: list[Difference] = []
    for what, before, after in _rows(then, now):
        if before == after:
            same.append(what)
        else:
            found.append(Difference(what=what, then=before, now=after))
    return tuple(same), tuple(found)


def _rows(then: Answer, now: Answer) -> list[tuple[str, str, str]]:
    def both(what: str, of: Any) -> tuple[str, str, str]:
        return what, of(then), of(now)

    return [
        both("action", _action),
        both("size", lambda one: "; ".join(f"{leg.quantity} {leg.instrument}" for leg in one.wanted) or "none"),
        both("terms", lambda one: "; ".join(leg.line for leg in one.wanted) or "none"),
        both("confidence", lambda one: "not stated" if one.confidence is None else f"{one.confidence:g}"),
        both("forecasts", lambda one: "; ".join(one.forecasts) or "none"),
        both("words", lambda one: one.rationale),
        both("notes of the roles", lambda one: "\n".join(f"{role}: {text}" for role, text in one.notes)),
    ]


def _action(one: Answer) -> str:
    if one.abstain_reason is not None:
        return f"{one.status} ({one.abstain_reason})"
    return ", ".join(f"{leg.side} {leg.instrument}" for leg in one.wanted) or one.status


def _leg(leg: Leg) -> Wanted:
    return Wanted(
        instrument=leg.instrument,
        side=leg.side,
        quantity=leg.quantity,
        order_type=leg.order_type,
        limit_price=leg.limit_price,
        stop_loss=leg.stop_loss,
        take_profit=leg.take_profit,
        gate=_gate(leg.ruling, leg.quantity_after, leg.rule, leg.message),
    )


def _intent(intent: TradeIntent, verdict: Verdict) -> Wanted:
    def price(name: str) -> str | None:
        value = getattr(intent, name)
        return None if value is None else money_text(value)

    return Wanted(
        instrument=intent.instrument,
        side=intent.side.value,
        quantity=money_text(intent.quantity),
        order_type=intent.order_type.value,
        limit_price=price("limit_price"),
        stop_loss=price("stop_loss"),
        take_profit=price("take_profit"),
        gate=_gate(verdict.ruling.value, money_text(verdict.quantity_after), verdict.rule, verdict.message),
    )


def _gate(ruling: str, quantity_after: str, rule: str, message: str) -> str:
    if ruling in ("", "allowed"):
        return ruling or "not asked"
    return (
        f"{ruling} to {quantity_after} by {rule}: {message}"
        if ruling == "resized"
        else f"{ruling} by {rule}: {message}"
    )


def _forecast(instrument: str, horizon_ms: int, p_up: float, q05: float, q50: float, q95: float) -> str:
    return f"{instrument} in {horizon_ms // 60_000} min: up {p_up:g}, {q05:g} / {q50:g} / {q95:g}"
