"""The runs of a home folder, opened once and kept open: the same record for everybody who asks."""

import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

from arena.records.run_record import RunRecord
from arena.records.standpoint import MarketStand, sources_of
from arena.settings import Settings
from trading.sentiment import Sources
from trading.storage.runs import RunFolder, Runs

MOST_OPEN = 4
"""So many runs are held in memory; the one that was asked for longest ago goes first."""


class RecordShelf:
    """Run records by id. Any thread may ask."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open: OrderedDict[str, RunRecord] = OrderedDict()
        self._markets: OrderedDict[str, MarketStand] = OrderedDict()
        self._sources: OrderedDict[str, Sources] = OrderedDict()
        self._lock = threading.Lock()

    def folder(self, run_id: str) -> RunFolder:
        """A run's folder. Raises RequestError when there is none."""
        return Runs(self._home).get(run_id)

    def latest(self) -> RunFolder:
        """The run worked on last. Raises RequestError when there is none."""
        return Runs(self._home).latest()

    def record(self, run_id: str) -> RunRecord:
        """A run as its journal tells it now. Raises RequestError for a stranger, JournalError."""
        with self._lock:
            record = self._open.get(run_id)
            if record is None:
                record = self._open[run_id] = RunRecord(self.folder(run_id))
                while len(self._open) > MOST_OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(run_id)
        record.refresh()
        return record

    def market(self, run_id: str, settings: Settings) -> MarketStand:
        """The market of a run, read once. Raises RequestError for a run whose candles are not there."""
        with self._lock:
            found = self._markets.get(run_id)
            if found is None:
                found = self._markets[run_id] = MarketStand(self.folder(run_id), settings)
                while len(self._markets) > MOST_OPEN:
                    self._markets.popitem(last=False)
        return found

    def sources(self, run_id: str, settings: Settings) -> Sources:
        """The recorded sentiment and news of a run, read once; empty where it names none.

        Raises RequestError for a stranger and for files that are no longer those it was played on, DataError.
        """
        with self._lock:
            found = self._sources.get(run_id)
            if found is None:
                found = self._sources[run_id] = sources_of(self.folder(run_id), settings)
                while len(self._sources) > MOST_OPEN:
                    self._sources.popitem(last=False)
        return found


@lru_cache(maxsize=8)
def shelf_of(home: Path) -> RecordShelf:
    """The shelf of a home folder, shared by everything in this process."""
    return RecordShelf(home)
