"""Whole desks on makers that fail: acted, held or abstained with a reason, and nobody credited for another."""

import asyncio
from dataclasses import replace
from time import monotonic

import pytest

from graphs import DeskGraph, DeskTeam
from tests.agents.llm.wire.desk import MODELS, gateway
from tests.agents.staging import ROLES, seat
from tests.wire import Fault, FaultPlan
from trading.domain import DecisionStatus

pytestmark = pytest.mark.asyncio(loop_scope="module")
WEATHER = sorted(frozenset(Fault) - {Fault.HANG, Fault.RATE_LIMITED_RETRY_AFTER})


def team(maker, *, name="desk", fallbacks=(), seed=7):
    return DeskTeam(name=name, models=dict.fromkeys(ROLES, MODELS[maker]), seed=seed, fallbacks=fallbacks)


async def decide(desks, *, deadline_s=20.0):
    graph = DeskGraph(None, "exit", gateway().complete)
    place = seat(deadline_s=deadline_s)
    return await asyncio.gather(*(graph.decide(desk, replace(place, decision_id=desk.name)) for desk in desks))


@pytest.mark.parametrize("maker", sorted(MODELS))
async def test_a_clean_decision_is_at_most_six_calls_deep(makers, maker):
    (decision,) = await decide([team(maker)])
    assert decision.status in (DecisionStatus.ACTED, DecisionStatus.HELD), decision.notes
    by_role = {role: sum(call.role == role for call in decision.model_calls) for role in ROLES}
    assert max(by_role["analyst"], by_role["forecaster"]) + by_role["risk"] + by_role["executor"] <= 6
    assert decision.substituted == ()


async def test_under_weather_every_decision_ends_as_one_and_none_is_credited_to_another(makers):
    for maker in makers.values():
        maker.faults = FaultPlan.seeded(0.2, seed=5, faults=WEATHER)
    desks = [team(maker, name=f"{maker}-{seed}", seed=seed) for maker in MODELS for seed in range(5)]
    for desk, decision in zip(desks, await decide(desks), strict=True):
        assert (decision.status is DecisionStatus.ABSTAINED) == bool(decision.abstain_reason)
        assert "internal_error" not in (decision.abstain_reason or ""), decision.notes
        assert decision.substituted == ()
        assert {call.model_requested for call in decision.model_calls} == {desk.models["analyst"]}
        assert {call.substitute for call in decision.model_calls} == {None}


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.EMPTY, Fault.OFF_SCHEMA, Fault.BAD_KEY, Fault.TRUNCATED_BODY]
)
async def test_with_one_maker_out_its_desks_abstain_and_the_others_go_on(makers, fault):
    makers["openai"].faults = FaultPlan.always(fault)
    others = [maker for maker in MODELS if maker != "openai"]
    decisions = await decide([team(maker, name=maker) for maker in ["openai", *others]])
    assert decisions[0].status is DecisionStatus.ABSTAINED
    assert decisions[0].abstain_reason.startswith("analyst: ")
    assert decisions[0].intents == ()
    assert all(decision.status is not DecisionStatus.ABSTAINED for decision in decisions[1:])


async def test_a_declared_substitute_decides_and_is_named_for_every_role(makers):
    makers["gemini"].faults = FaultPlan.always(Fault.OVERLOADED)
    (decision,) = await decide([team("gemini", fallbacks=(MODELS["openai"],))])
    assert decision.status is not DecisionStatus.ABSTAINED, decision.notes
    assert set(decision.substituted) == {(role, MODELS["openai"]) for role in ROLES}


async def test_hangs_cost_their_deadlines_and_nothing_more(makers):
    await decide([team("ollama")])  # so that the maker's code is loaded
    makers["ollama"].faults = FaultPlan.always(Fault.HANG)
    desks = [team("ollama", name=str(number), seed=number) for number in range(5)]
    took = []
    for _ in range(3):  # a machine at work on other tests may be slow once
        started = monotonic()
        decisions = await decide(desks, deadline_s=0.5)
        took.append(monotonic() - started)
        assert {decision.abstain_reason for decision in decisions} == {"analyst: timeout"}
    assert min(took) < 2.0
