"""The typed outcome of one desk's round: what it wants or why it holds or abstains, and all it took to get there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trading.domain.intent import TradeIntent
from trading.domain.verdict import Verdict


class DecisionStatus(StrEnum):
    """How a desk's round ended. Abstaining is a failure with a name, never a hold."""

    ACTED = "acted"
    HELD = "held"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A probabilistic forecast of the return of ``instrument`` over ``horizon_s`` seconds from the decision.

    ``p_up`` is the probability of a positive return; ``q05``, ``q50`` and ``q95`` are quantiles of the simple return.
    """

    instrument: str
    horizon_s: int
    p_up: float
    q05: float
    q50: float
    q95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One attempt at a language or house model. Unknown usage or price is None, never 0. Latency is telemetry.

    ``model_requested`` is what the desk declared; ``substitute`` is the fallback that was asked in its place, if any.
    """

    role: str
    model_requested: str
    model_answered: str | None
    attempt: int
    outcome: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    prompt_sha256: str
    cassette_key: str
    latency_ms: float
    substitute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a typed tool by a role. ``as_of_ms`` is the instant the result speaks of. Latency is telemetry."""

    role: str
    tool: str
    effect: str
    arguments_json: str
    outcome: str
    as_of_ms: int
    result_sha256: str
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledIntent:
    """An intent with the gate's verdict. ``attempt`` counts the proposals of the decision from 0: the first one, the
    revision after a refusal, and what a person made of it."""

    intent: TradeIntent
    verdict: Verdict
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissent:
    """A member of a panel that said otherwise: ``said`` against what was ``combined``, only where the two differ.

    A member that gave no answer said ``abstained`` with its reason.
    """

    role: str
    model: str
    said: str
    combined: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentEdit:
    """What a person changed in one leg of a proposal: its field ``name`` from ``old`` to ``new``.

    ``leg`` counts from 1, in the order of the proposal. Amounts are plain digits; None stands for a price that there
    was or is none of, and as the new quantity for a leg that is dropped.
    """

    leg: int
    instrument: str
    name: str
    old: str | None
    new: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "IntentEdit":
        """From its plain form; what else stands there is left."""
        return cls(**{name: row[name] for name in ("leg", "instrument", "name", "old", "new")})

    @property
    def is_drop(self) -> bool:
        """Whether the whole leg was left out."""
        return self.name == "quantity" and self.new is None

    @property
    def words(self) -> str:
        """The change in a few words."""
        if self.is_drop:
            return f"{self.instrument} dropped"
        return f"{self.instrument} {self.name.replace('_', ' ')} from {self.old or 'none'} to {self.new or 'none'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's answer to a proposal, or with ``by`` None that nobody answered in time.

    ``at_ms`` is the wall clock of the answer, None where nobody looked; ``proposal`` identifies what was asked by its
    content. With ``edits`` it is approved as changed. ``attempt`` says which of the decision's proposals it answers.
    """

    approved: bool
    by: str | None
    note: str = ""
    at_ms: int | None = None
    proposal: str = ""
    edits: tuple[IntentEdit, ...] = ()
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a desk decided in a round.

    ``intents`` are what the engine is asked to trade (empty unless ``status`` is ACTED); ``superseded`` holds
    earlier proposals that were revised or that a person changed. ``confidence`` is in [0, 1] or None where none was
    stated. ``notes`` are short texts by role, shown and journaled, never parsed. ``dissent`` is what members of panels
    said otherwise. ``substituted`` names the fallbacks that answered, by role: such a decision is carried out, and no
    skill is read from it. ``approvals`` are the answers of the people who were asked, where the season's mode asks
    somebody: the last one decided, those before it changed a proposal that the gate did not let through as changed.
    """

    decision_id: str
    desk: str
    round_index: int
    status: DecisionStatus
    intents: tuple[TradeIntent, ...] = ()
    superseded: tuple[RuledIntent, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    confidence: float | None = None
    rationale: str = ""
    abstain_reason: str | None = None
    prompt_hash: str = ""
    path: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    dissent: tuple[Dissent, ...] = ()
    model_calls: tuple[ModelCall, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    substituted: tuple[tuple[str, str], ...] = ()
    approvals: tuple[Approval, ...] = ()
    latency_ms: float = 0.0
