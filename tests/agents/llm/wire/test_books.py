"""The gateway's books agree with the makers' own, under faults, in parallel, and with substitutes."""

import asyncio

import pytest

from agents.llm import Gateway, Limiter, complete
from agents.llm.catalogue import Catalogue
from agents.llm.retry import Retry
from agents.schemas import Answer
from agents.turn import CallLog
from tests.agents.llm.wire.desk import MODELS, gateway, turn
from tests.wire import Fault, FaultPlan
from trading.domain.errors import ModelFailure

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUICK = frozenset(Fault) - {Fault.HANG, Fault.RATE_LIMITED_RETRY_AFTER}
UNTOLD = {"gemini": frozenset({Fault.REFUSAL, Fault.FILTERED})}
"""LiteLLM passes on neither the cache's share nor the thinking of an answer that Gemini blocks."""


@pytest.mark.parametrize("maker", sorted(MODELS))
async def test_tokens_and_dollars_are_the_makers_own_under_faults(makers, maker):
    faults = sorted(QUICK - UNTOLD.get(maker, frozenset()))
    makers[maker].faults = FaultPlan.seeded(0.2, seed=3, faults=faults)
    through = gateway()
    logs = [CallLog() for _ in range(24)]
    roles = ("analyst", "forecaster", "risk", "executor")
    ends = await asyncio.gather(
        *(turn(maker, role=roles[number % 4], log=log, through=through) for number, log in enumerate(logs)),
        return_exceptions=True,
    )
    assert all(isinstance(end, Answer | ModelFailure) for end in ends), "nothing else may come out of a turn"
    calls = [call for log in logs for call in log.model_calls]
    totals = makers[maker].ledger.totals()
    assert len(calls) == len(makers[maker].ledger.calls)
    assert any(call.outcome != "ok" for call in calls)
    assert sum(call.tokens_in or 0 for call in calls) == totals.tokens_in
    assert sum(call.tokens_out or 0 for call in calls) == totals.tokens_out
    assert sum(call.usd or 0.0 for call in calls) == pytest.approx(totals.usd, abs=1e-12)


async def test_dollars_include_what_was_read_from_the_prompt_cache(makers):
    log = CallLog()
    await turn("openai", log=log)
    totals = makers["openai"].ledger.totals()
    assert totals.cached > 0
    assert sum(call.usd for call in log.model_calls) == pytest.approx(totals.usd, abs=1e-12)


async def test_an_outage_of_one_maker_is_taken_over_by_the_fallback_and_named(makers):
    makers["openai"].faults = FaultPlan.always(Fault.SERVER_ERROR)
    log = CallLog()
    await turn("openai", log=log, fallbacks=(MODELS["anthropic"],))
    assert {call.model_requested for call in log.model_calls} == {MODELS["openai"]}
    answered = [call for call in log.model_calls if call.outcome == "ok"]
    assert {(call.substitute, call.model_answered) for call in answered} == {(MODELS["anthropic"], "claude-haiku-5-5")}
    assert {call.substitute for call in log.model_calls if call.outcome == "unavailable"} == {None}
    with pytest.raises(ModelFailure):
        await turn("openai")
    assert len(makers["anthropic"].ledger.calls) == len(answered), "nobody else's answer without a declaration"


async def test_no_more_calls_are_under_way_than_the_provider_may_have(makers):
    narrow = Catalogue.parse("[defaults]\nconcurrency = 3\nrequests_per_minute = 60_000\nconnect_s = 5\nread_s = 5\n")
    through = Gateway(complete, narrow, Limiter(), retry=Retry())
    makers["openai"].latency_s = 0.05
    await asyncio.gather(*(turn("openai", through=through, seed=seed) for seed in range(8)))
    assert makers["openai"].ledger.peak_in_flight() == 3


async def test_a_price_that_nobody_knows_is_none(makers, monkeypatch):
    monkeypatch.setitem(MODELS, "openai", "openai/gpt-of-tomorrow")
    log = CallLog()
    await turn("openai", log=log)
    assert {call.usd for call in log.model_calls} == {None}
    assert all(call.tokens_in > 0 for call in log.model_calls)
