"""The trace of one decision, as frozen values. Instants are milliseconds since 1970 of market time.

Latencies are telemetry, by the wall clock, None where they were not measured. Money is in the quote currency.
"""

from dataclasses import dataclass

from trading.domain.decision import IntentEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep:
    """One attempt at a model. Unknown usage or price is None."""

    call_id: str
    role: str
    model: str
    answered: str | None
    substitute: str | None
    attempt: int
    outcome: str
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    prompt_sha256: str
    cassette_key: str
    latency_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """One tool call of a role. The record keeps the digest of its result, not the result."""

    call_id: str
    role: str
    tool: str
    effect: str
    arguments_json: str
    outcome: str
    result_sha256: str
    latency_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One intent with the gate's word on it. ``ruling`` is empty where the gate was not asked, ``worked`` where it goes
    at once.

    ``edited_by`` is who changed it in its place; what was made of it is a leg of the next ``attempt``.
    """

    instrument: str
    side: str
    quantity: str
    order_type: str
    limit_price: str | None
    stop_loss: str | None
    take_profit: str | None
    reason: str
    attempt: int
    ruling: str = ""
    rule: str = ""
    message: str = ""
    quantity_after: str = ""
    superseded: bool = False
    worked: str = ""
    edited_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person answered to the proposal; ``by`` is None where nobody did in time, ``at_ms`` wall clock.

    With ``edits`` it was approved as changed.
    """

    approved: bool
    by: str | None
    note: str
    at_ms: int | None
    edits: tuple[IntentEdit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. ``arrival`` is the price the order met, None where it was not told."""

    ts_ms: int
    quantity: float
    price: float
    fee: float
    arrival: float | None
    liquidity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """An order that left for the venue. ``ended`` says how, empty while it is open; ``origin`` as orders have it.

    ``parent_id`` names the order that it is a part of, where one was worked.
    """

    order_id: str
    instrument: str
    side: str
    quantity: str
    order_type: str
    limit_price: str | None
    trigger_price: str | None
    origin: str
    sent_ms: int
    arrives_ms: int | None
    ended: str
    fills: tuple[Fill, ...]
    parent_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastStep:
    """A forecast with what came: ``outcome`` is the return over its horizon, None until that has ended."""

    instrument: str
    horizon_ms: int
    p_up: float
    q05: float
    q50: float
    q95: float
    outcome: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the decision's own fills had earned ``horizon_ms`` later, fees paid; None where it had none.

    ``moves`` are the returns of the instruments meanwhile.
    """

    horizon_ms: int
    result: float | None
    moves: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything on record of one decision. Texts come from models: data to be shown inert.

    ``outcome`` is None while its horizon has not ended. ``hash`` is that of the decision's event in the chain.
    """

    run_id: str
    season: str
    market: str
    seed: int | None
    decision_id: str
    desk: str
    slot: int
    kind: str
    ts_ms: int
    round_index: int
    status: str
    abstain_reason: str | None
    confidence: float | None
    rationale: str
    notes: tuple[tuple[str, str], ...]
    dissent: tuple[tuple[str, str, str], ...]
    substituted: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    prompt_hash: str
    prompts: tuple[tuple[str, str], ...]
    prices: tuple[tuple[str, float], ...]
    equity: float | None
    gross: float | None
    calls: tuple[CallStep, ...]
    tools: tuple[ToolStep, ...]
    answers: tuple[Answer, ...]
    legs: tuple[Leg, ...]
    orders: tuple[OrderStep, ...]
    forecasts: tuple[ForecastStep, ...]
    outcome: Outcome | None
    latency_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    seq: int
    hash: str

    @property
    def edited_attempts(self) -> frozenset[int]:
        """The attempts that a person changed: what was made of each is the next one."""
        return frozenset(leg.attempt for leg in self.legs if leg.edited_by)

    @property
    def own_legs(self) -> tuple[Leg, ...]:
        """What the desk itself wanted in the end, before a person changed anything."""
        changed = min(self.edited_attempts, default=None)
        return tuple(leg for leg in self.legs if (not leg.superseded if changed is None else leg.attempt == changed))

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it can change any more."""
        return self.outcome is not None and all(one.outcome is not None for one in self.forecasts)
