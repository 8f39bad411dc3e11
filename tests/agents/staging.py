"""A small market, a desk's seat in it, and a LiteLLM provider that says what a test tells it to."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ChatCompletionMessageToolCall, Choices, Function, Message, ModelResponse, Usage

from agents.brief import Costs, RoundBrief
from graphs import DeskTeam, Seat
from tools.context import ToolContext
from trading.domain import (
    AccountView,
    Instrument,
    InstrumentKind,
    LimitRow,
    Position,
    Ruling,
    TradeIntent,
    Verdict,
)
from trading.marketdata import Tape, TapeView

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
PERPS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
SPOT = ("BTC-USDT", "ETH-USDT")
ROLES = ("analyst", "forecaster", "risk", "executor")
COSTS = Costs(taker_fee_bps=4.5, maker_fee_bps=1.5, slippage_bps=2.0, latency_ms=250)


def walk(symbols: Sequence[str] = PERPS, *, bars: int = 400, seed: int = 1, drift: float = 0.0) -> Tape:
    """A random walk of hourly candles."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(drift, 0.006, (len(symbols), bars))
    close = 100.0 * np.exp(np.cumsum(steps, axis=1))
    opened = np.concatenate([np.full((len(symbols), 1), 100.0), close[:, :-1]], axis=1)
    return Tape(
        symbols=tuple(symbols),
        step_ms=HOUR_MS,
        open_ms=START_MS + HOUR_MS * np.arange(bars, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
        volume=np.ones_like(close),
        source="simulated",
    )


def instruments(symbols: Sequence[str]) -> dict[str, Instrument]:
    """Terms for the symbols."""
    return {
        symbol: Instrument(
            symbol=symbol,
            base=symbol.split("-")[0],
            quote="USDT",
            kind=InstrumentKind.PERP if symbol.endswith("-PERP") else InstrumentKind.SPOT,
            tick=Decimal("0.01"),
            lot=Decimal("0.001"),
            min_notional=Decimal(5),
            max_leverage=Decimal(3) if symbol.endswith("-PERP") else Decimal(1),
        )
        for symbol in symbols
    }


class Limits:
    """One limit."""

    def rows(self) -> Sequence[LimitRow]:
        """The limit."""
        return [LimitRow(rule="max_leverage", limit="3", used="0", unit="x", description="gross over equity")]


Preview = Callable[[Sequence[TradeIntent]], Sequence[Verdict]]


def allow(intents: Sequence[TradeIntent]) -> list[Verdict]:
    """A gate that lets everything through."""
    return [
        Verdict(ruling=Ruling.ALLOWED, quantity_before=intent.quantity, quantity_after=intent.quantity)
        for intent in intents
    ]


def at_most(quantity: str) -> Preview:
    """A gate that cuts every intent to ``quantity``, refusing it where that is 0."""
    limit = Decimal(quantity)

    def preview(intents: Sequence[TradeIntent]) -> list[Verdict]:
        return [
            Verdict(
                ruling=Ruling.ALLOWED if kept == intent.quantity else Ruling.RESIZED if kept else Ruling.REFUSED,
                quantity_before=intent.quantity,
                quantity_after=kept,
                rule="" if kept == intent.quantity else "max_quantity",
                limit=None if kept == intent.quantity else limit,
                value=None if kept == intent.quantity else intent.quantity,
                unit="units",
                message="" if kept == intent.quantity else f"at most {quantity}",
            )
            for intent in intents
            for kept in [min(intent.quantity, limit)]
        ]

    return preview


def account(
    tape: Tape, as_of_ms: int, *, held: dict[str, str] | None = None, cash: str = "10000", **changes: Any
) -> AccountView:
    """An account that holds ``held`` at the prices of the view."""
    view = TapeView(tape, as_of_ms)
    marks = {symbol: Decimal(str(round(view.quote(symbol).price, 2))) for symbol in (held or {})}
    positions = {
        symbol: Position(instrument=symbol, quantity=Decimal(text), cost=Decimal(text) * marks[symbol])
        for symbol, text in (held or {}).items()
    }
    values = [position.value(marks[symbol]) for symbol, position in positions.items()]
    spot = sum((value for value, symbol in zip(values, positions, strict=True) if "PERP" not in symbol), Decimal(0))
    equity = Decimal(cash) + spot
    stated: dict[str, Any] = {
        "desk": "desk",
        "as_of_ms": as_of_ms,
        "quote": "USDT",
        "cash": Decimal(cash),
        "positions": positions,
        "marks": marks,
        "equity": equity,
        "peak_equity": equity,
        "gross": sum((abs(value) for value in values), Decimal(0)),
        "net": sum(values, Decimal(0)),
    }
    return AccountView(**{**stated, **changes})


def seat(tape: Tape | None = None, *, after: int = 200, preview: Preview = allow, **changes: Any) -> Seat:
    """A seat ``after`` bars into the tape. ``held``, ``cash`` and account fields go to the account."""
    tape = tape or walk()
    as_of_ms = START_MS + HOUR_MS * after
    of_seat = {"needs_approval", "approver", "thread_id", "decision_id", "round_index"}
    of_brief = {"feedback", "deadline_s"}
    of_account = {key: value for key, value in changes.items() if key not in of_seat | of_brief}
    stated: dict[str, Any] = {
        "round_index": after,
        "rounds": 400,
        "season": "test",
        "decision_id": f"d-{after}",
        "thread_id": f"t-{after}",
        "brief": RoundBrief(
            costs=COSTS,
            mode="balanced",
            timeframe="1h",
            every="1h",
            instruments=tape.symbols,
            **{key: value for key, value in changes.items() if key in of_brief},
        ),
        "tools": ToolContext(
            view=TapeView(tape, as_of_ms),
            account=account(tape, as_of_ms, **of_account),
            instruments=instruments(tape.symbols),
            limits=Limits(),
            preview=preview,
            round_index=after,
        ),
    }
    return Seat(**{**stated, **{key: value for key, value in changes.items() if key in of_seat}})


def team(model: str = "house/momentum", *, seed: int = 7, **models: str) -> DeskTeam:
    """A desk with ``model`` in every role, or another one where ``models`` names it."""
    return DeskTeam(name="desk", models={role: models.get(role, model) for role in ROLES}, seed=seed)


@dataclass
class Hang:
    """A model that does not come back."""

    seconds: float = 30.0


@dataclass
class Calls:
    """Tool calls: (name, arguments as the model wrote them)."""

    tools: list[tuple[str, str]]


@dataclass
class Refusal:
    """A model that refuses."""

    text: str = "I cannot help with that."


Line = str | dict[str, Any] | Hang | Calls | Refusal | Exception

INTENT: dict[str, Any] = {
    "instrument": "BTC-USDT-PERP",
    "side": "buy",
    "quantity": "2",
    "order_type": "market",
    "limit_price": None,
    "reduce_only": False,
    "good_for_rounds": 1,
    "reason": "test",
}
GOOD: dict[str, Line] = {
    "analyst_report": {"summary": "a", "signals": [], "confidence": 0.5},
    "forecaster_report": {
        "summary": "f",
        "forecasts": [
            {"instrument": "BTC-USDT-PERP", "horizon_s": 14400, "p_up": 0.5, "q05": -0.02, "q50": 0.0, "q95": 0.02}
        ],
    },
    "risk_report": {"stance": "proceed", "max_gross_leverage": None, "objection": None, "summary": "r"},
    "executor_decision": {"action": "trade", "intents": [INTENT], "confidence": 0.6, "rationale": "because"},
}


@dataclass
class Stage(CustomLLM):
    """The LiteLLM provider ``staged``: plays the lines of each role in turn, the good answer when they are spent.

    ``heard`` keeps every request: (answer name, messages, optional parameters).
    """

    lines: dict[str, list[Line]] = field(default_factory=dict)
    heard: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = field(default_factory=list)

    async def acompletion(self, *, model, messages, model_response, optional_params, **_):
        """The next line of the role."""
        name = optional_params["response_format"]["json_schema"]["name"]
        self.heard.append((name, json.loads(json.dumps(messages)), optional_params))
        spoken = self.lines.get(name)
        line = spoken.pop(0) if spoken else GOOD[name]
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Hang):
            await asyncio.sleep(line.seconds)
        return _response(model_response, model, line)

    def asked(self, name: str) -> list[list[dict[str, Any]]]:
        """The messages of each request for the answer ``name``."""
        return [messages for heard, messages, _ in self.heard if heard == name]


def _response(response: ModelResponse, model: str, line: Line) -> ModelResponse:
    content: str | None = None
    calls = None
    if isinstance(line, Calls):
        calls = [
            ChatCompletionMessageToolCall(
                id=f"c{number}", type="function", function=Function(name=name, arguments=text)
            )
            for number, (name, text) in enumerate(line.tools)
        ]
    elif isinstance(line, str):
        content = line
    elif isinstance(line, dict):
        content = json.dumps(line)
    message = Message(role="assistant", content=content, tool_calls=calls)
    if isinstance(line, Refusal):
        message.refusal = line.text
    response.model = model
    response.choices = [Choices(finish_reason="tool_calls" if calls else "stop", index=0, message=message)]
    response.usage = Usage(prompt_tokens=100, completion_tokens=10, total_tokens=110)
    return response
