"""What each role must answer, as frozen pydantic models, and their strict JSON schemas.

No judgement about markets: only shape, bounds, and which instruments there are.
"""

from agents.schemas.analyst import AnalystReport, Signal
from agents.schemas.answer import Answer, AnswerFormat, Words, answer_format
from agents.schemas.executor import ExecutorDecision, IntentAnswer
from agents.schemas.forecaster import ForecastAnswer, ForecasterReport
from agents.schemas.reflection import Cause, LookBack, ReflectionReport
from agents.schemas.risk import RiskReport, Stance

__all__ = [
    "AnalystReport",
    "Answer",
    "AnswerFormat",
    "Cause",
    "ExecutorDecision",
    "ForecastAnswer",
    "ForecasterReport",
    "IntentAnswer",
    "LookBack",
    "ReflectionReport",
    "RiskReport",
    "Signal",
    "Stance",
    "Words",
    "answer_format",
]
