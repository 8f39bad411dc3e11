"""The traces under a home folder: runs are indexed when first asked for, and what cannot change is kept."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from arena.traces.index import Entry, JournalIndex
from arena.traces.reading import read_trace
from arena.traces.trace import Trace
from arena.traces.transcripts import Spoken, Transcripts, on_cassette
from trading.domain.errors import RequestError
from trading.storage.runs import RunFolder, Runs

RUNS_KEPT = 4
TRACES_KEPT = 256


class UnknownDecision(RequestError):
    """No decision of that id is on record in the run."""


class TraceArchive:
    """Reads decisions back from the journals of a home folder. Called from many threads at once.

    ``transcripts`` are the newest words of the season that plays, where one does.
    """

    def __init__(self, home: Path, transcripts: Transcripts | None = None) -> None:
        self._runs = Runs(home)
        self._transcripts = transcripts
        self._lock = threading.RLock()
        self._indexes: OrderedDict[str, JournalIndex] = OrderedDict()
        self._traces: OrderedDict[tuple[str, str], Trace] = OrderedDict()

    def trace(self, run_id: str, decision_id: str) -> Trace:
        """A decision. Raises UnknownDecision, RequestError for a strange run, JournalError."""
        key = (run_id, decision_id)
        with self._lock:
            kept = self._traces.get(key)
            if kept is not None:
                return kept
            index = self._followed(run_id)
            entry = index.entries.get(decision_id)
            if entry is None:
                raise UnknownDecision(f"run {run_id} has no decision {decision_id[:80]!r} on record")
            found = read_trace(index, entry)
            if found.is_settled or index.run.is_finished:
                self._traces[key] = found
                while len(self._traces) > TRACES_KEPT:
                    self._traces.popitem(last=False)
            return found

    def beside(self, run_id: str, decision_id: str) -> tuple[str | None, str | None]:
        """The ids of the same desk's decision before, and of the one after; None where there is none."""
        with self._lock:
            index = self._followed(run_id)
            entry = index.entries.get(decision_id)
            return (None, None) if entry is None else index.beside(entry)

    def newest(self, run_id: str, desk: str, last: int) -> tuple[list[Entry], int]:
        """The newest decisions of a desk, newest first, and how many it has made."""
        with self._lock:
            index = self._followed(run_id)
            return index.of_desk(desk, last), index.count(desk)

    def words(self, trace: Trace) -> tuple[dict[str, Spoken], str]:
        """What is known of the decision's calls in words, by cassette key, and a sentence on where words are missing.

        The sentence is empty where nothing is missing.
        """
        keys = [call.cassette_key for call in trace.calls]
        heard = {key: self._transcripts.find(key) for key in keys} if self._transcripts is not None else {}
        found = {key: spoken for key, spoken in heard.items() if spoken is not None}
        missing = [key for key in keys if key not in found]
        trouble = None
        if missing:
            taped, trouble = on_cassette(self._runs.get(trace.run_id).cassette, missing)
            found |= taped
        return found, _missing(trace, [key for key in keys if key not in found], trouble)

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run. Raises RequestError for a stranger."""
        return self._runs.get(run_id)

    def _followed(self, run_id: str) -> JournalIndex:
        index = self._indexes.get(run_id)
        if index is None:
            index = JournalIndex(self._runs.get(run_id))
            self._indexes[run_id] = index
            while len(self._indexes) > RUNS_KEPT:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(run_id)
        index.follow()
        return index


def _missing(trace: Trace, missing: Sequence[str], trouble: str | None) -> str:
    if not missing:
        return ""
    said = f"{len(missing)} of {len(trace.calls)} calls are on record by their hash alone."
    if trouble is not None:
        return f"{said} The cassette cannot be read now: {trouble}."
    if trace.kind != "llm":
        return f"{said} Rules are not recorded: their words stay while the season plays, for the newest decisions."
    return f'{said} A season with [cassette] mode = "auto" keeps prompts and answers for good.'
