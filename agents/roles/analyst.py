"""Reads the market and scores each instrument."""

from agents.schemas import AnalystReport
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="analyst",
    prompt="analyst/production",
    tools=(
        "get_quote",
        "get_candles",
        "get_indicators",
        "get_market_snapshot",
        "get_features",
        "get_regime",
        "get_anomalies",
    ),
    reads=("record", "objection", "feedback"),
    answer=AnalystReport,
    answer_name="analyst_report",
    memory_tools=("recall_similar", "recall_lessons"),
)
