"""Says how returns may turn out, as probabilities."""

from agents.schemas import ForecasterReport
from agents.spec import AgentSpec

SPEC = AgentSpec(
    role="forecaster",
    prompt="forecaster/production",
    tools=("get_forecast", "get_candles"),
    reads=("record", "objection", "feedback"),
    answer=ForecasterReport,
    answer_name="forecaster_report",
    memory_tools=("recall_similar",),
)
