"""What runs have on record, for whoever asks over the wire: read from journals, never from a run that plays.

The API and the MCP server stand on it. Nothing here decides, changes or sends anything.
"""

from arena.records.run_record import Decided, Filled, Ordered, RunRecord
from arena.records.shelf import RecordShelf, shelf_of
from arena.records.standpoint import DeskStand, MarketStand

__all__ = ["Decided", "DeskStand", "Filled", "MarketStand", "Ordered", "RecordShelf", "RunRecord", "shelf_of"]
