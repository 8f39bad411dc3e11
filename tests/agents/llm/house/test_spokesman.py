"""A house model answers by key words, from the decision that is meant, and says where a sentence is from."""

import pytest

from agents.llm.house.conversation import read_conversation
from agents.llm.house.script import reply_to
from agents.llm.house.strategies import discover_strategies
from prompts import load_prompt

STRATEGY = discover_strategies()["momentum"]
FACTS = {"instruments": [{"symbol": "BTC-USDT-PERP"}, {"symbol": "SOL-USDT-PERP"}]}


def decision(ident: str, status: str, *gate: str, rationale: str = "because") -> dict[str, object]:
    return {
        "id": ident,
        "at": f"2026-01-01T0{ident[-1]}:00:00Z",
        "status": status,
        "abstain_reason": None,
        "confidence": 0.56,
        "rationale": f"{rationale} {ident}",
        "notes": {"analyst": "the trend turned"},
        "gate": list(gate),
        "tools": ["get_quote", "get_quote", "get_risk (failed)"],
    }


DECISIONS = [
    decision("d-4", "held"),
    decision("d-3", "acted", "sell 2 SOL-USDT-PERP: resized max_order_value cut to 1"),
    decision("d-2", "acted", "buy 0.1 BTC-USDT-PERP: allowed"),
]


def answer(question: str, decisions: object = DECISIONS) -> str:
    messages = load_prompt("desk/talk").messages({"facts": FACTS, "decisions": decisions})
    read = read_conversation(
        [*messages, {"role": "user", "content": question}], tools=(), tool_choice="auto", response_format=None, seed=1
    )
    return reply_to(read, STRATEGY).content or ""


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Why did you buy?", "d-2"),
        ("why did you sell?", "d-3"),
        ("Explain the BTC position", "d-2"),
        ("What made you cut SOL?", "d-3"),
        ("Why do you hold?", "d-4"),
        ("Why did you buy DOGE?", "d-2"),
        ("What is your rationale", "d-3"),
    ],
)
def test_why_is_answered_from_the_decision_that_is_meant(question: str, meant: str) -> None:
    said = answer(question)
    assert f"[{meant}]" in said
    assert f"because {meant}" in said
    assert said.count("[d-") == 1
    assert "rule-based house model, no LLM" in said


def test_the_trace_is_told_with_the_ruling_and_what_was_looked_at() -> None:
    said = answer("Why did you sell SOL?")
    assert "Gate: sell 2 SOL-USDT-PERP: resized max_order_value cut to 1." in said
    assert "Analyst: the trend turned" in said
    assert "It had looked at get_quote, get_risk (failed)." in said


@pytest.mark.parametrize("decisions", [[], None])
def test_without_a_decision_it_gives_no_reason(decisions: object) -> None:
    said = answer("Why did you buy?", decisions)
    assert "Decision" not in said
    assert STRATEGY.summary in said


def test_what_is_fenced_in_the_prompt_is_no_question() -> None:
    """The key words stand in the slots of the prompt too: only what the person said last counts."""
    said = answer("How do you stand?", [decision("d-4", "held", rationale="why, explain, buy")])
    assert "Last decision" in said
