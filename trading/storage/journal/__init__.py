"""The append-only, hash-chained record of everything that happened, and the telemetry beside it.

Writing, reading, sealing and exporting; what the events mean for accounts is the ledger's business.
"""

from trading.storage.journal.chain import GENESIS, StoredEvent, canonical_json, event_hash
from trading.storage.journal.reader import ChainReport, read_events, read_verified, verify_chain
from trading.storage.journal.selection import events_at, select_events
from trading.storage.journal.telemetry import Telemetry
from trading.storage.journal.writer import Journal, JournalSink, NullJournal

__all__ = [
    "GENESIS",
    "ChainReport",
    "Journal",
    "JournalSink",
    "NullJournal",
    "StoredEvent",
    "Telemetry",
    "canonical_json",
    "event_hash",
    "events_at",
    "read_events",
    "read_verified",
    "select_events",
    "verify_chain",
]
