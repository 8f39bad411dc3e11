"""Telemetry: measured latencies by id, beside the journal."""

import pytest

from trading.domain.errors import JournalError
from trading.storage.journal import Telemetry


def test_measurements_are_kept_by_kind_and_id(tmp_path):
    telemetry = Telemetry(tmp_path / "run" / "telemetry.sqlite")
    telemetry.record("decision", "d-1", 12.5)
    telemetry.record("model_call", "d-1", 3.0)
    assert telemetry.latencies("decision") == {}, "not before it is committed"
    telemetry.commit()
    telemetry.record("decision", "d-1", 13.5)
    telemetry.record("decision", "d-2", 1.0)
    telemetry.close()
    again = Telemetry(tmp_path / "run" / "telemetry.sqlite")
    assert again.latencies("decision") == {"d-1": 13.5, "d-2": 1.0}
    assert again.latency("model_call", "d-1") == 3.0
    assert again.latency("model_call", "d-2") is None
    assert again.latencies("nonsense") == {}
    again.close()


def test_a_damaged_file_says_that_it_can_go(tmp_path):
    path = tmp_path / "telemetry.sqlite"
    path.write_text("no database at all, only words that go on for a while\n" * 40)
    with pytest.raises(JournalError, match="remove it"):
        Telemetry(path)
