"""Decisions are read back whole from the journal of a season that was really played."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.traces import Trace, TraceArchive, Transcripts, UnknownDecision, trace_document
from arena.traces.archive import RUNS_KEPT
from tests.arena.played import ROUNDS, play
from trading.domain.errors import JournalError, RequestError
from trading.domain.event import EventKind
from trading.storage.journal import events_at, read_events, select_events
from trading.storage.runs import RunFolder


@pytest.fixture(scope="module")
def transcripts() -> Transcripts:
    return Transcripts()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, transcripts: Transcripts) -> Iterator[RunFolder]:
    return play(tmp_path_factory.mktemp("home"), transcripts=transcripts)


@pytest.fixture
def archive(run: RunFolder) -> TraceArchive:
    return TraceArchive(run.path.parent.parent)


def acted(archive: TraceArchive, run: RunFolder) -> Trace:
    """The first decision of the random desk that traded."""
    entries, _ = archive.newest(run.run_id, "random", ROUNDS)
    return archive.trace(run.run_id, next(one for one in reversed(entries) if one.status == "acted").decision_id)


def test_every_decision_of_a_desk_is_found_newest_first(archive: TraceArchive, run: RunFolder) -> None:
    entries, made = archive.newest(run.run_id, "random", ROUNDS)
    assert made == ROUNDS
    assert [one.round_index for one in entries] == list(reversed(range(ROUNDS)))
    assert archive.newest(run.run_id, "nobody", 5) == ([], 0)
    for one in entries:
        assert bool(one.action) == (one.status == "acted")


def test_a_trace_holds_what_the_journal_holds(archive: TraceArchive, run: RunFolder) -> None:
    trace = acted(archive, run)
    events = [stored.event() for stored in read_events(run.journal)]
    mine = [event for event in events if event.decision_id == trace.decision_id]
    assert len(trace.calls) == sum(event.kind is EventKind.MODEL_CALLED for event in mine)
    assert len(trace.tools) == sum(event.kind is EventKind.TOOL_CALLED for event in mine)
    assert len(trace.legs) == sum(event.kind is EventKind.INTENDED for event in mine)
    assert {call.role for call in trace.calls} == {"analyst", "forecaster", "risk", "executor"}
    assert all(call.latency_ms is not None for call in trace.calls)
    assert dict(trace.prompts).keys() == {"analyst", "forecaster", "risk", "executor"}
    assert trace.path[-1] == "gate"
    assert all(leg.ruling for leg in trace.legs)
    opened = next(e for e in events if e.kind is EventKind.ROUND_OPENED and e.payload["round"] == trace.round_index)
    assert dict(trace.prices) == {name: float(price) for name, price in opened.payload["prices"].items()}
    stored = next(one for one in read_events(run.journal) if one.seq == trace.seq)
    assert (stored.kind, stored.hash) == ("decided", trace.hash)


def test_the_outcome_is_what_its_own_fills_earned_in_six_hours(archive: TraceArchive, run: RunFolder) -> None:
    trace = acted(archive, run)
    assert trace.outcome is not None
    assert trace.outcome.horizon_ms == 6 * 3_600_000
    events = [stored.event() for stored in read_events(run.journal)]
    end_ms = trace.ts_ms + trace.outcome.horizon_ms
    then = next(e.payload["prices"] for e in events if e.kind is EventKind.ROUND_OPENED and e.ts_ms == end_ms)
    sent = {e.payload["order_id"] for e in events if e.kind is EventKind.ORDERED and e.decision_id == trace.decision_id}
    expected = 0.0
    for event in events:
        row = event.payload
        if event.kind is EventKind.FILLED and row["order_id"] in sent and row["ts_ms"] <= end_ms:
            sign = 1 if row["side"] == "buy" else -1
            gained = float(then[row["instrument"]]) - float(row["price"])
            expected += sign * float(row["quantity"]) * gained - float(row["fee"])
    assert trace.outcome.result == pytest.approx(expected, abs=1e-9)
    assert expected != 0


def test_forecasts_are_told_with_what_came(archive: TraceArchive, run: RunFolder) -> None:
    trace = acted(archive, run)
    events = [stored.event() for stored in read_events(run.journal)]
    prices = {e.ts_ms: e.payload["prices"] for e in events if e.kind is EventKind.ROUND_OPENED}
    assert trace.forecasts
    for one in trace.forecasts:
        now, then = (float(prices[at][one.instrument]) for at in (trace.ts_ms, trace.ts_ms + one.horizon_ms))
        assert one.outcome == pytest.approx(then / now - 1)


def test_what_lies_beyond_the_end_is_not_known(archive: TraceArchive, run: RunFolder) -> None:
    entries, _ = archive.newest(run.run_id, "random", 1)
    last = archive.trace(run.run_id, entries[0].decision_id)
    assert last.outcome is None
    assert not last.is_settled
    assert all(one.outcome is None for one in last.forecasts)


def test_neighbours_are_of_the_same_desk(archive: TraceArchive, run: RunFolder) -> None:
    entries, _ = archive.newest(run.run_id, "random", ROUNDS)
    ids = [one.decision_id for one in reversed(entries)]
    assert archive.beside(run.run_id, ids[0]) == (None, ids[1])
    assert archive.beside(run.run_id, ids[5]) == (ids[4], ids[6])
    assert archive.beside(run.run_id, ids[-1]) == (ids[-2], None)
    assert archive.beside(run.run_id, "rubbish") == (None, None)


def test_words_are_there_while_they_are_remembered_and_their_hash_always(
    archive: TraceArchive, run: RunFolder, transcripts: Transcripts
) -> None:
    trace = acted(archive, run)
    words, missing = archive.words(trace)
    assert words == {}
    assert f"{len(trace.calls)} of {len(trace.calls)} calls" in missing
    words, missing = TraceArchive(run.path.parent.parent, transcripts).words(trace)
    assert missing == ""
    assert words.keys() == {call.cassette_key for call in trace.calls}
    first = words[trace.calls[0].cassette_key]
    assert [one.role for one in first.messages][:1] == ["system"]
    assert first.failure is None
    assert first.answer


def test_the_export_is_plain_json(archive: TraceArchive, run: RunFolder, transcripts: Transcripts) -> None:
    trace = acted(archive, run)
    words, _ = TraceArchive(run.path.parent.parent, transcripts).words(trace)
    document = json.loads(json.dumps(trace_document(trace, words), allow_nan=False))
    assert document["decision_id"] == trace.decision_id
    assert document["simulated_market"] is True
    assert document["calls"][0]["words"]["messages"]
    assert trace_document(trace, {})["calls"][0]["words"] is None


@pytest.mark.parametrize("rubbish", ["", "x", "../../etc/passwd", "d-" + "f" * 5_000, "' OR 1=1 --"])
def test_rubbish_is_refused_in_one_line(archive: TraceArchive, run: RunFolder, rubbish: str) -> None:
    with pytest.raises(UnknownDecision) as refused:
        archive.trace(run.run_id, rubbish)
    assert "\n" not in str(refused.value)
    with pytest.raises(RequestError):
        archive.trace(rubbish, "d-1")


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "broken-1"
    folder.mkdir(parents=True)
    with pytest.raises(JournalError, match="no journal"):
        TraceArchive(tmp_path).trace("broken-1", "d-1")
    (folder / "journal.sqlite").write_bytes(b"no journal at all" * 500)
    with pytest.raises(JournalError):
        TraceArchive(tmp_path).trace("broken-1", "d-1")


def test_a_selection_is_the_part_that_was_asked_for(run: RunFolder) -> None:
    whole = list(read_events(run.journal))
    assert select_events(run.journal) == whole
    assert select_events(run.journal, after=10, until=20) == whole[10:20]
    decided = select_events(run.journal, kinds=(EventKind.DECIDED,), most=3)
    assert decided == [one for one in whole if one.kind == "decided"][:3]


def test_events_that_are_named_are_found(run: RunFolder) -> None:
    whole = list(read_events(run.journal))
    assert events_at(run.journal, [12, 3, len(whole) + 5, 3]) == [whole[2], whole[11]]
    assert events_at(run.journal, []) == []
    with pytest.raises(JournalError, match="no journal"):
        events_at(run.journal.with_name("nothing.sqlite"), [1])


def test_only_so_many_runs_are_kept(run: RunFolder, archive: TraceArchive) -> None:
    for number in range(RUNS_KEPT + 2):
        folder = run.path.parent / f"other-{number}"
        folder.mkdir(exist_ok=True)
        (folder / "journal.sqlite").write_bytes(run.journal.read_bytes())
        archive.newest(folder.name, "random", 1)
    assert len(archive._indexes) == RUNS_KEPT
    assert archive.newest(run.run_id, "random", 1)[1] == ROUNDS
