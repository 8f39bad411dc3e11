"""Reads the market and scores each instrument."""

from agents.schemas import AnalystReport
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="analyst",
    prompt="analyst/default",
    tools=("get_quote", "get_candles", "get_indicators"),
    reads=("record", "objection", "feedback"),
    answer=AnalystReport,
    answer_name="analyst_report",
)
