"""How several answers to one question become one: a declared rule for each kind of answer, and who said otherwise.

Pure: the same answers in the same order give the same result. What a market is worth stays in ``trading``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import median
from typing import Any

from agents.schemas import AnalystReport, Answer, ExecutorDecision, ForecasterReport, RiskReport
from agents.schemas.analyst import Signal
from agents.schemas.executor import Action, IntentAnswer
from agents.schemas.forecaster import ForecastAnswer
from agents.schemas.risk import Stance
from trading.domain import Side

_MOST_INTENTS = 50
_TEXT_CHARS = 4000
_REASON_CHARS = 1000
_OBJECTION_CHARS = 2000
_SEVERITY = (Stance.PROCEED, Stance.REDUCE, Stance.OBJECT)


class Rule(StrEnum):
    """How proposals to trade are combined, instrument by instrument.

    MEDIAN takes the middle of the net quantities, a hold counting as 0. MAJORITY takes the side that holds more than
    half of the confidence, in the middle of its quantities. UNANIMOUS takes the smallest quantity, and only where every
    member of the panel answered and wants the same side.
    """

    MEDIAN = "median"
    MAJORITY = "majority"
    UNANIMOUS = "unanimous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One member's answer."""

    model: str
    answer: Any


def combine(voices: Sequence[Voice], *, rule: Rule, members: int) -> Answer:
    """The answer of a panel of ``members`` of which ``voices`` (at least one, all of one kind) have answered.

    Scores are means weighted by confidence, forecasts medians of each number, a stance is the strictest one given, and
    proposals follow ``rule``. What no more than half of the voices speak of is left out of scores and forecasts.
    """
    match voices[0].answer:
        case AnalystReport():
            return _analysts(voices)
        case ForecasterReport():
            return _forecasters(voices)
        case RiskReport():
            return _risk_officers(voices)
        case ExecutorDecision():
            return _executors(voices, rule, members)
        case other:
            raise TypeError(f"no rule combines answers of the kind {type(other).__name__}")


def contradictions(voice: Voice, combined: Answer) -> tuple[str, str] | None:
    """What ``voice`` said and what became of it, where the two are on different sides; None where they agree."""
    said, became = _stands(voice.answer), _stands(combined)
    # A hold is a stand against a trade; an instrument that a report leaves out is no stand at all.
    topics = list(dict.fromkeys([*said, *became] if isinstance(combined, ExecutorDecision) else said))
    apart = [topic for topic in topics if _side(said, topic) != _side(became, topic)]
    if not apart:
        return None
    return _in_words(said, apart), _in_words(became, apart)


def _analysts(voices: Sequence[Voice]) -> AnalystReport:
    weights = _weights([voice.answer.confidence for voice in voices])
    signals = []
    for symbol, found in _by_topic(voices, lambda answer: {row.instrument: row for row in answer.signals}).items():
        total = sum(weights[index] for index, _ in found)
        mean = (
            sum(weights[index] * row.score for index, row in found) / total
            if total
            else sum(row.score for _, row in found) / len(found)
        )
        reason = _joined(((voices[index].model, row.reason) for index, row in found), _REASON_CHARS)
        signals.append(Signal(instrument=symbol, score=mean, reason=reason))
    return AnalystReport(
        summary=_joined(((voice.model, voice.answer.summary) for voice in voices), _TEXT_CHARS),
        signals=tuple(signals),
        confidence=sum(voice.answer.confidence for voice in voices) / len(voices),
    )


def _forecasters(voices: Sequence[Voice]) -> ForecasterReport:
    topics = _by_topic(voices, lambda answer: {(row.instrument, row.horizon_s): row for row in answer.forecasts})
    return ForecasterReport(
        summary=_joined(((voice.model, voice.answer.summary) for voice in voices), _TEXT_CHARS),
        # Medians of ordered quantiles are ordered, so the combined forecast is one.
        forecasts=tuple(
            ForecastAnswer(
                instrument=symbol,
                horizon_s=horizon_s,
                p_up=median(row.p_up for _, row in found),
                q05=median(row.q05 for _, row in found),
                q50=median(row.q50 for _, row in found),
                q95=median(row.q95 for _, row in found),
            )
            for (symbol, horizon_s), found in topics.items()
        ),
    )


def _risk_officers(voices: Sequence[Voice]) -> RiskReport:
    stance = max((voice.answer.stance for voice in voices), key=_SEVERITY.index)
    caps = [voice.answer.max_gross_leverage for voice in voices if voice.answer.max_gross_leverage is not None]
    objections = [(voice.model, voice.answer.objection) for voice in voices if voice.answer.objection]
    return RiskReport(
        stance=stance,
        max_gross_leverage=min(caps, default=None),
        objection=_joined(objections, _OBJECTION_CHARS) if stance is Stance.OBJECT else None,
        summary=_joined(((voice.model, voice.answer.summary) for voice in voices), _TEXT_CHARS),
    )


def _executors(voices: Sequence[Voice], rule: Rule, members: int) -> ExecutorDecision:
    ballots = [_Ballot.of(voice.answer) for voice in voices]
    weights = _weights([voice.answer.confidence for voice in voices])
    complete = len(voices) == members
    choose: Mapping[Rule, Callable[[str], int | None]] = {
        Rule.MEDIAN: lambda symbol: _median_ballot(ballots, symbol),
        Rule.MAJORITY: lambda symbol: _majority_ballot(ballots, weights, symbol),
        Rule.UNANIMOUS: lambda symbol: _smallest_ballot(ballots, symbol) if complete else None,
    }
    symbols = dict.fromkeys(symbol for ballot in ballots for symbol in ballot.nets)
    chosen = {symbol: index for symbol in symbols if (index := choose[rule](symbol)) is not None}
    intents = [intent for symbol, index in chosen.items() for intent in ballots[index].intents[symbol]][:_MOST_INTENTS]
    backers = [
        voice
        for voice, ballot in zip(voices, ballots, strict=True)
        if (any(ballot.side(symbol) is ballots[index].side(symbol) for symbol, index in chosen.items()))
        or (not chosen and not ballot.nets)
    ]
    said = _joined(((voice.model, voice.answer.rationale) for voice in backers or voices), _TEXT_CHARS - 100)
    return ExecutorDecision(
        action=Action.TRADE if intents else Action.HOLD,
        intents=tuple(intents),
        # Who wants something else counts as sure that this is wrong, so a divided panel is never a confident one.
        confidence=sum(voice.answer.confidence for voice in backers) / len(voices),
        rationale=f"{len(backers)} of {members} by {rule.value}. {said}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ballot:
    """One member's proposal by instrument: its intents and their signed sum, without sums of 0."""

    intents: Mapping[str, tuple[IntentAnswer, ...]]
    nets: Mapping[str, Decimal]

    @classmethod
    def of(cls, decision: ExecutorDecision) -> "_Ballot":
        intents: dict[str, tuple[IntentAnswer, ...]] = {}
        nets: dict[str, Decimal] = {}
        for intent in decision.intents:
            signed = Decimal(intent.quantity) * (1 if intent.side is Side.BUY else -1)
            intents[intent.instrument] = (*intents.get(intent.instrument, ()), intent)
            nets[intent.instrument] = nets.get(intent.instrument, Decimal(0)) + signed
        return cls(intents=intents, nets={symbol: net for symbol, net in nets.items() if net})

    def net(self, symbol: str) -> Decimal:
        return self.nets.get(symbol, Decimal(0))

    def side(self, symbol: str) -> Side | None:
        net = self.net(symbol)
        return (Side.BUY if net > 0 else Side.SELL) if net else None


def _median_ballot(ballots: Sequence[_Ballot], symbol: str) -> int | None:
    order = sorted(range(len(ballots)), key=lambda index: ballots[index].net(symbol))
    low, high = order[(len(order) - 1) // 2], order[len(order) // 2]
    if ballots[low].side(symbol) is None or ballots[low].side(symbol) is not ballots[high].side(symbol):
        return None
    return min(low, high, key=lambda index: abs(ballots[index].net(symbol)))


def _majority_ballot(ballots: Sequence[_Ballot], weights: Sequence[float], symbol: str) -> int | None:
    for side in Side:
        backers = [index for index, ballot in enumerate(ballots) if ballot.side(symbol) is side]
        backing = sum(weights[index] for index in backers)
        if 2 * backing > sum(weights):
            backers.sort(key=lambda index: abs(ballots[index].net(symbol)))
            reached = 0.0
            for index in backers:
                reached += weights[index]
                if 2 * reached >= backing:
                    return index
    return None


def _smallest_ballot(ballots: Sequence[_Ballot], symbol: str) -> int | None:
    sides = {ballot.side(symbol) for ballot in ballots}
    if len(sides) > 1 or None in sides:
        return None
    return min(range(len(ballots)), key=lambda index: abs(ballots[index].net(symbol)))


def _weights(confidences: Sequence[float]) -> Sequence[float]:
    """The confidences, or equal weights where nobody is confident at all."""
    return confidences if any(confidences) else [1.0] * len(confidences)


def _by_topic(voices: Sequence[Voice], rows_of: Callable[[Any], Mapping[Any, Any]]) -> dict[Any, list[tuple[int, Any]]]:
    """What more than half of the voices speak of, with (number of the voice, its row), in order of first mention."""
    found: dict[Any, list[tuple[int, Any]]] = {}
    for index, voice in enumerate(voices):
        for topic, row in rows_of(voice.answer).items():
            found.setdefault(topic, []).append((index, row))
    return {topic: rows for topic, rows in found.items() if 2 * len(rows) > len(voices)}


def _joined(said: Iterable[tuple[str, str]], most: int) -> str:
    """Each text after the name of its model, all of them within ``most`` characters."""
    parts = [f"{model}: {text}" for model, text in said]
    share = most // max(1, len(parts)) - 1
    return "\n".join(part[:share] for part in parts)


_Stands = Mapping[str, tuple[str, str]]
"""By topic: the side taken, and the same in words."""


def _stands(answer: Answer) -> _Stands:
    match answer:
        case AnalystReport():
            return {
                row.instrument: (_leaning(row.score, "long", "short"), f"{row.score:+.2f}") for row in answer.signals
            }
        case ForecasterReport():
            return {
                f"{row.instrument} in {row.horizon_s} s": (_leaning(row.p_up - 0.5, "up", "down"), f"{row.p_up:.3f}")
                for row in answer.forecasts
            }
        case RiskReport():
            return {"stance": (answer.stance.value, "")}
        case ExecutorDecision():
            ballot = _Ballot.of(answer)
            return {
                symbol: ("buy" if net > 0 else "sell", f"{abs(net).normalize():f}")
                for symbol, net in ballot.nets.items()
            }
        case _:
            return {}


def _leaning(value: float, above: str, below: str) -> str:
    return above if value > 0 else below if value < 0 else "even"


def _side(stands: _Stands, topic: str) -> str:
    return stands[topic][0] if topic in stands else ""


def _in_words(stands: _Stands, topics: Sequence[str]) -> str:
    words = []
    for topic in topics:
        side, detail = stands.get(topic, ("nothing", ""))
        words.append(" ".join(part for part in (f"{topic}:", side, detail) if part))
    return "; ".join(words)
