"""Meters of a running arena, for Prometheus: calls, tokens, dollars, latency, retries, failovers, abstentions.

They read what was decided, attempt by attempt, so they agree with the journal; what is not known is never counted as 0.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from trading.domain import Decision, ModelCall, ToolCall

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
_ANSWERED = "ok"
_OVERTAKEN = "overtaken"


class Meters:
    """Counters and histograms under ``tradefloor_``, in a registry of their own. Any thread may count and read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = self._counter("llm_calls", "Attempts at models", "model", "outcome")
        self._tokens = self._counter("llm_tokens", "Tokens used, where the provider told", "model", "direction")
        self._usd = self._counter("llm_usd", "Dollars spent, where the price is known", "model")
        self._unpriced = self._counter("llm_unpriced_calls", "Attempts whose price is not known", "model")
        self._retries = self._counter("llm_retries", "Attempts after the first at the same model", "model")
        self._hedges = self._counter("llm_hedges", "Second requests to models that took long", "model")
        self._failovers = self._counter("llm_failovers", "Answers by a declared fallback", "model", "substitute")
        self._call_seconds = self._histogram("llm_call_seconds", "Time of an attempt", "model")
        self._tool_calls = self._counter("tool_calls", "Calls of tools", "tool", "outcome")
        self._decisions = self._counter("decisions", "Decisions", "desk", "status")
        self._abstentions = self._counter("abstentions", "Decisions that failed, by role and reason", "desk", "reason")
        self._dissent = self._counter("panel_dissent", "Members of panels that said otherwise or nothing", "model")
        self._decision_seconds = self._histogram("decision_seconds", "Time of a decision", "desk")

    def count(self, decision: Decision) -> None:
        """Take a decision in, with everything that led to it."""
        self.count_calls(decision.model_calls, decision.tool_calls)
        self._decisions.labels(decision.desk, decision.status.value).inc()
        if decision.abstain_reason is not None:
            self._abstentions.labels(decision.desk, decision.abstain_reason).inc()
        for one in decision.dissent:
            self._dissent.labels(one.model).inc()
        self._decision_seconds.labels(decision.desk).observe(decision.latency_ms / 1000)

    def count_calls(self, model_calls: Sequence[ModelCall], tool_calls: Iterable[ToolCall]) -> None:
        """Take in calls that belong together: those of a decision or of a conversation."""
        for call in model_calls:
            self._count_attempt(call, call.substitute or call.model_requested)
        self._count_repeats(model_calls)
        for tool in tool_calls:
            self._tool_calls.labels(tool.tool if tool.outcome != "unknown_tool" else "unknown", tool.outcome).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format (:data:`MEDIA_TYPE`)."""
        return generate_latest(self.registry)

    def _count_attempt(self, call: ModelCall, model: str) -> None:
        self._calls.labels(model, call.outcome).inc()
        for direction, tokens in (("in", call.tokens_in), ("out", call.tokens_out)):
            if tokens is not None:
                self._tokens.labels(model, direction).inc(tokens)
        if call.usd is None:
            self._unpriced.labels(model).inc()
        else:
            self._usd.labels(model).inc(call.usd)
        self._call_seconds.labels(model).observe(call.latency_ms / 1000)

    def _count_repeats(self, calls: Sequence[ModelCall]) -> None:
        """Attempts share the key of the request that they serve."""
        tries = Tally((call.cassette_key, call.substitute or call.model_requested) for call in calls)
        for call in calls:
            if call.outcome == _OVERTAKEN:
                model = call.substitute or call.model_requested
                tries[call.cassette_key, model] -= 1
                self._hedges.labels(model).inc()
            if call.substitute is not None and call.outcome == _ANSWERED:
                self._failovers.labels(call.model_requested, call.substitute).inc()
        for (_, model), times in tries.items():
            if times > 1:
                self._retries.labels(model).inc(times - 1)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"tradefloor_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"tradefloor_{name}", text, labels, buckets=_SECONDS, registry=self.registry)
