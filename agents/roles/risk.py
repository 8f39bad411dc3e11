"""Weighs the reports against the account; may object once."""

from agents.schemas import RiskReport
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="risk",
    prompt="risk/default",
    tools=("get_account", "get_positions", "get_risk", "get_limits"),
    reads=("record", "analyst", "forecaster", "objection", "feedback"),
    answer=RiskReport,
    answer_name="risk_report",
)
