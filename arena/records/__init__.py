"""What runs have on record, for whoever asks over the wire: read from journals, never from a run that plays.

The API and the MCP server stand on it. Nothing here decides, changes or sends anything.
"""

from arena.records.run_record import Decided, Filled, Ordered, RunRecord
from arena.records.shelf import RecordShelf

__all__ = ["Decided", "Filled", "Ordered", "RecordShelf", "RunRecord"]
