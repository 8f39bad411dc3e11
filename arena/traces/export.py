"""A trace as a JSON document, with the words of its models where they are known."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from arena.traces.trace import Trace
from arena.traces.transcripts import Spoken
from trading.domain.instants import iso


def trace_document(trace: Trace, words: Mapping[str, Spoken]) -> dict[str, Any]:
    """Every field of the trace; ``at`` is ISO 8601, each call has ``words`` or null."""
    document = {"at": iso(trace.ts_ms), "simulated_market": trace.market == "simulated", **asdict(trace)}
    for call in document["calls"]:
        spoken = words.get(call["cassette_key"])
        call["words"] = None if spoken is None else asdict(spoken)
    for name in ("notes", "prompts", "prices", "substituted"):
        document[name] = dict(document[name])
    if document["outcome"] is not None:
        document["outcome"]["moves"] = dict(document["outcome"]["moves"])
    return document
