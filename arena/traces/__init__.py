"""A decision as its run has it on record: what was asked and answered, what the gate said, what traded, what came.

Reading alone: nothing here writes, and what is read may be written to meanwhile.
"""

from arena.traces.archive import TraceArchive, UnknownDecision
from arena.traces.export import trace_document
from arena.traces.index import Entry
from arena.traces.trace import Answer, CallStep, Fill, ForecastStep, Leg, OrderStep, Outcome, ToolStep, Trace
from arena.traces.transcripts import Spoken, Transcripts

__all__ = [
    "Answer",
    "CallStep",
    "Entry",
    "Fill",
    "ForecastStep",
    "Leg",
    "OrderStep",
    "Outcome",
    "Spoken",
    "ToolStep",
    "Trace",
    "TraceArchive",
    "Transcripts",
    "UnknownDecision",
    "trace_document",
]
