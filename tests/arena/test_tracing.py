"""Spans go nowhere unless a person asked for them."""

import json

import pytest

from agents.llm import observe
from arena.settings import Settings
from arena.tracing import trace_file, tracing
from trading.domain.errors import ConfigError


def one_span(settings: Settings) -> None:
    with tracing(settings), observe.span("chat somebody", {"gen_ai.operation.name": "chat"}):
        pass


def test_nothing_is_written_by_default(tmp_path):
    settings = Settings.load({"home": tmp_path})
    assert settings.trace == "off"
    one_span(settings)
    assert list(tmp_path.iterdir()) == []


def test_file_has_a_line_for_each_span_and_grows(tmp_path):
    settings = Settings.load({"home": tmp_path / "home", "trace": "file"})
    one_span(settings)
    one_span(settings)
    rows = [json.loads(line) for line in trace_file(settings.home).read_text().splitlines()]
    assert [row["name"] for row in rows] == ["chat somebody"] * 2
    assert rows[0]["resource"]["attributes"]["service.name"] == "tradefloor"
    assert observe.span("after", {}) is observe.span("it", {}), "nothing is recorded afterwards"


def test_file_that_cannot_be_written_is_told_of(tmp_path):
    (tmp_path / "traces.jsonl").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        one_span(Settings.load({"home": tmp_path, "trace": "file"}))


def test_collector_without_its_package_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr("arena.tracing._OTLP", "a_package_that_is_not_there")
    with pytest.raises(ConfigError, match="pip install opentelemetry-exporter-otlp-proto-http"):
        one_span(Settings.load({"home": tmp_path, "trace": "otlp"}))


def test_unknown_place_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="trace"):
        Settings.load({"home": tmp_path, "trace": "everywhere"})
