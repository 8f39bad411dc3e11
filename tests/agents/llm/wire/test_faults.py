"""Every fault on every wire format: it passes, it is mended, or the turn ends with the reason."""

import asyncio
import gc
from copy import deepcopy
from dataclasses import replace

import pytest

from agents.llm import CompletionRequest, complete
from agents.roles import discover_roles
from agents.schemas import Answer
from agents.turn import CallLog
from tests.agents.llm.wire.desk import MODELS, gateway, turn
from tests.wire import Fault, FaultPlan
from tools.registry import discover, openai_schema
from trading.domain.errors import ModelFailure

pytestmark = pytest.mark.asyncio(loop_scope="module")
WIRES = sorted(MODELS)


def request(maker, **how):
    """What an executor asks of the maker's model."""
    spec = discover_roles()["executor"]
    asked = CompletionRequest(
        model=MODELS[maker],
        messages=[{"role": "system", "content": "You decide."}, {"role": "user", "content": "Go."}],
        tools=[openai_schema(discover()[name]) for name in spec.tools],
        tool_choice="auto",
        response_format=spec.answer_format.response_format,
        seed=1,
        timeout_s=5.0,
        prompt_sha256="p",
        tools_sha256="t",
    )
    return replace(asked, **how)


async def end_of(maker, log, **how):
    """The answer's class name, or the reason of the failure."""
    try:
        answer = await turn(maker, log=log, **how)
    except ModelFailure as failure:
        return failure.reason
    return "answer" if isinstance(answer, Answer) else "nonsense"


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize("role", ["analyst", "forecaster", "risk", "executor"])
async def test_every_role_gets_its_tools_and_gives_its_answer(makers, maker, role):
    log = CallLog()
    assert await end_of(maker, log, role=role) == "answer"
    assert [call.outcome for call in log.model_calls] == ["ok"] * 2
    assert {call.outcome for call in log.tool_calls} == {"ok"}
    assert makers[maker].ledger.refused == ()


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize("method", ["schema", "tool", "text"])
@pytest.mark.parametrize("tool_choice", ["auto", "none"])
async def test_a_call_leaves_its_request_as_it_was(makers, maker, method, tool_choice):
    asked = request(maker, tool_choice=tool_choice, method=method)
    before = deepcopy(asked)
    await complete(asked)
    assert asked == before


@pytest.mark.parametrize("maker", WIRES)
async def test_a_deadline_that_falls_while_a_request_is_prepared_is_a_time_out_and_nothing_more(makers, maker):
    await complete(request(maker))  # so that its code is loaded
    for timeout_s in (0.0, 1e-4, 5e-4, 1e-3):
        with pytest.raises(ModelFailure, match="no answer within"):
            await complete(request(maker, timeout_s=timeout_s))
    await asyncio.sleep(0.1)  # the thread that prepares goes on to its end
    gc.collect()  # what nobody awaited is told of here, and a warning fails the test


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.RATE_LIMITED, "rate_limited"),
        (Fault.RATE_LIMITED_RETRY_AFTER, "rate_limited"),
        (Fault.SERVER_ERROR, "unavailable"),
        (Fault.UNAVAILABLE, "unavailable"),
        (Fault.OVERLOADED, "unavailable"),
        (Fault.ERROR_IN_200, None),
        (Fault.RESET, "unavailable"),
        (Fault.TRUNCATED_BODY, "garbled"),
    ],
)
async def test_what_passes_is_asked_again_and_both_attempts_are_on_record(makers, maker, fault, outcome):
    makers[maker].faults = FaultPlan([fault])
    log, waits = CallLog(), []

    async def sleep(seconds):
        waits.append(seconds)

    assert await end_of(maker, log, through=gateway(sleep=sleep)) == "answer"
    assert len(log.model_calls) == 3
    assert log.model_calls[0].outcome in ({outcome} if outcome else {"unavailable", "garbled"})
    is_refused_with_status = fault not in {Fault.ERROR_IN_200, Fault.RESET, Fault.TRUNCATED_BODY}
    assert log.model_calls[0].tokens_in == (0 if is_refused_with_status else None)
    assert (waits[0] >= 1.0) == (fault is Fault.RATE_LIMITED_RETRY_AFTER)


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize(
    ("fault", "reason", "sent"),
    [
        (Fault.BAD_KEY, "auth", 1),
        (Fault.UNKNOWN_MODEL, "unknown_model", 1),
        (Fault.SERVER_ERROR, "unavailable", 3),
        (Fault.RATE_LIMITED, "rate_limited", 3),
        (Fault.TRUNCATED_BODY, "garbled", 3),
    ],
)
async def test_what_lasts_ends_the_turn_with_its_reason(makers, maker, fault, reason, sent):
    makers[maker].faults = FaultPlan.always(fault)
    log = CallLog()
    assert await end_of(maker, log) == reason
    assert [call.outcome for call in log.model_calls] == [reason] * sent
    assert len(makers[maker].ledger.calls) == sent


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize(
    "fault",
    [
        Fault.TRUNCATED_ANSWER,
        Fault.WRONG_TYPES,
        Fault.UNKNOWN_TOOL,
        Fault.BAD_ARGUMENTS,
        Fault.TWO_CALLS,
        Fault.EMPTY,
        Fault.FENCED,
        Fault.OFF_SCHEMA,
        Fault.LONG_TEXT,
    ],
)
async def test_a_bad_message_is_mended_by_what_it_is_told(makers, maker, fault):
    for script in ([fault], [None, fault]):
        makers[maker].faults = FaultPlan(script)
        log = CallLog()
        assert await end_of(maker, log) == "answer"
        assert len(log.model_calls) <= 4


@pytest.mark.parametrize("maker", WIRES)
@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault.TRUNCATED_ANSWER, {"malformed_json"}),
        (Fault.WRONG_TYPES, {"invalid_answer"}),
        (Fault.OFF_SCHEMA, {"invalid_answer"}),
        (Fault.EMPTY, {"empty"}),
        (Fault.LONG_TEXT, {"too_long"}),
        (Fault.UNKNOWN_TOOL, {"tool_loop"}),
        (Fault.REFUSAL, {"refused", "malformed_json"}),
    ],
)
async def test_nothing_but_bad_messages_is_an_abstention_with_the_reason(makers, maker, fault, reasons):
    makers[maker].faults = FaultPlan.always(fault)
    log = CallLog()
    assert await end_of(maker, log) in reasons
    assert len(log.model_calls) <= 5


@pytest.mark.parametrize("maker", WIRES)
async def test_a_hang_costs_its_deadline_and_nothing_more(makers, maker):
    makers[maker].faults = FaultPlan.always(Fault.HANG)
    started = asyncio.get_running_loop().time()
    log = CallLog()
    assert await end_of(maker, log, within_s=0.5) == "timeout"
    assert asyncio.get_running_loop().time() - started < 1.5
    assert [(call.outcome, call.tokens_in) for call in log.model_calls] == [("timeout", None)]


@pytest.mark.parametrize("maker", WIRES)
async def test_a_form_that_the_provider_refuses_is_replaced_by_another(makers, maker):
    makers[maker].faults = FaultPlan([Fault.BAD_REQUEST])
    log = CallLog()
    assert await end_of(maker, log) == "answer"
    assert [call.outcome for call in log.model_calls] == ["bad_request", "ok", "ok"]


@pytest.mark.parametrize("maker", WIRES)
async def test_nobody_listening_is_told_and_costs_nothing(makers, maker, monkeypatch):
    for name in makers[maker].environment:
        if "BASE" in name:
            monkeypatch.setenv(name, "http://127.0.0.1:9")
    log = CallLog()
    assert await end_of(maker, log) == "unavailable"
    assert [(call.outcome, call.usd) for call in log.model_calls] == [("unavailable", 0.0)] * 3


async def test_keys_are_in_no_failure(makers):
    for maker in WIRES:
        makers[maker].faults = FaultPlan.always(Fault.BAD_KEY)
        with pytest.raises(ModelFailure) as caught:
            await turn(maker)
        told = f"{caught.value} {caught.value.attempts}"
        assert not any(other.api_key and other.api_key in told for other in makers.values())
