"""What can go wrong with a call of a model, and which call it goes wrong with."""

import hashlib
import itertools
import json
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from tests.wire.brain import answer_form, answer_to, arguments_for
from tests.wire.talk import Ask, Offer, Reply, ToolUse

LONG_TEXT_BYTES = 40_000
UNKNOWN_TOOL = "get_crystal_ball"


class Fault(StrEnum):
    """One way for a call to fail: by the server's answer, on the way, or in what the model says."""

    RATE_LIMITED = "429"
    RATE_LIMITED_RETRY_AFTER = "429_retry_after"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    OVERLOADED = "529"
    BAD_KEY = "401"
    UNKNOWN_MODEL = "404"
    BAD_REQUEST = "400"
    CONTEXT_WINDOW = "context_window"
    ERROR_IN_200 = "error_in_200"

    HANG = "hang"
    RESET = "reset"
    TRUNCATED_BODY = "truncated_body"

    TRUNCATED_ANSWER = "truncated_answer"
    WRONG_TYPES = "wrong_types"
    UNKNOWN_TOOL = "unknown_tool"
    BAD_ARGUMENTS = "bad_arguments"
    TWO_CALLS = "two_calls"
    EMPTY = "empty"
    REFUSAL = "refusal"
    FILTERED = "filtered"
    FENCED = "fenced"
    OFF_SCHEMA = "off_schema"
    LONG_TEXT = "long_text"


STATUS = {
    Fault.RATE_LIMITED: 429,
    Fault.RATE_LIMITED_RETRY_AFTER: 429,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.OVERLOADED: 529,
    Fault.BAD_KEY: 401,
    Fault.UNKNOWN_MODEL: 404,
    Fault.BAD_REQUEST: 400,
    Fault.CONTEXT_WINDOW: 400,
    Fault.ERROR_IN_200: 200,
}
"""The status of the faults that answer with an error body."""

LASTING = frozenset({Fault.BAD_KEY, Fault.UNKNOWN_MODEL, Fault.BAD_REQUEST, Fault.CONTEXT_WINDOW, Fault.FILTERED})
"""Faults that the same request meets again, however often it is sent."""

WEATHER = tuple(fault for fault in Fault if fault not in LASTING)
"""Faults that come and go."""


class FaultPlan:
    """Says for each call whether and how it fails. Safe to ask from several threads."""

    def __init__(
        self, script: Iterable[Fault | None] = (), *, rates: Mapping[Fault, float] | None = None, seed: int = 0
    ):
        self._script = iter(script)
        self._rates = dict(rates or {})
        self._seed = seed
        self._met: Counter[str] = Counter()
        self._lock = threading.Lock()

    @classmethod
    def always(cls, fault: Fault) -> "FaultPlan":
        """Every call fails like this."""
        return cls(itertools.repeat(fault))

    @classmethod
    def seeded(cls, rate: float, *, seed: int, faults: Collection[Fault] = WEATHER) -> "FaultPlan":
        """A share ``rate`` of the calls fails, each fault being equally likely.

        Whether a call fails follows from the seed, the conversation, and how often it was sent before: not from the
        order in which concurrent calls arrive.
        """
        return cls(rates=dict.fromkeys(faults, rate / len(faults)), seed=seed)

    def fault_for(self, ask: Ask) -> Fault | None:
        """How this call fails, None where it does not."""
        with self._lock:
            if (scripted := next(self._script, None)) is not None:
                return scripted
            self._met[ask.digest] += 1
            time = self._met[ask.digest]
        drawn = hashlib.sha256(f"{self._seed}:{ask.digest}:{time}".encode()).digest()
        point = int.from_bytes(drawn[:8]) / 2**64
        for fault, rate in self._rates.items():
            if point < rate:
                return fault
            point -= rate
        return None


def spoilt(fault: Fault | None, ask: Ask, good: Reply) -> Reply:
    """What the model says under ``fault`` in place of ``good``. Faults of the answer spoil one that came at once."""
    match fault:
        case Fault.TRUNCATED_ANSWER:
            text = answer_to(ask).text
            return Reply(text=text[: len(text) // 2], cut=True)
        case Fault.WRONG_TYPES:
            return _in_form(ask, {key: _wrong(value) for key, value in _object_of(ask).items()})
        case Fault.UNKNOWN_TOOL:
            return Reply(calls=(ToolUse(name=UNKNOWN_TOOL, arguments={"instrument": "BTC-USDT-PERP"}),))
        case Fault.BAD_ARGUMENTS:
            return Reply(calls=(ToolUse(name=_two_tools(ask)[0].name, arguments={"when": ["tomorrow"], "count": -3}),))
        case Fault.TWO_CALLS:
            tools = _two_tools(ask)
            return Reply(calls=tuple(ToolUse(name=tool.name, arguments=arguments_for(tool, ask)) for tool in tools))
        case Fault.EMPTY:
            return Reply()
        case Fault.REFUSAL:
            return Reply(text="I'm sorry, but I can't help with that.", refused=True)
        case Fault.FILTERED:
            return Reply(text="The best", filtered=True)
        case Fault.FENCED:
            return Reply(text=f"```json\n{answer_to(ask).text}\n```")
        case Fault.OFF_SCHEMA:
            return _in_form(ask, {"recommendation": "BUY", "conviction": "strong"})
        case Fault.LONG_TEXT:
            return Reply(text=("Markets go up and markets go down. " * LONG_TEXT_BYTES)[:LONG_TEXT_BYTES])
        case _:
            return good


def _object_of(ask: Ask) -> dict[str, Any]:
    try:
        value = json.loads(answer_to(ask).text)
    except json.JSONDecodeError:
        return {"answer": 1}
    return value if isinstance(value, dict) else {"answer": 1}


def _in_form(ask: Ask, value: dict[str, Any]) -> Reply:
    """``value`` the way an answer is wanted: as text, or as arguments of the tool that stands for the answer."""
    form = answer_form(ask)
    if form is None:
        return Reply(text=json.dumps(value))
    return Reply(calls=(ToolUse(name=form.name, arguments=value),))


def _wrong(value: object) -> object:
    match value:
        case str():
            return 7
        case list() | None:
            return "none"
        case _:
            return "high"


def _two_tools(ask: Ask) -> tuple[Offer, Offer]:
    offers = ask.offers or (Offer(name="get_quote", parameters={}),)
    return offers[0], offers[-1]
