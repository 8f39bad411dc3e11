"""A panel asks at once, goes on without members that fail, and abstains without a quorum."""

import asyncio
import json
from time import monotonic

import pytest

from agents.brief import round_facts
from agents.consensus import Rule
from agents.llm import Completion
from agents.panel import TIME_SHARE, run_panel
from agents.turn import CallLog
from graphs import DeskTeam
from tests.agents.staging import GOOD, INTENT, ROLES, seat
from trading.domain.errors import BudgetExceeded, ConfigError, ModelFailure, ModelUnavailable

pytestmark = pytest.mark.asyncio
SEAT = seat()
HOLD = {"action": "hold", "intents": [], "confidence": 0.2, "rationale": "no"}


def said(answer):
    return Completion(
        content=answer if isinstance(answer, str) else json.dumps(answer),
        tool_requests=(),
        finish_reason="stop",
        refusal=None,
        model_answered="m",
        tokens_in=7,
        tokens_out=3,
        usd=None,
    )


async def ask(script, *, role="executor", rule=Rule.MAJORITY, deadline_s=60.0, log=None):
    """The panel of the models in ``script``: an answer, an exception to raise, or seconds to hang."""
    team = DeskTeam(name="desk", models={**dict.fromkeys(ROLES, "x/one"), role: list(script)}, seed=7)

    async def complete(request):
        line = script[request.model]
        if isinstance(line, float):
            await asyncio.sleep(min(line, request.timeout_s))
            raise ModelUnavailable("hung", reason="timeout")
        if isinstance(line, Exception):
            raise line
        return said(line)

    members = team.members[role]
    facts = round_facts(
        SEAT.brief, SEAT.tools.instruments, season="s", round_number=1, rounds=2, as_of_ms=0, source="simulated"
    )
    return await run_panel(
        members,
        {**dict.fromkeys(members[0].prompt.slots), "facts": facts},
        rule=rule,
        context=SEAT.tools,
        complete=complete,
        deadline=monotonic() + deadline_s,
        log=log or CallLog(),
    )


async def test_majority_decides_and_dissent_is_recorded():
    found = await ask({"x/a": GOOD["executor_decision"], "x/b": HOLD, "x/c": GOOD["executor_decision"]})
    assert [intent.instrument for intent in found.answer.intents] == [INTENT["instrument"]]
    (one,) = found.dissent
    assert (one.role, one.model) == ("executor", "x/b")
    assert (one.said, one.combined) == ("BTC-USDT-PERP: nothing", "BTC-USDT-PERP: buy 2")


async def test_a_member_that_fails_is_recorded_and_the_others_go_on():
    log = CallLog()
    found = await ask(
        {
            "x/a": GOOD["executor_decision"],
            "x/b": ModelUnavailable("gone", reason="rate_limited"),
            "x/c": GOOD["executor_decision"],
        },
        log=log,
    )
    assert found.answer.intents
    assert [(one.model, one.said) for one in found.dissent] == [("x/b", "abstained: rate_limited")]
    assert [(call.model_requested, call.outcome) for call in log.model_calls] == [
        ("x/a", "ok"),
        ("x/b", "rate_limited"),
        ("x/c", "ok"),
    ]


async def test_half_is_no_quorum():
    log = CallLog()
    with pytest.raises(ModelFailure, match="x/b: refused") as caught:
        await ask({"x/a": HOLD, "x/b": ModelFailure("no", reason="refused")}, log=log)
    assert caught.value.reason == "no_quorum"
    assert len(log.model_calls) == 2, "what was spent is on record all the same"


async def test_garbage_is_a_failure_of_its_member_alone():
    found = await ask({"x/a": HOLD, "x/b": "garbage", "x/c": HOLD})
    assert found.answer.action == "hold"
    assert [(one.model, one.said) for one in found.dissent] == [("x/b", "abstained: malformed_json")]


async def test_members_are_asked_at_the_same_time_and_the_slow_ones_leave_time():
    started = monotonic()
    found = await ask({"x/a": HOLD, "x/b": 30.0, "x/c": HOLD}, deadline_s=3.0)
    assert monotonic() - started < 0.6 * TIME_SHARE + 0.2
    assert [(one.model, one.said) for one in found.dissent] == [("x/b", "abstained: timeout")]


async def test_unanimity_fails_with_one_member():
    good = GOOD["executor_decision"]
    agreed = await ask({"x/a": good, "x/b": good}, rule=Rule.UNANIMOUS)
    assert agreed.answer.action == "trade"
    assert agreed.dissent == ()
    lonely = {"x/a": good, "x/b": ModelUnavailable("gone", reason="timeout"), "x/c": good}
    held = await ask(lonely, rule=Rule.UNANIMOUS)
    assert held.answer.action == "hold"


async def test_what_is_no_models_failure_ends_the_turn():
    with pytest.raises(BudgetExceeded):
        await ask({"x/a": HOLD, "x/b": BudgetExceeded("no money left"), "x/c": 30.0})


async def test_a_model_may_sit_twice_and_is_another_each_time():
    team = DeskTeam(name="desk", models={**dict.fromkeys(ROLES, "x/one"), "risk": ("x/one", "x/one")}, seed=7)
    assert [member.seed for member in team.members["risk"]] == [7, 8]
    assert team.models["risk"] == ("x/one", "x/one")
    assert team.models["analyst"] == "x/one"


async def test_an_empty_panel_is_refused():
    with pytest.raises(ConfigError, match="no model for risk"):
        DeskTeam(name="desk", models={**dict.fromkeys(ROLES, "x/one"), "risk": ()}, seed=7)
