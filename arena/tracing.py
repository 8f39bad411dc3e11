"""Where spans go: nowhere unless the setting ``trace`` says so, else to a file or to a collector."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from agents.llm.observe import trace_with
from arena.settings import Settings
from trading.domain.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

_OTLP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def trace_file(home: Path) -> Path:
    """Where ``trace = "file"`` writes: one span a line, as JSON, the newest last."""
    return home / "traces.jsonl"


@contextmanager
def tracing(settings: Settings) -> Iterator[None]:
    """Records spans inside the block, as the settings ask. Raises ConfigError when that cannot be done.

    ``otlp`` sends to the collector that the standard variable ``OTEL_EXPORTER_OTLP_ENDPOINT`` names.
    """
    if settings.trace == "off":
        yield
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    with _exporter(settings) as exporter:
        provider = TracerProvider(resource=Resource.create({"service.name": "tradefloor"}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace_with(provider)
        try:
            yield
        finally:
            trace_with(None)
            provider.shutdown()


@contextmanager
def _exporter(settings: Settings) -> "Iterator[SpanExporter]":
    if settings.trace == "otlp":
        try:
            module = importlib.import_module(_OTLP)
        except ModuleNotFoundError:
            raise ConfigError(
                "trace = 'otlp' needs a package that is not installed: "
                "type `.venv/bin/pip install opentelemetry-exporter-otlp-proto-http`, or use trace = 'file'"
            ) from None
        yield module.OTLPSpanExporter()
        return
    with _opened(trace_file(settings.home)) as file:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        yield ConsoleSpanExporter(out=file, formatter=_line)


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"trace = 'file': {path} cannot be written ({error.strerror}); free it or use trace = 'off'"
        ) from error


def _line(span: "ReadableSpan") -> str:
    return f"{span.to_json(indent=None)}\n"
