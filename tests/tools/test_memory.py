"""The tools of memory: what they say without memory, and that their answers are bounded and fenced."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from memory import DeskMemory
from tests.memory.conftest import make_episode
from tools.context import ToolContext
from tools.registry import MAX_RESULT_BYTES, run_tool

TOOLS = ("recall_similar", "recall_lessons", "my_record", "open_plans")
MakeContext = Callable[..., ToolContext]


@pytest.mark.parametrize("name", TOOLS)
def test_a_desk_without_memory_or_whose_memory_is_lost_is_told_so(make_context: MakeContext, name: str) -> None:
    for memory, told in (
        (None, "has no trade memory"),
        ("Chroma cannot be used", "unavailable: Chroma cannot be used"),
    ):
        outcome = run_tool(name, "{}", make_context(memory=memory), frozenset(TOOLS))
        assert outcome.outcome == "unavailable"
        assert told in outcome.content


def test_what_is_recalled_is_bounded_and_names_what_is_not_to_be_trusted(make_context: MakeContext) -> None:
    context = make_context()
    assert isinstance(context.memory, DeskMemory)
    state = context.memory.states()["BTC-USDT-PERP"]
    for number in range(20):
        episode = make_episode(
            100 + number, desk="test", state=state, text="x" * 400, decided_ms=context.view.as_of_ms - 10**9 + number
        )
        context.memory.shelves.add(episode)
    outcome = run_tool("recall_similar", '{"count": 10, "text": "x"}', context, frozenset(TOOLS))
    assert outcome.outcome == "ok"
    assert len(outcome.content.encode()) <= MAX_RESULT_BYTES
    row = next(r for r in json.loads(outcome.content)["recollections"] if r["instrument"] == "BTC-USDT-PERP")
    assert row["episodes"][0]["untrusted_note"] == "x" * 400
    assert row["episodes"][0]["net_return"] is None or row["episodes"][0]["closed_at"] < context.as_of


def test_nothing_comparable_is_said(make_context: MakeContext) -> None:
    context = make_context()
    assert isinstance(context.memory, DeskMemory)
    far = replace(context.memory, states=lambda: {"BTC-USDT-PERP": (4.0,) * 11})
    asked = '{"instruments": ["BTC-USDT-PERP"]}'
    found = json.loads(run_tool("recall_similar", asked, replace(context, memory=far), frozenset(TOOLS)).content)
    assert found["note"] == "nothing comparable for BTC-USDT-PERP"
    assert found["recollections"][0]["comparable"] == 0
    assert found["recollections"][0]["move"] is None


@pytest.mark.parametrize(
    "wrong", ['{"count": 0}', '{"count": 99}', '{"text": 7, "depth": 1}', '{"text": "' + "y" * 400 + '"}']
)
def test_rubbish_is_refused(make_context: MakeContext, wrong: str) -> None:
    assert run_tool("recall_similar", wrong, make_context(), frozenset(TOOLS)).outcome == "bad_arguments"
