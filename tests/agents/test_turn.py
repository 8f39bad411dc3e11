"""One turn of a role: bounded, and a typed failure at worst, whatever the model says."""

import asyncio
import json
from contextlib import suppress
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.brief import round_facts
from agents.llm import Completion, ToolRequest
from agents.schemas import ExecutorDecision
from agents.turn import MAX_TOOL_ROUNDS, CallLog, run_role
from tests.agents.staging import GOOD, seat, team
from trading.domain.errors import ModelFailure, ModelUnavailable

WORDS = st.text(max_size=40) | st.sampled_from(
    ["{}", "null", "[]", "NaN", '{"action":"trade"}', json.dumps({"a": 1e999})]
)
CALLS = st.builds(
    ToolRequest,
    call_id=st.text(max_size=4),
    name=st.sampled_from(["get_quote", "get_account", "get_positions", "propose_order", "nonsense", ""]),
    arguments_json=WORDS,
)
COMPLETIONS = st.builds(
    Completion,
    content=WORDS | st.just(json.dumps(GOOD["executor_decision"])),
    tool_requests=st.lists(CALLS, max_size=3).map(tuple),
    finish_reason=st.just("stop"),
    refusal=st.none() | st.text(min_size=1, max_size=5),
    model_answered=st.none() | st.just("x"),
    tokens_in=st.none(),
    tokens_out=st.none(),
    usd=st.none(),
)
SEAT = seat()
TEAM = team("staged/x")


def facts():
    return round_facts(
        SEAT.brief, SEAT.tools.instruments, season="s", round_number=1, rounds=2, as_of_ms=0, source="simulated"
    )


async def speak(lines, log):
    left = list(lines)

    async def complete(_):
        return left.pop(0)

    agent = TEAM.agents["executor"]
    slots = {**dict.fromkeys(agent.prompt.slots), "facts": facts()}
    return await run_role(agent, slots, context=SEAT.tools, complete=complete, deadline=monotonic() + 60, log=log)


@settings(max_examples=150, deadline=None)
@given(st.lists(COMPLETIONS, min_size=MAX_TOOL_ROUNDS + 2, max_size=MAX_TOOL_ROUNDS + 2))
def test_any_replies_end_in_an_answer_or_a_typed_failure(lines):
    log = CallLog()
    answer = None
    with suppress(ModelFailure):
        answer = asyncio.run(speak(lines, log))
    assert answer is None or isinstance(answer, ExecutorDecision)
    assert 1 <= len(log.model_calls) <= MAX_TOOL_ROUNDS + 2
    assert [call.attempt for call in log.model_calls] == list(range(len(log.model_calls)))
    assert len({call.prompt_sha256 for call in log.model_calls}) == len(log.model_calls), "each call says more"


@pytest.mark.asyncio
async def test_after_the_deadline_a_request_has_no_time_left():
    """It is made all the same: only so is what came of it on a cassette."""

    async def complete(request):
        assert request.timeout_s <= 0
        raise ModelUnavailable("no time left", reason="timeout")

    log = CallLog()
    agent = TEAM.agents["executor"]
    slots = {**dict.fromkeys(agent.prompt.slots), "facts": facts()}
    with pytest.raises(ModelFailure) as caught:
        await run_role(agent, slots, context=SEAT.tools, complete=complete, deadline=monotonic() - 1, log=log)
    assert caught.value.reason == "timeout"
    assert [call.outcome for call in log.model_calls] == ["timeout"]
