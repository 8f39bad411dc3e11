"""Weighs the reports against the account; may object once."""

from agents.schemas import RiskReport
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="risk",
    prompt="risk/production",
    tools=("get_account", "get_positions", "get_risk", "get_limits", "get_regime", "get_anomalies", "get_correlations"),
    reads=("record", "analyst", "forecaster", "objection", "feedback"),
    answer=RiskReport,
    answer_name="risk_report",
    memory_tools=("my_record", "open_plans", "recall_lessons"),
)
