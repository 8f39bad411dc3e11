"""Decides what to trade: the only role that may propose an order."""

from agents.schemas import ExecutorDecision
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="executor",
    prompt="executor/production",
    tools=("get_account", "get_positions", "get_quote", "propose_order"),
    reads=("record", "analyst", "forecaster", "risk", "revision", "feedback"),
    answer=ExecutorDecision,
    answer_name="executor_decision",
    memory_tools=("recall_similar", "recall_lessons", "my_record", "open_plans"),
)
